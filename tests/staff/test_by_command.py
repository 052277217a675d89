"""What is decided by a command on the server stands in the log as what is decided on a page, or it is not done."""

import os
import pwd
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from kampungnet import cli
from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core import keys as core_keys
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.models import AuditEntry, StaffMember
from kampungnet.staff.service import Role, Scope, SignedIn
from tests.billing.story import BUDGET
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import PASSWORD
from tests.staff.conftest import Run
from tests.support.contents import contents
from tests.support.server import HEADER, REGENCY, VILLAGE, kampungnet, serving, url_of, where

pytestmark = pytest.mark.anyio
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
ADD = ("add-staff", "wawan", "--name", "Pak Wawan", "--role", "auditor", "--regency", REGENCY)
COMMANDS = (("enrol", "--village", VILLAGE), ("revoke", "--village", VILLAGE), ADD)

FILES = {
    "register.csv": f"{HEADER}\n{VILLAGE},Kampunganyar,desa,35.10.15,Glagah,{REGENCY},Banyuwangi,-8.2,114.3,\n",
    "kabel.csv": f"kode,jalur,odp\n{VILLAGE},Jalur A,\n",
    "libur.csv": "date,name,source\n2026-08-17,Hari Kemerdekaan,SKB 3 Menteri\n",
    "onu.csv": f"kode,serial\n{VILLAGE},ZTEGC7654321\n",
    "anggaran.csv": BUDGET.decode(),
}
DECIDING = (
    (("import-villages", "register.csv"), "register.import"),
    (("import-topology", "kabel.csv", "--regency", REGENCY), "topology.import"),
    (("import-holidays", "libur.csv"), "holidays.import"),
    (("onu", "--village", VILLAGE, "--serial", "ZTEGC1234567"), "onu.assign"),
    (("onu", "--village", VILLAGE, "--serial", "ZTEGC1234567", "--remove"), "onu.remove"),
    (("import-onus", "onu.csv"), "onu.import"),
    (("alerts", "add", "--name", "Grup"), "alerts.add"),
    (("alerts", "token"), "alerts.token"),
    (("import-budget", "anggaran.csv", "--regency", REGENCY, "--confirm"), "anggaran.import"),
)
OTHERS = {
    "enrol",
    "revoke",
    "add-staff",
    "staff",
    "kit",
    "restore",
    "keys",
    "audit",  # each has tests of its own, here or beside what it does
    "import-contracts",
    "import-stages",
    "import-accounts",  # one function with import-budget
}
NO_DECISIONS = {
    "serve",
    "demo",
    "push",
    "migrate",  # the program itself
    "villages",
    "export-budget",
    "statement",
    "verify",
    "backup",  # change nothing
    "recompute",
    "resend",
    "job",  # what systemd saw
    "close-month",  # sums made anew from what is kept; who answers for a statement signs it
}


def _decide(database: Database, about: str = "before") -> None:
    with database.writes() as db:
        audit.record(db, SARI, Act("test.act", about), clock.now_ms())


def _log(database: Database) -> list[AuditEntry]:
    with database.reads() as db:
        assert audit.first_broken(db, REGENCY) is None
        return audit.entries(db, REGENCY)[::-1]


@pytest.mark.parametrize(
    ("command", "what", "about", "after"),
    [
        (COMMANDS[0], "box.code", VILLAGE, "{}"),
        (COMMANDS[1], "box.revoke", VILLAGE, '{"boxes":1}'),
        (ADD, "staff.add", "wawan", '{"duty":"","name":"Pak Wawan","place":"35.10","role":"auditor"}'),
    ],
)
def test_a_command_leaves_one_act_with_its_reason_and_the_user_it_ran_as(
    database: Database, run: Run, command: tuple[str, ...], what: str, about: str, after: str
) -> None:
    _decide(database)
    code, said = run(*command, "--reason", "Surat 12/2026")
    assert code == 0, said
    _, one = _log(database)
    assert (one.what, one.about, one.reason, one.after) == (what, about, "Surat 12/2026", after)
    assert (one.username, one.name) == (audit.SERVER, pwd.getpwuid(os.getuid()).pw_name)
    assert PASSWORD not in f"{one.before}{one.after}"
    assert run("audit", "verify") == (0, f"The log of {REGENCY} holds: 2 entries, none changed or taken out.\n")


