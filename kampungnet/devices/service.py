"""Sites, agents and devices: who may report, and the newest state of everything."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from kampungnet.core.errors import NotFound
from kampungnet.core.rows import upsert
from kampungnet.devices.models import Agent, Device, EnrolmentCode, Site
from kampungnet.devices.status import Status, status_of
from kampungnet.shared import wire
from kampungnet.villages.models import Village
from kampungnet.villages.service import districts

CODE_LIFE_MS: Final = 24 * 3_600_000
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread."""
_DEVICE_KEY: Final = ("regency", "site", "name")
_REPORTING: Final = select(Agent.id, Agent.regency, Agent.site, Agent.public_key, Agent.packed_up_to).where(
    Agent.id.in_(bindparam("ids", expanding=True)), Agent.revoked_ms.is_(None)
)
_STATE_COLUMNS: Final = (
    "kind", "outcome", "detail", "last_reading_ms", "last_ok_ms", "uptime_seconds", "internet_up",
    "hotspot_sessions", "rx_power_dbm", "no_light", "body",
)  # fmt: skip


class NewState(msgspec.Struct, frozen=True, gc=False):
    """One reading as the state of its device sees it."""

    regency: str
    site: str
    taken_ms: int
    reading: wire.Reading


class Reporter(NamedTuple):
    """An agent that may report: where it stands, and the key its reports are signed with."""

    regency: str
    site: str
    public_key: bytes
    packed_up_to: int
    """Readings up to this sequence may rest in packs already."""


@dataclass(frozen=True, slots=True)
class VillageState:
    """A village as the overview shows it. Every number has an age: ``last_reading_ms``."""

    village: Village
    district_name: str
    site: str | None
    status: Status
    last_report_ms: int | None
    last_reading_ms: int | None
    hotspot_sessions: int | None
    rx_power_dbm: float | None
    no_light: bool
    internet_up: bool | None
    devices: tuple[Device, ...]
    agent: Agent | None


def random_code(letters: int) -> str:
    """Return random Crockford base 32 text, 5 bits a letter."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(letters))


def code_hash(code: str) -> bytes:
    """Return what is stored of a one-time code. Case, and what stands between the letters, do not matter."""
    plain = "".join(filter(str.isalnum, code.upper())).translate(str.maketrans("ILO", "110"))
    return hashlib.sha256(b"kampungnet-enrolment\n" + plain.encode()).digest()


def issue_code(db: Session, village: Village, now_ms: int) -> str:
    """Make a one-time enrolment code for a village, valid for 24 hours, and return it for the only time."""
    code = random_code(16)
    row = EnrolmentCode(
        regency=village.regency, code_hash=code_hash(code), village=village.code, expires_ms=now_ms + CODE_LIFE_MS
    )
    db.add(row)
    return "-".join(code[n : n + 4] for n in range(0, 16, 4))


def enrol(db: Session, asked: wire.EnrolmentRequest, public_key: bytes, now_ms: int) -> tuple[Agent, Village]:
    """Turn a good one-time code into an agent. Raises ``NotFound`` for any code that does not open a door.

    The caller has checked that the request was signed with ``public_key``.
    """
    taken = db.execute(
        update(EnrolmentCode)
        .where(
            EnrolmentCode.code_hash == code_hash(asked.code),
            EnrolmentCode.used_ms.is_(None),
            EnrolmentCode.expires_ms > now_ms,
        )
        .values(used_ms=now_ms)
        .returning(EnrolmentCode.regency, EnrolmentCode.village)
    ).one_or_none()
    if taken is None:
        raise NotFound("This enrolment code is not known, was used already or is too old: ask for a new one.")
    village = db.get_one(Village, (taken.regency, taken.village))
    site = ensure_site(db, village)
    # A site has one agent: the box that was replaced, or stolen, loses its right with the new one's first breath.
    before = (Agent.regency == site.regency, Agent.site == site.code, Agent.revoked_ms.is_(None))
    db.execute(update(Agent).where(*before).values(revoked_ms=now_ms))
    agent = Agent(
        regency=taken.regency, id=random_code(16), site=site.code, public_key=public_key, enrolled_ms=now_ms,
        board=clean(asked.board), version=clean(asked.version),
    )  # fmt: skip
    db.add(agent)
    db.flush()
    return agent, village


def ensure_site(db: Session, village: Village) -> Site:
    """Return the village's first site (the balai desa), made if there is none."""
    code = f"{village.code}-1"
    site = db.get(Site, (village.regency, code))
    if site is None:
        site = Site(regency=village.regency, code=code, village=village.code, name="Balai desa")
        db.add(site)
        db.flush()
    return site


