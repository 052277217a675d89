"""ONTs of villages that only an OLT sees: which serial number belongs to which village, and how each is now."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, undefer

from kampungnet.core.errors import BadInput, NotFound
from kampungnet.core.rows import upsert
from kampungnet.devices.bodies import ONU_DEVICE, OnuSeen, decoded, onu_up, spelled
from kampungnet.devices.models import AssignedOnu, Device, Site
from kampungnet.devices.sites import ensure_site
from kampungnet.devices.states import DEVICE_KEY, STATE_COLUMNS, NewState
from kampungnet.shared import wire
from kampungnet.villages import service as villages
from kampungnet.villages.models import Village
from kampungnet.villages.service import BadRow

COLUMNS: Final = ("kode", "serial")
MOST_OLTS: Final = 64
"""OLTs whose words are looked at for a page; a regency has a handful."""
TAKEN_OVER_MS: Final = 24 * 3_600_000
"""An OLT that was silent about an ONU for so long gives way to another that reports it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import of serial numbers did."""

    taken_in: Mapping[str, int]
    """How many were taken in each regency."""
    bad: tuple[BadRow, ...]


@dataclass(frozen=True, slots=True)
class Stray:
    """An ONU that an OLT reports and no village gets: nobody's, or another OLT's."""

    serial: str
    port: str
    state: wire.OnuState
    rx_power_dbm: float | None
    olt_site: str
    olt_device: str
    seen_ms: int
    assigned: AssignedOnu | None


def assign(db: Session, village: Village, serial: str, set_by: str, now_ms: int) -> AssignedOnu:
    """Let an ONU be a village's from now on. Raises ``BadInput`` for what is no serial number.

    One that is assigned already moves; what it measured before stays with the village it was in. Which OLT
    reports it is open again.
    """
    plain = spelled(serial)
    if not plain:
        raise BadInput(
            f"{serial!r} is no ONU's serial number: write four letters and eight digits such as ZTEGC1234567, or a MAC."
        )
    site = ensure_site(db, village)
    known = db.get(AssignedOnu, (village.regency, plain))
    if known is not None and known.site == site.code:
        device = known.device
    else:
        remove(db, village.regency, plain)
        device = _free_name(db, site)
    if known is None or known.site != site.code:
        known = AssignedOnu(regency=village.regency, serial=plain, site=site.code, device=device, since_ms=now_ms)
        db.add(known)
    known.set_by, known.set_ms, known.olt_site, known.olt_device = set_by, now_ms, "", ""
    db.flush()
    return known


def remove(db: Session, regency: str, serial: str) -> bool:
    """Take an ONU from its village, and its present state with it; what it measured stays. Say whether it had one."""
    known = db.get(AssignedOnu, (regency, spelled(serial)))
    if known is None:
        return False
    of_onu = (Device.regency == regency, Device.site == known.site, Device.name == known.device)
    db.execute(delete(Device).where(*of_onu))
    db.delete(known)
    db.flush()
    return True


def remove_from(db: Session, village: Village, serial: str) -> str:
    """Take an ONU from a village and return its serial number. Raises ``NotFound`` when it is not that village's."""
    known = db.get(AssignedOnu, (village.regency, spelled(serial)))
    if known is None or db.get_one(Site, (village.regency, known.site)).village != village.code:
        raise NotFound("This ONU does not belong to this village.")
    remove(db, village.regency, serial)
    return spelled(serial)


def import_list(db: Session, lines: Iterable[str], set_by: str, now_ms: int) -> Imported:
    """Assign ONUs from a CSV (UTF-8) with the columns ``COLUMNS``; a bad row is refused alone and named.

    Raises ``BadInput`` when the columns are others.
    """
    bad: list[BadRow] = []
    seen: dict[str, str] = {}
    try:
        reader = csv.DictReader(lines)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise BadInput(f"This is no list of ONUs: column {', '.join(missing)} is missing.")
        for row in reader:
            if reason := _refusal(db, row, seen, set_by, now_ms):
                bad.append(BadRow(reader.line_num, reason))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"This is no list of ONUs in CSV and UTF-8: {error}.") from error
    return Imported(Counter(seen.values()), tuple(bad))


def record(db: Session, states: Iterable[NewState]) -> None:
    """Let the newest readings of OLTs become the state of the ONUs that are assigned to villages of that regency.

    Others are left alone: nothing is made for a serial number that nobody assigned.
    """
    for state in states:
        body = state.reading.body
        if isinstance(body, wire.OltBody) and body.onus:
            _record_olt(db, state, body)


def olts(db: Session, regency: str, now_ms: int) -> list[tuple[Device, wire.OltBody]]:
    """Return the OLTs of a regency that told something in the last day, the newest first, with what they told."""
    rows = (
        select(Device)
        .where(Device.regency == regency, Device.kind == "olt", Device.last_ok_ms > now_ms - TAKEN_OVER_MS)
        .order_by(Device.last_ok_ms.desc())
        .limit(MOST_OLTS)
        .options(undefer(Device.body))
    )
    found = ((device, decoded(device.body)) for device in db.scalars(rows) if device.body)
    return [(device, body) for device, body in found if isinstance(body, wire.OltBody)]


