"""Every route as every role, and as strangers from another village and another kabupaten.

A route that is not in the table fails here: whoever adds one says who may use it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from httpx import AsyncClient

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.hands.service import Caller, note_abilities
from kampungnet.shared.orders import Ability, OrderKind
from kampungnet.staff.models import StaffMember
from kampungnet.staff.service import Role
from kampungnet.villages.models import Regency
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import FATES, KAMPUNGANYAR, REGENCY
from tests.pages.test_strangers import OPEN_TO_ALL, routes
from tests.support.contents import contents

PEOPLE = ("sari", "budi", "dedi", "nur", "eko", "citra", "wati")
"""Engineer, operator, auditor, budget staff of the kabupaten and of the village; operator of another village, and the
engineer of another kabupaten."""
TABLE = Path(__file__).with_name("who_may.txt")
ELSEWHERE = "33.10"
ENDLESS = "/segar"
"""The stream of changes: its first bytes come at once and its end never."""
VALUES = {
    "code": KAMPUNGANYAR, "village": KAMPUNGANYAR, "month": "2026-10", "year": "2026", "ending": "csv",
    "act": "nyalakan-ulang",
    "day": "2026-10-03", "hour": "9", "district": KAMPUNGANYAR[:8], "name": "2026-10", "what": "pagu",
}  # fmt: skip
LEFT_OUT = OPEN_TO_ALL | {"/keluar", "/masuk/langkah", ENDLESS}
_SIGNS = {401: "!", 403: "-", 404: "?", 405: "?"}


def hire_wati(database: Database) -> None:
    """Let the engineer of another kabupaten sign in; her password is that of Ibu Sari."""
    with database.writes() as db:
        password_hash = db.get_one(StaffMember, "sari").password_hash
        db.add(Regency(code=ELSEWHERE, name="Kabupaten Klaten", time_zone=clock.WIB))
        db.flush()
        db.add(
            StaffMember(
                username="wati", name="Bu Wati", password_hash=password_hash, role=Role.ENGINEER, regency=ELSEWHERE
            )
        )


async def test_each_route_lets_in_whom_the_table_names_and_looking_changes_nothing(
    server: Server, database: Database
) -> None:
    hire_wati(database)
    with database.writes() as db:
        here = Caller(REGENCY, f"{KAMPUNGANYAR}-1", "")
        note_abilities(db, here, [Ability(OrderKind.RESTART)])
    visitors = [await signed_in(server, name) for name in PEOPLE]
    before = contents(database)
    found = {}
    for method, path in sorted(set(routes(server)), key=lambda one: (one[1], one[0])):
        if path not in LEFT_OUT:
            found[f"{method} {path}"] = "".join([await _sign(one, method, path) for one in visitors])
    assert contents(database) == before, "neither looking nor an empty form changed anything"
    wanted = dict(_rows())
    assert {route: signs for route, signs in found.items() if wanted.get(route) != signs} == {}
    assert set(wanted) - set(found) == set(), "routes that are gone"


async def test_the_engineer_of_another_kabupaten_reads_nothing_of_this_one(server: Server, database: Database) -> None:
    hire_wati(database)
    wati = await signed_in(server, "wati")
    names = re.compile("Kampunganyar|Rejosari|Banyuwangi|Pak Budi|" + "|".join(map(re.escape, FATES)))
    read = 0
    for method, path in sorted(set(routes(server))):
        if method == "GET" and path not in LEFT_OUT | {"/metrics", "/sd/agents"}:
            answer = await wati.get(_address(path))
            shown = names.findall(answer.text.replace(str(answer.url.path), ""))
            assert not shown, (path, shown)
            read += answer.status_code == 200
    assert read > 10


async def _sign(visitor: AsyncClient, method: str, path: str) -> str:
    answer = await visitor.request(method, _address(path), headers=OWN_PAGE)
    assert answer.status_code < 500, (method, path)
    return _SIGNS.get(answer.status_code, "+")


def _address(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "1"), path)


def _rows() -> Iterator[tuple[str, str]]:
    for line in TABLE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            signs, _, route = line.partition(" ")
            yield route, signs
