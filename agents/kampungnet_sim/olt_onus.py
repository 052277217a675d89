"""The ONUs of a provider's OLT: those of our villages, and the houses that share its ports.

What a village's ONU does follows the village itself: no light is LOS, a power cut is a dying
gasp and later just offline. A house never changes; only our villages have stories.
Phases and causes are those of facts/ont-snmp.md, sections 2.3, 5.5 and 13.1.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from kampungnet_sim.chance import generator, key_of, unit
from kampungnet_sim.routeros_menus_interface import mac_of
from kampungnet_sim.village import NO_LIGHT_DBM, Village, VillageState
from kampungnet_sim.village_events import Event, EventKind, Segment

# So long an OLT goes on saying "dying gasp" before the ONU is merely offline (project rule).
GASP_SECONDS = 300.0
# Between light and traffic: serial number, ranging, configuration.
RANGING_SECONDS = 20.0
_SILENT_SHARE = 0.12
_HISTORY_SECONDS = 60 * 86_400.0
_NO_POWER = frozenset({EventKind.POWER_CUT, EventKind.ONT_OFF})


class Phase(StrEnum):
    """What an OLT says of an ONU now."""

    LOGGING = "logging"
    LOS = "LOS"
    WORKING = "working"
    DYING_GASP = "DyingGasp"
    AUTH_FAILED = "AuthFail"
    OFFLINE = "OffLine"


class Cause(StrEnum):
    """Why an ONU was last down; history, not state."""

    NONE = ""
    LOS = "LOSi"
    DYING_GASP = "DyingGasp"
    DEACTIVATED = "deactivated"


class Place(NamedTuple):
    """Where an ONU hangs, as its own OLT counts."""

    slot: int
    port: int
    number: int


@dataclass(frozen=True, slots=True)
class OnuNow:
    """One ONU at one instant. Levels are dBm (None: dark), times Unix seconds (0: never)."""

    phase: Phase
    cause: Cause
    last_up: float
    last_down: float
    last_gasp: float
    rx_dbm: float | None
    tx_dbm: float | None
    olt_rx_dbm: float | None
    temperature_celsius: float
    voltage_volts: float
    bias_milliamperes: float
    uptime_seconds: int
    online_seconds: int
    rx_bytes: int
    tx_bytes: int

    @property
    def online(self) -> bool:
        """Does it carry traffic?"""
        return self.phase is Phase.WORKING

    def dark(self, phase: Phase) -> "OnuNow":
        """The same ONU when its OLT cannot see it."""
        return OnuNow(
            phase, self.cause, self.last_up, self.last_down, self.last_gasp,
            None, None, None, 0.0, 0.0, 0.0, 0, 0, self.rx_bytes, self.tx_bytes,
        )  # fmt: skip


class Session(NamedTuple):
    """One time an ONU was up; ``down`` is 0 while it lasts."""

    up: float
    down: float
    cause: Cause


class Onu(Protocol):
    """One ONU that an OLT knows."""

    place: Place
    serial: str
    mac: str
    name: str
    model: str
    distance_metres: int

    def now(self, when: float) -> OnuNow:
        """What is true of it at an instant (Unix seconds)."""

    def sessions(self, when: float) -> list[Session]:
        """The last ten times it was up, oldest first."""


def serial_bytes(serial: str) -> bytes:
    """A GPON serial number as it travels: four letters, four binary bytes."""
    return serial[:4].encode() + bytes.fromhex(serial[4:])


@dataclass(frozen=True, slots=True)
class _Past:
    last_up: float
    last_down: float
    last_gasp: float
    cause: Cause


class VillageOnu:
    """The ONT of one simulated village, seen from the other end of its fibre."""

    def __init__(self, place: Place, village: Village) -> None:
        profile = village.profile
        key = key_of(profile.seed, profile.code, "onu")
        self.place = place
        self.village = village
        self.serial = profile.ont_serial
        # The ONT's optical port has this address on SNMP too.
        self.mac = mac_of(profile.code, 33)
        self.name = f"Desa {profile.name}"
        self.model = profile.ont.model
        self.distance_metres = 900 + int(unit(key, 1) * 14_000)
        # The fibre loses less at 1490 nm than at 1310 nm, so the OLT hears a little less than the ONU.
        self._uplink_loss_db = 0.8 + 1.6 * unit(key, 2)
        # Some units never send one: no charge left in old capacitors (facts/ont-snmp.md, 13.1).
        self.gasps = unit(key, 3) > _SILENT_SHARE
        self._past: tuple[Segment, _Past] | None = None
        self._last: tuple[float, OnuNow] | None = None

    def now(self, when: float) -> OnuNow:
        """What is true of it at an instant."""
        if self._last is None or self._last[0] != when:
            self._last = when, self._work_out(when)
        return self._last[1]

    def _work_out(self, when: float) -> OnuNow:
        state = self.village.state_at(when)
        past = self._history(when)
        phase = self._phase(state, past, when)
        lit = phase is Phase.WORKING
        sent = state.tx_power_dbm if lit else None
        wan = state.ont_interfaces[0]
        return OnuNow(
            phase=phase,
            cause=past.cause,
            last_up=past.last_up,
            last_down=past.last_down,
            last_gasp=past.last_gasp,
            rx_dbm=state.rx_power_dbm if lit else None,
            tx_dbm=sent,
            olt_rx_dbm=None if sent is None else round(state.rx_power_dbm - self._uplink_loss_db, 2),
            temperature_celsius=state.ont_temperature_celsius if lit else 0.0,
            voltage_volts=state.ont_voltage_volts if lit else 0.0,
            bias_milliamperes=state.ont_bias_milliamperes if lit else 0.0,
            uptime_seconds=state.ont_uptime_seconds if lit else 0,
            online_seconds=int(when - past.last_up) if lit else 0,
            rx_bytes=wan.rx_bytes,
            tx_bytes=wan.tx_bytes,
        )

    def sessions(self, when: float) -> list[Session]:
        """The last ten times it was up, oldest first."""
        found: list[Session] = []
        up = 0.0
        for event in self._cuts(when):
            if up and event.start > up:
                found.append(Session(up, event.start, self._cause(event)))
            up = max(up, event.end)
        if up and up <= when:
            found.append(Session(up, 0.0, Cause.NONE))
        return found[-10:]

    def _cuts(self, when: float) -> list[Event]:
        wanted = (*_NO_POWER, EventKind.FIBRE_CUT)
        found = self.village.events_between(when - _HISTORY_SECONDS, when + 1)
        return [e for e in found if e.kind in wanted and e.start <= when]

    def _phase(self, state: VillageState, past: _Past, when: float) -> Phase:
        dark = bool(self.village.calendar.segment(when).kinds & _NO_POWER)
        if dark and not self.gasps:
            return Phase.LOS
        if dark:
            return Phase.DYING_GASP if when - past.last_down < GASP_SECONDS else Phase.OFFLINE
        if state.rx_power_dbm <= NO_LIGHT_DBM:
            return Phase.LOS
        return Phase.WORKING if when - past.last_up > RANGING_SECONDS else Phase.LOGGING

    def _history(self, when: float) -> _Past:
        segment = self.village.calendar.segment(when)
        if self._past is None or self._past[0] is not segment:
            self._past = segment, self._look_back(when)
        return self._past[1]

    def _look_back(self, when: float) -> _Past:
        begun = self._cuts(when)
        gasps = [e.start for e in begun if self._cause(e) is Cause.DYING_GASP]
        last = begun[-1] if begun else None
        power_back = self.village.calendar.segment(when).ont_back
        return _Past(
            last_up=max((e.end for e in begun if e.end <= when), default=power_back),
            last_down=last.start if last is not None else 0.0,
            last_gasp=max(gasps, default=0.0),
            cause=Cause.NONE if last is None else self._cause(last),
        )

    def _cause(self, event: Event) -> Cause:
        return Cause.DYING_GASP if event.kind in _NO_POWER and self.gasps else Cause.LOS


# Shares of the houses: working, without power, without light, off, refused.
_HOUSE_PHASES = (
    (0.86, Phase.WORKING, Cause.NONE),
    (0.92, Phase.DYING_GASP, Cause.DYING_GASP),
    (0.96, Phase.LOS, Cause.LOS),
    (0.99, Phase.OFFLINE, Cause.DEACTIVATED),
    (1.01, Phase.AUTH_FAILED, Cause.DEACTIVATED),
)


class HouseOnu:
    """Somebody else's ONU on the same OLT: an agent has no business with it."""

    def __init__(self, place: Place, seed: int, olt: str, count: int) -> None:
        chance = generator(seed, olt, "house", count)
        self.place = place
        self.serial = chance.choice(("ZTEG", "HWTC", "FHTT")) + f"{chance.randrange(16**8):08X}"
        self.mac = ":".join(f"{chance.randrange(256):02X}" for _ in range(6))
        self.name = f"Pelanggan {count}"
        self.model = chance.choice(("F609", "F660", "EG8145V5", "HG6145F"))
        self.distance_metres = chance.randrange(120, 9_000)
        self._key = key_of(seed, olt, "house", count)
        dice = unit(self._key, 0)
        _, self._phase, self._cause = next(row for row in _HOUSE_PHASES if dice < row[0])
        # On the hour of some day of 2026: it has been so for a while.
        self._since = 1_790_000_000.0 + chance.randrange(1_000) * 3_600.0

    def now(self, when: float) -> OnuNow:
        """What is true of it at an instant."""
        key = self._key
        lit = self._phase is Phase.WORKING
        level = -16.0 - 11.0 * unit(key, 1) + 0.3 * unit(key, 100 + int(when // 600))
        up = self._since if lit else self._since - 86_400 * 9
        down = 0.0 if lit else self._since
        return OnuNow(
            phase=self._phase,
            cause=self._cause,
            last_up=up,
            last_down=down,
            last_gasp=down if self._cause is Cause.DYING_GASP else 0.0,
            rx_dbm=round(level, 2) if lit else None,
            tx_dbm=round(2.0 + unit(key, 2), 2) if lit else None,
            olt_rx_dbm=round(level - 1.2, 2) if lit else None,
            temperature_celsius=40 + 12 * unit(key, 3) if lit else 0.0,
            voltage_volts=round(3.2 + 0.1 * unit(key, 4), 3) if lit else 0.0,
            bias_milliamperes=round(9 + 6 * unit(key, 5), 2) if lit else 0.0,
            uptime_seconds=max(int(when - up), 0) if lit else 0,
            online_seconds=max(int(when - up), 0) if lit else 0,
            rx_bytes=int(max(when - up, 0) * 90_000 * unit(key, 6)),
            tx_bytes=int(max(when - up, 0) * 11_000 * unit(key, 7)),
        )

    def sessions(self, when: float) -> list[Session]:
        """One, as nothing ever happens there."""
        now = self.now(when)
        return [Session(now.last_up, now.last_down, now.cause)]