def strays(db: Session, regency: str, told: Iterable[tuple[Device, wire.OltBody]]) -> list[Stray]:
    """Return what :func:`olts` told and no village gets, by serial number."""
    known = {onu.serial: onu for onu in db.scalars(select(AssignedOnu).where(AssignedOnu.regency == regency))}
    found: list[Stray] = []
    for olt, body in told:
        for onu in body.onus:
            serial = spelled(onu.serial)
            owner = known.get(serial)
            if owner is None or (owner.olt_site and (owner.olt_site, owner.olt_device) != (olt.site, olt.name)):
                found.append(
                    Stray(serial or onu.serial, onu.port, onu.state, onu.rx_power_dbm, olt.site, olt.name,
                          olt.last_ok_ms or olt.last_reading_ms, owner)
                )  # fmt: skip
    return sorted(found, key=lambda one: (one.assigned is None, one.serial, one.olt_site))


def _refusal(db: Session, row: dict[str, str], seen: dict[str, str], set_by: str, now_ms: int) -> str:
    """Assign one row, or say why it cannot be."""
    code, written = row["kode"] or "", row["serial"] or ""
    if spelled(written) in seen:
        return f"serial {spelled(written)} stands twice"
    try:
        # PostgreSQL takes no NUL; nor has a code one.
        village = villages.village(db, code if code.isprintable() else "")
        seen[assign(db, village, written, set_by, now_ms).serial] = village.regency
    except NotFound:
        return f"kode {code!r} is not in the register of villages"
    except BadInput as error:
        return str(error)
    return ""


def _free_name(db: Session, site: Site) -> str:
    """Return the first name that no other ONU of the site has."""
    of_site = select(AssignedOnu.device).where(AssignedOnu.regency == site.regency, AssignedOnu.site == site.code)
    taken = set(db.scalars(of_site))
    names = (ONU_DEVICE, *(f"{ONU_DEVICE}-{number}" for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _record_olt(db: Session, state: NewState, body: wire.OltBody) -> None:
    by_serial = {spelled(onu.serial): onu for onu in body.onus}
    rows = _assigned(db, state.regency, by_serial)
    ours = [
        row
        for row, seen_ms in rows
        if _reports(row, state) or (_is_free(row, state, seen_ms) and _take(db, state, row))
    ]
    if ours:
        states = [_state_row(state, row, by_serial[row.serial], body) for row in ours]
        upsert(db, Device, states, DEVICE_KEY, STATE_COLUMNS, newer="last_reading_ms")


def _assigned(db: Session, regency: str, serials: Iterable[str]) -> Sequence[Any]:
    """Return (assignment, instant of its newest state) of those serial numbers that are assigned."""
    onu, device = AssignedOnu, Device
    same = (device.regency == onu.regency) & (device.site == onu.site) & (device.name == onu.device)
    wanted = select(onu, device.last_reading_ms).outerjoin(device, same)
    wanted = wanted.where(onu.regency == regency, onu.serial.in_(serials)).order_by(onu.serial)
    return db.execute(wanted).all()


def _reports(row: AssignedOnu, state: NewState) -> bool:
    return (row.olt_site, row.olt_device) == (state.site, state.reading.device)


def _is_free(row: AssignedOnu, state: NewState, seen_ms: int | None) -> bool:
    """Tell whether another OLT than the one so far may report an ONU."""
    return not row.olt_site or seen_ms is None or state.taken_ms - seen_ms > TAKEN_OVER_MS


def _take(db: Session, state: NewState, row: AssignedOnu) -> bool:
    """Let an OLT report an ONU from now on; say whether it was quicker than any other."""
    # A later owner's readings must not cover what the earlier one's said of the same hours.
    since_ms = max(row.since_ms, state.taken_ms) if row.olt_site else row.since_ms
    of_row = (AssignedOnu.regency == row.regency, AssignedOnu.serial == row.serial)
    as_seen = (AssignedOnu.olt_site == row.olt_site, AssignedOnu.olt_device == row.olt_device)
    changed = {"olt_site": state.site, "olt_device": state.reading.device, "since_ms": since_ms}
    taken = update(AssignedOnu).where(*of_row, *as_seen).values(changed).returning(AssignedOnu.serial)
    return db.execute(taken.execution_options(synchronize_session=False)).one_or_none() is not None


def _state_row(state: NewState, row: AssignedOnu, onu: wire.Onu, olt: wire.OltBody) -> dict[str, Any]:
    seen = OnuSeen(onu, olt.model, olt.grade)
    is_up = onu_up(onu.state)
    return {
        "regency": row.regency, "site": row.site, "name": row.device, "kind": "ont",
        "outcome": wire.Outcome.OK.value, "detail": "", "last_reading_ms": state.taken_ms,
        "last_ok_ms": state.taken_ms, "uptime_seconds": None, "internet_up": is_up, "hotspot_sessions": None,
        "rx_power_dbm": onu.rx_power_dbm, "no_light": onu.no_light, "body": msgspec.json.encode(seen),
    }  # fmt: skip
