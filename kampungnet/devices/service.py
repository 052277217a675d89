"""Sites, agents and devices: who may report, and the newest state of everything."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kampungnet.core.errors import NotFound
from kampungnet.devices import credentials, onus, sites, states
from kampungnet.devices.bodies import SETTINGS, Body, decoded, is_onu
from kampungnet.devices.models import Agent, Device, EnrolmentCode, Site
from kampungnet.devices.status import SILENT_AFTER_MS, Status, status_of
from kampungnet.shared import wire
from kampungnet.shared.one_time_code import NO_CODE, plain_code
from kampungnet.villages.models import Village
from kampungnet.villages.service import districts

NewState = states.NewState
clean = states.clean
Reporter = credentials.Reporter
reporting_agents = credentials.reporting_agents
revoke = credentials.revoke
ensure_site = sites.ensure_site
_KINDS: Final = ("router", "portal", "ont", "olt", "access_point", "camera", "other")
CODE_LIFE_MS: Final = 24 * 3_600_000
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread."""


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
    light: Device | None
    """The device whose light is the village's."""
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
    return hashlib.sha256(b"kampungnet-enrolment\n" + plain_code(code).encode()).digest()


def issue_code(db: Session, village: Village, now_ms: int, life_ms: int = CODE_LIFE_MS) -> str:
    """Make a one-time enrolment code for a village, valid for 24 hours or as said, and return it for the only time."""
    code = random_code(16)
    row = EnrolmentCode(
        regency=village.regency, code_hash=code_hash(code), village=village.code, expires_ms=now_ms + life_ms
    )
    db.add(row)
    return "-".join(code[n : n + 4] for n in range(0, 16, 4))


def enrol(db: Session, asked: wire.EnrolmentRequest, public_key: bytes, now_ms: int) -> tuple[Agent, Village]:
    """Turn a good one-time code into an agent. Raises ``NotFound`` for any code, or key, that does not open a door.

    The caller has checked that the request was signed with ``public_key``. A box that did not hear the answer asks
    again with the same code and key, and is told the same.
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
        return _enrolled_before(db, asked.code, public_key)
    if credentials.is_revoked(db, public_key):
        raise NotFound(NO_CODE)  # the transaction ends here: the code stays good for another box
    village = db.get_one(Village, (taken.regency, taken.village))
    site = ensure_site(db, village)
    # A site has one agent: the box that is replaced loses its right with the new one's first breath.
    credentials.replace(db, site, now_ms)
    agent = Agent(
        regency=taken.regency, id=random_code(16), site=site.code, public_key=public_key, enrolled_ms=now_ms,
        board=clean(asked.board), version=clean(asked.version),
    )  # fmt: skip
    db.add(agent)
    db.flush()
    return agent, village


def _enrolled_before(db: Session, code: str, public_key: bytes) -> tuple[Agent, Village]:
    """Return what this key was enrolled as by this code, and may be still."""
    spent = EnrolmentCode.code_hash == code_hash(code), Agent.enrolled_ms == EnrolmentCode.used_ms
    there = Site.regency == Agent.regency, Site.code == Agent.site, Village.regency == Site.regency
    its_own = Village.code == Site.village, EnrolmentCode.regency == Site.regency, EnrolmentCode.village == Site.village
    holds = Agent.public_key == public_key, Agent.revoked_ms.is_(None)
    found = db.execute(select(Agent, Village).where(*spent, *there, *its_own, *holds)).one_or_none()
    if found is None:
        raise NotFound(NO_CODE)
    return found[0], found[1]


def note_packed(db: Session, regency: str, agent: str, sequence: int) -> None:
    """Remember the highest sequence of an agent that rests in a pack."""
    higher = (Agent.regency == regency, Agent.id == agent, Agent.packed_up_to < sequence)
    db.execute(update(Agent).where(*higher).values(packed_up_to=sequence))


def record_state(db: Session, new: Iterable[NewState]) -> None:
    """Let the newest reading of each device become its state, and that of the ONUs an OLT reports.

    Repeats and late readings change nothing.
    """
    onus.record(db, states.record(db, new))


def village_states(db: Session, regency: str, now_ms: int, only: str | None = None) -> list[VillageState]:
    """Return every village of a regency (or ``only`` one) with its newest state, by code."""
    names = districts(db, regency)
    wanted = select(Village).where(Village.regency == regency).order_by(Village.code)
    places = select(Site).where(Site.regency == regency).order_by(Site.code)
    if only is not None:
        wanted, places = wanted.where(Village.code == only), places.where(Site.village == only)
    first_site: dict[str, Site] = {}
    for site in db.scalars(places):
        first_site.setdefault(site.village, site)
    of_sites = select(Device).where(Device.regency == regency, Device.kind != SETTINGS)
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


def body_of(device: Device) -> Body | None:
    """Return the newest good reading's body of a device."""
    return None if device.body is None else decoded(device.body)


def _village_state(
    village: Village,
    district_name: str,
    site: Site | None,
    devices: Mapping[str, list[Device]],
    agents: Mapping[str, Agent],
    now_ms: int,
) -> VillageState:
    own = sorted(devices.get(site.code, []) if site else [], key=_rank)
    agent = agents.get(site.code) if site else None
    router = next((d for d in own if d.kind == "router" or d.name == "router"), None)
    # What stands in the village says how the village is; an OLT speaks only for one where nothing of ours stands.
    heard = [d for d in own if not is_onu(d.name)] or own[:1]
    last_reading_ms = max((d.last_reading_ms for d in heard), default=None)
    speaks = router or next((d for d in heard if is_onu(d.name) or d.kind == "olt"), None)
    is_ok = speaks is not None and speaks.outcome == wire.Outcome.OK
    internet = speaks.internet_up if speaks else None
    light = _light_device(own, now_ms)
    return VillageState(
        village=village, district_name=district_name, site=site.code if site else None,
        status=status_of(last_reading_ms, is_ok, internet, now_ms),
        last_report_ms=agent.last_report_ms if agent else None, last_reading_ms=last_reading_ms,
        hotspot_sessions=router.hotspot_sessions if router else None, light=light,
        rx_power_dbm=light.rx_power_dbm if light else None, no_light=bool(light and light.no_light),
        internet_up=internet, devices=tuple(own), agent=agent,
    )  # fmt: skip


def _rank(device: Device) -> tuple[int, str]:
    """Order a village's devices: the router, its own ONT, the ONT as an OLT sees it, and the others."""
    kind = device.kind or device.name
    place = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
    return (2 * place + is_onu(device.name), device.name)


def _light_device(own: Sequence[Device], now_ms: int) -> Device | None:
    """Return whose light is the village's: its ONT's, else the router's module's, else what an OLT says of the ONT.

    A level of now goes before an old one, whoever measured it.
    """
    told = [d for d in own if d.rx_power_dbm is not None or d.no_light]
    told.sort(key=lambda d: (now_ms - (d.last_ok_ms or 0) > SILENT_AFTER_MS, is_onu(d.name), d.kind != "ont"))
    return told[0] if told else None
