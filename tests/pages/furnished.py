"""The sample kabupaten with something on every page: books, statements, free wifi, router settings, messages, work.

`python -m tests.pages.furnished FOLDER [hostile]` writes it as `tests.pages.sample` does; `hostile` under bad names.
"""

import itertools
import sys
import zlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer

from kampungnet.alerts import recipients
from kampungnet.alerts.models import AlertMessage
from kampungnet.alerts.recipients import NewRecipient
from kampungnet.billing.models import BudgetLine, Contract, Provider, Statement
from kampungnet.core import clock
from kampungnet.core.database import Base, Database
from kampungnet.demo import books
from kampungnet.devices.models import Agent, Device, Site
from kampungnet.hands import service as hands
from kampungnet.hands.models import RemoteOrder, SupportBundle
from kampungnet.hotspot import desk, garden, portals, vouchers
from kampungnet.hotspot.desk import NewBinding
from kampungnet.hotspot.garden import NewEntry
from kampungnet.hotspot.models import GardenEntry, HotspotNotice, HotspotPlan, VoucherBatch
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.vouchers import NewBatch
from kampungnet.measurement import incident_log, planned_work
from kampungnet.measurement.outage_models import LoggedIncident, LoggedOutage, PlannedWork
from kampungnet.measurement.planned_work import Entry
from kampungnet.shared import wire
from kampungnet.shared.orders import Ability, Bundle, OrderKind, OrderState, OrderTold, Section, Why
from kampungnet.shared.portal_body import SLOT_MS, CheckStep, PortalBody, PortalSession, PortalSlot, Way
from kampungnet.shared.wanted import BindingKind
from kampungnet.staff.models import StaffMember
from kampungnet.staff.service import Duty, Role, Scope, SignedIn
from kampungnet.villages.models import District, Village
from kampungnet.villages.service import names
from tests.configs.test_kept import body as settings
from tests.configs.test_kept import tell
from tests.pages import losses
from tests.pages.sample import FATES, KAMPUNGANYAR, REGENCY, REJOSARI, fill, hire
from tests.support.server import Box, enrolled, ingested

SARI: Final = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
NUR: Final = SignedIn("nur", "Bu Nur", Role.BUDGET, Scope(REGENCY))
RATNA: Final = SignedIn("ratna", "Bu Ratna", Role.BUDGET, Scope(REGENCY))
SIGNERS: Final = tuple(
    SignedIn(username, name, Role.BUDGET, Scope(REGENCY, KAMPUNGANYAR), duty)
    for username, name, duty in (
        ("eko", "Pak Eko", Duty.SECRETARY), ("hana", "Bu Hana", Duty.HEAD), ("joko", "Pak Joko", Duty.TREASURER),
    )
)  # fmt: skip
PLACE: Final = (REGENCY, f"{KAMPUNGANYAR}-1")


class Furnished(NamedTuple):
    """What the addresses of pages name."""

    batch: str
    incident: str
    work: str
    statement: str
    """Contract and month, as in its address."""
    outage_ms: int
    day: str
    """A local day whose readings are there."""
    order: str
    """Asked of a box, and a bundle came."""


def furnish(database: Database, *, hostile: bool = False) -> None:
    """Put something on every page of an empty database; with ``hostile`` under names as in ``HOSTILE``."""
    now_ms = clock.now_ms()
    fill(database, now_ms, history=tuple(FATES)[:4])
    hire(database)
    if hostile:
        spoil(database)
    codes = sorted(code for code, fate in FATES.items() if fate.status != "never" and code != KAMPUNGANYAR)
    add(database, codes, now_ms)
    if hostile:
        spoil(database)


def add(database: Database, codes: Sequence[str], now_ms: int) -> None:
    """Put something on every page of a kabupaten with boxes; villages with these codes get books, besides the first."""
    _settings_and_guests(database, now_ms)
    with database.writes() as db:
        _leave_one_out(db)
        books.keep(db, (NUR, RATNA, *SIGNERS), (KAMPUNGANYAR, *codes), now_ms - 30 * clock.DAY_MS)
        incident_log.update(db, REGENCY, now_ms)
    _wifi(database, now_ms)
    _work_and_messages(database, now_ms)
    _hands(database, now_ms)