def test_the_name_of_the_user_is_not_taken_from_the_environment(run: Run, database: Database,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody.else")
    assert run(*COMMANDS[0])[0] == 0
    assert _log(database)[0].name != "somebody.else"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_what_a_command_could_not_do_is_not_in_the_log(database: Database, run: Run, command: tuple[str, ...]) -> None:
    _decide(database)
    before = contents(database)
    unknown = [word.replace(VILLAGE, "35.10.15.9999").replace("wawan", "sari") for word in command]
    assert run(*unknown)[0] == 1
    assert contents(database) == before


def test_a_new_installation_gets_its_key_from_the_first_command(database: Database, run: Run, tmp_path: Path) -> None:
    assert not (tmp_path / "kampungnet.key").exists()
    assert run(*COMMANDS[0])[0] == 0
    assert (tmp_path / "kampungnet.key").is_file()
    _decide(database, "by the server, with the same key")
    assert len(_log(database)) == 2


@pytest.mark.parametrize("command", [*COMMANDS, ("staff", "disable", "sari")], ids=lambda words: words[0])
@pytest.mark.parametrize("key", ["missing", "another"])
def test_without_the_key_of_the_log_a_command_does_nothing_and_says_which_setting_is_wrong(
    database: Database, run: Run, command: tuple[str, ...], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decide(database)
    place = tmp_path / "elsewhere" / "own.key"
    place.parent.mkdir()
    if key == "another":
        _key(place)
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(place))
    before = contents(database)
    code, said = run(*command)
    assert (code, said.count("\n")) == (1, 1)
    assert ("There is no key in" if key == "missing" else "is not the one that sealed the last act") in said
    assert f"{place}" in said
    assert "let KAMPUNGNET_KEY_FILE name the key file of the server. Lost for good?" in said
    assert contents(database) == before
    assert place.exists() is (key == "another"), "no key is made where one is missing"
    monkeypatch.delenv("KAMPUNGNET_KEY_FILE")
    assert run(*command)[0] == 0
    assert len(_log(database)) == 2


def test_another_regency_without_a_log_of_its_own_does_not_make_a_second_key(
    database: Database, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decide(database)
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(tmp_path / "own.key"))
    code, said = run("import-villages", "klaten")
    assert (code, "KAMPUNGNET_KEY_FILE" in said) == (1, True)
    assert not (tmp_path / "own.key").exists()


def test_after_a_change_of_the_key_commands_go_on_with_the_old_one_below(
    database: Database, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_keys, "LOOK_SECONDS", 0.0)
    _decide(database)
    core_keys.put_on_top(tmp_path / "kampungnet.key")
    assert run(*COMMANDS[0])[0] == 0
    assert len(_log(database)) == 2


def test_who_may_not_read_the_key_is_told_so(database: Database, run: Run, tmp_path: Path) -> None:
    _decide(database)
    (tmp_path / "kampungnet.key").chmod(0o644)
    before = contents(database)
    code, said = run(*COMMANDS[0])
    assert (code, "Others can read" in said) == (1, True)
    assert contents(database) == before


def test_a_server_with_another_key_that_was_first_is_seen_under_the_lock(database: Database, tmp_path: Path) -> None:
    """The command looked while the log was empty, and made a key of its own."""
    own = Database(url_of(database), tmp_path / "own.key")
    with own.reads() as db:
        by = audit.on_the_server(db, REGENCY)
    _key(tmp_path / "own.key")
    _decide(database)
    with pytest.raises(Unavailable, match="KAMPUNGNET_KEY_FILE"), own.writes() as db:
        audit.record(db, by, Act("box.code", VILLAGE), clock.now_ms())
    own.close()
    assert len(_log(database)) == 1


async def test_commands_and_a_working_server_share_one_chain(database: Database, server: Server) -> None:
    sari = await signed_in(server, "sari")
    with ThreadPoolExecutor(3) as crew, serving(database):
        running = [crew.submit(kampungnet, *one, *where(database), entered=f"{PASSWORD} lagi\n") for one in COMMANDS]
        for _ in range(6):
            answer = await sari.post(f"/desa/{VILLAGE}/kotak/ganti", data={"reason": "Rusak"}, headers=OWN_PAGE)
            assert answer.status_code == 200, answer.text
        done = [one.result() for one in running]
    assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
    found = _log(database)
    assert sorted(one.what for one in found) == [*["box.code"] * 7, "box.revoke", "staff.add"]
    page = (await sari.get("/catatan")).text
    assert re.search(r"<b>[^<]+</b> <span>Perintah di server \([^<]+\), ", page)
    assert "Orang diberi akses" in page
    with database.reads() as db:
        assert db.scalar(select(StaffMember.name).where(StaffMember.username == "wawan")) == "Pak Wawan"


def _key(place: Path) -> None:
    place.write_text("ab" * 32 + "\n")
    place.chmod(0o600)


def test_every_command_that_decides_something_leaves_one_act(
    database: Database, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _: "json://127.0.0.1:1/x")
    for name, lines in FILES.items():
        (tmp_path / name).write_text(lines)
    monkeypatch.chdir(tmp_path)
    done = []
    for words, what in DECIDING:
        code, said = run(*words)
        assert code == 0, said
        done.append(what)
        assert [one.what for one in _log(database)] == done
        assert _log(database)[-1].username == audit.SERVER
    recipient = next(one.about for one in _log(database) if one.what == "alerts.add")
    assert run("alerts", "end", "--id", recipient)[0] == 0
    assert run("keys", "rotate")[0] == 0
    found = _log(database)
    assert [one.what for one in found] == [*done, "alerts.end", "keys.rotate"]
    assert {one.about for one in found if one.what.endswith(".import")} == set(FILES)
    assert "127.0.0.1:1" not in "".join(f"{one.before}{one.after}" for one in found), "an address is a secret"


def test_each_kabupaten_of_a_register_is_told_of_its_own_villages_alone(
    database: Database, run: Run, tmp_path: Path
) -> None:
    rows = [
        f"{place}.15.2{number:03},Desa,desa,{place}.15,Glagah,{place},Kabupaten,,,"
        for place, count in ((REGENCY, 1), ("33.10", 2)) for number in range(1, count + 1)
    ]  # fmt: skip
    (tmp_path / "two.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    code, said = run("import-villages", str(tmp_path / "two.csv"))
    assert (code, said) == (0, "3 villages of 33.10, 35.10 are in the register.\n")
    with database.reads() as db:
        found = {one.regency: one.after for one in db.scalars(select(AuditEntry))}
    assert found == {REGENCY: '{"villages":1}', "33.10": '{"villages":2}'}


def test_a_new_command_is_sorted_into_those_that_decide_and_those_that_do_not() -> None:
    known = {words[0] for words, _ in DECIDING} | OTHERS | NO_DECISIONS
    assert {name for texts in cli.COMMANDS.values() for name in texts} == known