def revoke(db: Session, village: Village, now_ms: int) -> int:
    """Revoke every agent of a village, and its unused codes; return how many agents lost their right."""
    db.execute(
        update(EnrolmentCode)
        .where(EnrolmentCode.regency == village.regency, EnrolmentCode.village == village.code)
        .where(EnrolmentCode.used_ms.is_(None))
        .values(used_ms=now_ms)
    )
    of_village = select(Site.code).where(Site.regency == village.regency, Site.village == village.code)
    changed = db.execute(
        update(Agent)
        .where(Agent.regency == village.regency, Agent.site.in_(of_village), Agent.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
        .returning(Agent.id)
    )
    return len(changed.all())


def reporting_agents(db: Session, ids: Iterable[str]) -> dict[str, Reporter]:
    """Return those agents that may report at this moment, by id. Revoked ones are absent."""
    rows = db.connection().execute(_REPORTING, {"ids": list(ids)})
    return {row.id: Reporter(row.regency, row.site, row.public_key, row.packed_up_to) for row in rows}


def note_packed(db: Session, regency: str, agent: str, sequence: int) -> None:
    """Remember the highest sequence of an agent that rests in a pack."""
    higher = (Agent.regency == regency, Agent.id == agent, Agent.packed_up_to < sequence)
    db.execute(update(Agent).where(*higher).values(packed_up_to=sequence))


def record_state(db: Session, states: Iterable[NewState]) -> None:
    """Let the newest reading of each device become its state. Repeats and late readings change nothing."""
    newest: dict[tuple[str, str, str], NewState] = {}
    newest_ok: dict[tuple[str, str, str], NewState] = {}
    for state in states:
        key = (state.regency, state.site, state.reading.device)
        for best in (newest, newest_ok) if state.reading.outcome is wire.Outcome.OK else (newest,):
            if key not in best or best[key].taken_ms < state.taken_ms:
                best[key] = state
    if rows := [_ok_row(state) for state in newest_ok.values()]:
        upsert(db, Device, rows, _DEVICE_KEY, _STATE_COLUMNS, newer="last_reading_ms")
    if rows := [_failed_row(s) for s in newest.values() if s.reading.outcome is not wire.Outcome.OK]:
        upsert(db, Device, rows, _DEVICE_KEY, ("outcome", "detail", "last_reading_ms"), newer="last_reading_ms")


def village_states(db: Session, regency: str, now_ms: int, only: str | None = None) -> list[VillageState]:
    """Return every village of a regency (or ``only`` one) with its newest state, by code."""
    names = districts(db, regency)
    wanted = select(Village).where(Village.regency == regency).order_by(Village.code)
    sites = select(Site).where(Site.regency == regency).order_by(Site.code)
    if only is not None:
        wanted, sites = wanted.where(Village.code == only), sites.where(Site.village == only)
    first_site: dict[str, Site] = {}
    for site in db.scalars(sites):
        first_site.setdefault(site.village, site)
    of_sites = select(Device).where(Device.regency == regency).order_by(Device.name.desc())
    if only is not None:
        of_sites = of_sites.where(Device.site.in_([site.code for site in first_site.values()]))
    devices = defaultdict(list)
    for device in db.scalars(of_sites):
        devices[device.site].append(device)
    active = select(Agent).where(Agent.regency == regency, Agent.revoked_ms.is_(None)).order_by(Agent.enrolled_ms)
    agents = {agent.site: agent for agent in db.scalars(active)}
    return [
        _village_state(v, names[v.district], first_site.get(v.code), devices, agents, now_ms)
        for v in db.scalars(wanted)
    ]


def clean(text: str) -> str:
    """Return a device's or a box's own words without control characters: PostgreSQL refuses NUL in text."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _ok_row(state: NewState) -> dict[str, Any]:
    body = state.reading.body
    row = _row(state) | {"last_ok_ms": state.taken_ms, "body": msgspec.json.encode(body)}
    if isinstance(body, wire.RouterBody):
        row |= {"kind": "router", "hotspot_sessions": body.hotspot_sessions, "internet_up": internet_up(body)}
    elif isinstance(body, wire.OntBody):
        row |= {"kind": "ont", "rx_power_dbm": body.rx_power_dbm, "no_light": body.no_light}
    return row


def _failed_row(state: NewState) -> dict[str, Any]:
    return _row(state) | {"detail": clean(state.reading.detail)}


def _row(state: NewState) -> dict[str, Any]:
    reading = state.reading
    return {
        "regency": state.regency, "site": state.site, "name": reading.device, "kind": "",
        "outcome": reading.outcome.value, "detail": "", "last_reading_ms": state.taken_ms, "last_ok_ms": None,
        "uptime_seconds": reading.device_uptime_seconds, "internet_up": None, "hotspot_sessions": None,
        "rx_power_dbm": None, "no_light": None, "body": None,
    }  # fmt: skip


def internet_up(body: wire.RouterBody) -> bool | None:
    """Say whether the router's ping to the internet came back; ``None`` when it could not ask."""
    for ping in body.pings:
        if ping.target == "internet" and ping.sent:
            return ping.received > 0
    return None


def model_of(body: wire.Body) -> str:
    """Return what a device calls itself: its model, or its board where RouterOS runs on other hardware."""
    return body.model or (body.board if isinstance(body, wire.RouterBody) else "")


def body_of(device: Device) -> wire.RouterBody | wire.OntBody | None:
    """Return the newest good reading's body of a device."""
    return None if device.body is None else _BODY.decode(device.body)


_BODY: Final = msgspec.json.Decoder(wire.RouterBody | wire.OntBody)


def _village_state(
    village: Village,
    district_name: str,
    site: Site | None,
    devices: Mapping[str, list[Device]],
    agents: Mapping[str, Agent],
    now_ms: int,
) -> VillageState:
    own = devices.get(site.code, []) if site else []
    agent = agents.get(site.code) if site else None
    router = next((d for d in own if d.kind == "router" or d.name == "router"), None)
    ont = next((d for d in own if d.kind == "ont"), None)
    last_reading_ms = max((d.last_reading_ms for d in own), default=None)
    router_ok = router is not None and router.outcome == wire.Outcome.OK
    internet = router.internet_up if router else None
    return VillageState(
        village=village, district_name=district_name, site=site.code if site else None,
        status=status_of(last_reading_ms, router_ok, internet, now_ms),
        last_report_ms=agent.last_report_ms if agent else None, last_reading_ms=last_reading_ms,
        hotspot_sessions=router.hotspot_sessions if router else None,
        rx_power_dbm=ont.rx_power_dbm if ont else None, no_light=bool(ont and ont.no_light), internet_up=internet,
        devices=tuple(own), agent=agent,
    )  # fmt: skip