def _hands(database: Database, now_ms: int) -> None:
    """Let something be asked of the first box in each state that an order may have."""
    can = [Ability(OrderKind.RESTART, "router"), Ability(OrderKind.PORTAL), Ability(OrderKind.BUNDLE)]
    bundle = Bundle(now_ms, "0.1", [Section("catatan", ["2026-11-29 router: works again", *HOSTILE])])
    endings: Sequence[tuple[OrderKind, str, OrderState, dict[str, Any]]] = (
        (OrderKind.RESTART, "router", OrderState.REFUSED, {"right": "reboot", "detail": HOSTILE[0]}),
        (OrderKind.PORTAL, "", OrderState.FAILED, {"why": Why.DEVICE, "changed": 3, "detail": HOSTILE[1]}),
        (OrderKind.BUNDLE, "", OrderState.DONE, {"bundle": zlib.compress(msgspec.json.encode(bundle))}),
        (OrderKind.RESTART, "router", OrderState.DONE, {"away_seconds": 95}),
    )  # fmt: skip
    with database.writes() as db:
        box = db.scalars(select(Agent).where(Agent.site == PLACE[1], Agent.revoked_ms.is_(None))).first()
        assert box
        caller = hands.Caller(*PLACE, box.id)
        hands.note_abilities(db, caller, can)
        for kind, device, state, more in endings:
            order = hands.ask(db, SARI, PLACE, hands.Wish(kind, device, "Wifi macet"), now_ms).id
            db.flush()
            hands.heard(db, caller, [OrderTold(order, "aa", OrderState.TAKEN)], now_ms)
            hands.heard(db, caller, [OrderTold(order, "aa", state, **more)], now_ms)
        hands.ask(db, SARI, PLACE, hands.Wish(OrderKind.RESTART, "router", HOSTILE[0]), now_ms)


def _leave_one_out(db: Session) -> None:
    """Let nobody measure the first kelurahan: the books have a contract of one without a box."""
    first = min(code for code in names(db, REGENCY) if code[9] == "1" and code not in FATES)
    site = f"{first}-1"
    boxes = list(db.scalars(select(Agent.id).where(Agent.regency == REGENCY, Agent.site == site)))
    for table in reversed(Base.metadata.sorted_tables):
        if "agent" in table.c:
            db.execute(delete(table).where(table.c.agent.in_(boxes)))
        elif "site" in table.c:
            db.execute(delete(table).where(table.c.site == site))
    db.execute(delete(Site).where(Site.regency == REGENCY, Site.code == site))


def _settings_and_guests(database: Database, now_ms: int) -> None:
    box = enrolled(database, KAMPUNGANYAR)
    old = "/ip service set telnet disabled=no\n/ip dns set servers=1.1.1.1\n"
    new = old.replace("=no", "=yes") + '/system script add name="<jahat>alert(1)</jahat>"\n'
    tell(database, box, (50, settings(old)), (26, settings(new, backup=b"x" * 40_000)))
    slots = [PortalSlot(now_ms // SLOT_MS, 600, 1_000_000, 9_000_000)]
    ways = itertools.cycle(Way)
    sessions = [
        PortalSession(f"{n:016x}", f"g-abcdefghijklmno{'pqrst'[n]}", next(ways), now_ms - 600_000, now_ms, slots)
        for n in range(5)
    ]  # fmt: skip
    check = [CheckStep("server", good=False, detail="Mati."), CheckStep("dns", good=True)]
    body = PortalBody(server="x", running=True, online=5, hosts=6, sessions=sessions, check=check, drift=["user x"])
    (receipt,) = ingested(database, box.request(box.report(box.reading(body, device="portal"), *_day_of_readings(box))))
    assert receipt.refused == []


def _day_of_readings(box: Box) -> Iterator[wire.Reading]:
    """A few readings of this hour, so that what was counted can be followed down to them."""
    now_ms = clock.now_ms()
    for minute in (9, 6, 3):
        wan = wire.CounterReading("ether1", "ether", running=True, rx_bytes=10**9 - minute * 10**6, tx_bytes=10**8)
        router = wire.RouterBody(identity="balai", version="7.16.2 (stable)", wan_interface="ether1", interfaces=[wan])
        yield box.reading(router, taken_at_ms=now_ms - minute * 60_000)


def _wifi(database: Database, now_ms: int) -> None:
    with database.writes() as db:
        rules = Policy(managed=True, greeting="Sugeng rawuh", contact="Kantor desa")
        portals.set_policy(db, SARI, PLACE, rules, now_ms)
        desk.add_account(db, SARI, PLACE, ("kades", "rahasia desa", "kantor"), now_ms)
        desk.say(db, SARI, PLACE, "Besok listrik padam.", 3, now_ms)
        printer = NewBinding(BindingKind.BYPASSED, mac="D6:00:00:00:00:07", label="Pencetak", reason="Kantor")
        desk.bind(db, SARI, PLACE, printer, now_ms)
        vouchers.issue(db, SARI, PLACE, NewBatch("harian", 3, 3600, note="Pasar"), now_ms)
        in_ten_days = (clock.now() + timedelta(days=10)).date().isoformat()
        garden.add(db, SARI, NewEntry("layanan.example.go.id", "Layanan", "Dinas", "Perlu", in_ten_days), now_ms)


def _work_and_messages(database: Database, now_ms: int) -> None:
    first, last = (f"{clock.local(now_ms + hours * losses.HOUR, clock.WIB):%Y-%m-%dT%H:%M}" for hours in (30, 33))
    with database.writes() as db:
        entry = Entry(first, last, [KAMPUNGANYAR, REJOSARI], "PT Serat Ijen", "Sambungan kabel diganti")
        planned_work.enter(db, SARI, entry, now_ms)
        new = NewRecipient(
            "Grup teknisi", "tgram://123456789:rahasia-AAbbCCddEEffGGhhIIjjKKllMMnn/-100", "", digest="06:30"
        )
        one = recipients.add(db, SARI, new, now_ms)
        db.add(
            AlertMessage(
                regency=REGENCY, recipient=one.id, topic="incident:i1", number=0, act="began", severity=2,
                made_ms=now_ms - losses.HOUR, start_ms=now_ms - losses.HOUR, members="[]", sign="", spot="",
                text="Desa Kampunganyar padam sejak pukul 08.12.", tries=3, next_ms=None,
                sent_ms=None, problem="refused",
            )
        )  # fmt: skip


def furnished(database: Database) -> Furnished:
    """What is there to look at."""
    with database.reads() as db:
        batch = db.scalars(select(VoucherBatch.id)).first()
        incident = db.scalars(select(LoggedIncident.id).order_by(LoggedIncident.start_ms.desc())).first()
        work = db.scalars(select(PlannedWork.id)).first()
        newest = select(Statement).where(Statement.unit == KAMPUNGANYAR).order_by(Statement.month.desc())
        statement = db.scalars(newest).first()
        outage = select(LoggedOutage.start_ms).where(LoggedOutage.site == f"{losses.LOSING}-1")
        start_ms = db.scalars(outage.order_by(LoggedOutage.start_ms)).first()
        order = db.scalars(select(SupportBundle.id)).first()
    assert batch
    assert incident
    assert work
    assert statement
    assert start_ms
    assert order
    day = clock.local_day(clock.now_ms(), clock.WIB).isoformat()
    return Furnished(batch, incident, work, f"{statement.contract}/{statement.month:%Y-%m}", start_ms, day, order)


HOSTILE: Final = (
    "<jahat>alert(1)</jahat>",
    "\" jahat='x' '{{ 7 * 7 }}' {% raw %} ${x} \\",
    "\N{WATER WAVE}\N{FISH} Kampung \N{RIGHT-TO-LEFT OVERRIDE}knab ukus \N{ARABIC LETTER QAF}\N{ARABIC LETTER REH}",
    "Kampungpanjangsekali" * 15,
    "' onmouseover=jahat() <b jahat>&amp;&lt;",
)
"""Markup, quotes and braces, emoji and letters that run the other way, 300 letters without a blank."""
_NAMES: Final[tuple[tuple[type[Base], tuple[str, ...]], ...]] = (
    (Village, ("name",)), (District, ("name",)), (Site, ("name",)), (StaffMember, ("name",)), (Device, ("detail",)),
    (HotspotPlan, ("title",)), (HotspotNotice, ("text", "made_by")), (GardenEntry, ("title", "owner", "reason")),
    (VoucherBatch, ("note", "made_by")), (PlannedWork, ("provider", "reason", "entered_by")), (Provider, ("name",)),
    (RemoteOrder, ("reason", "asked_name", "detail")), (Contract, ("number",)), (BudgetLine, ("name",)),
    (AlertMessage, ("text",)),
)  # fmt: skip
_TOLD: Final = ("identity", "board", "version", "model", "name", "wan_interface")
"""What devices tell of themselves."""


def spoil(database: Database) -> None:
    """Give everything that people or devices name a name that wants to break the page."""
    strings = itertools.cycle(HOSTILE)
    with database.writes() as db:
        for model, columns in _NAMES:
            for row in db.scalars(select(model)):
                for column in columns:
                    setattr(row, column, next(strings))
        for device in db.scalars(select(Device).where(Device.body.is_not(None)).options(undefer(Device.body))):
            body = msgspec.json.decode(device.body or b"")
            told = {name: next(strings)[:200] for name in _TOLD if isinstance(body.get(name), str)}
            device.body = msgspec.json.encode(body | told)


def main(folder: Path, *words: str) -> None:
    """Write it, for looking at it."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{folder / 'kampungnet.db'}", folder / "kampungnet.key")
    furnish(database, hostile="hostile" in words)
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
