"""A village office as a pure function of (seed, village code, time).

The responders answer from :class:`VillageState`, and tests compare what came out at the far
end with the same state. Nothing here reads a clock, a file or the network.
"""

from dataclasses import dataclass
from math import exp, pi, sin

from kampungnet_sim.chance import generator, key_of, unit
from kampungnet_sim.models import (
    ONT_MODELS,
    ROUTER_MODELS,
    OntModel,
    RosVersion,
    RouterModel,
)
from kampungnet_sim.village_day import guest_weight, local_hour, office_weight
from kampungnet_sim.village_events import CARRIER_ENDING, LINE_ENDING, Calendar, Event, EventKind, Segment
from kampungnet_sim.village_features import NO_SCALE, NO_WISH, Scale, Wish, draw_features
from kampungnet_sim.village_guests import Guests, Visit
from kampungnet_sim.village_interfaces import (
    COUNTER_MODULUS,
    DIALLED,
    InterfaceCounters,
    InterfacePlan,
    Volume,
    counters,
    plan_interfaces,
)
from kampungnet_sim.village_steady import Presence, SteadyGuests
from kampungnet_sim.village_traffic import Flow, Meter

# Below this an ordinary class B+ receiver loses frames (facts/ont-snmp.md, 12.1 and 12.3).
WEAK_LIGHT_DBM = -28.0
NO_LIGHT_DBM = -40.0
# A bend from which nothing comes through: 4 dB below the limit.
_BENT_DBM = WEAK_LIGHT_DBM - 4.0
_SLOW_MS = 900.0
_DEGRADING_PERIOD = 120 * 86_400
# What a dirty or corroding connector takes each day (unconfirmed size: 1.8 to 2.4 dB a month), and at most.
_AGEING_DB_A_DAY = (0.06, 0.08)
_AGEING_MOST_DB = 20.0


@dataclass(frozen=True, slots=True)
class VillageProfile:
    """What stays the same in a village, drawn from seed and code."""

    code: str
    name: str
    seed: int
    router: RouterModel
    version: str
    ont: OntModel
    contract_mbps: int
    daily_guests: int
    base_rx_dbm: float
    degrading: bool
    router_serial: str
    ont_serial: str
    features: frozenset[str] = frozenset()
    scale: Scale = NO_SCALE
    ageing_since: float | None = None
    cut: tuple[float, float] | None = None

    @property
    def dialled(self) -> bool:
        """Is the line to the provider PPPoE?"""
        return "pppoe" in self.features

    @property
    def ros(self) -> RosVersion:
        """The router's version, comparable."""
        return RosVersion.parse(self.version)


def _loses_light(code: str, seed: int) -> bool:
    """One kecamatan of six has a cable that ages, and on it each third village.

    Not left to chance alone: any dozen villages spread over the kecamatan has one or two of them.
    """
    digits = [int(part) for part in code.split(".") if part.isdecimal()]
    district, village = (digits[-2], digits[-1] % 1_000) if len(digits) > 1 else (0, 0)
    group, place = divmod(district - 1, 6)
    return place == key_of(seed, "ageing cable", group) % 6 and village % 3 == 1


def draw_profile(
    code: str, name: str, seed: int, *, model: str | None = None, version: str | None = None, wish: Wish = NO_WISH
) -> VillageProfile:
    """Draw a village; ``model`` (a key of ROUTER_MODELS), ``version`` and what it has may be chosen instead."""
    chance = generator(seed, code, "profile")
    silent, ageing_since = code in wish.silent_onts, wish.ageing.get(code)
    drawn = chance.choice(("hap-lite", "hap-lite", "hex", "hex", "rb951", "hap-ax2", "hap-ax2", "hex-s", "hap-ac-lite"))
    if silent and drawn == "hex-s":
        # The router itself tells of a stick in its cage.
        drawn = "hex"
    router = ROUTER_MODELS[model or drawn]
    drawn_ont = chance.choice(("hsgq", "hsgq", "hsgq", "plain"))
    if _loses_light(code, seed) or ageing_since is not None:
        # A unit that measures no light could not show it.
        drawn_ont = "hsgq"
    contract = chance.choice((10, 20, 20, 30, 50, 100))
    return VillageProfile(
        code=code,
        name=name,
        seed=seed,
        router=router,
        version=version or router.version,
        ont=ONT_MODELS["silent" if silent else "sfp" if router.has_sfp else drawn_ont],
        contract_mbps=contract,
        daily_guests=chance.randrange(60, 190),
        base_rx_dbm=round(chance.uniform(-23.5, -16.5), 2),
        degrading=_loses_light(code, seed) and ageing_since is None,
        router_serial=f"HE{chance.randrange(16**8):08X}"[:11] + "K",
        ont_serial=f"HSGQ{chance.randrange(16**8):08X}",
        features=draw_features(seed, code) if wish.features is None else wish.features,
        scale=wish.scale,
        ageing_since=ageing_since,
        cut=wish.cuts.get(code),
    )


@dataclass(frozen=True, slots=True)
class VillageState:
    """The whole truth of one instant. A ping that is not answered is None.

    The gateway (the provider's first router) is near and answers even when all behind it is
    gone. ``line_up``: the router's WAN port has a carrier. The ONT may run for months: its
    counters start at the last power cut.
    """

    time: float
    power: bool
    router_up: bool
    router_answers: bool
    ont_up: bool
    fibre_up: bool
    line_up: bool
    provider_up: bool
    internet_up: bool
    boot_time: float
    uptime_seconds: int
    ont_boot_time: float
    ont_uptime_seconds: int
    cpu_load_percent: int
    free_memory_bytes: int
    free_storage_bytes: int
    temperature_celsius: int
    voltage_volts: float
    hotspot_active: int
    hotspot_hosts: int
    dhcp_leases: int
    wireless_clients: int
    rx_power_dbm: float
    tx_power_dbm: float | None
    ont_temperature_celsius: float
    ont_voltage_volts: float
    ont_bias_milliamperes: float
    gateway_ping_ms: float | None
    internet_ping_ms: float | None
    packet_loss_percent: int
    interfaces: tuple[InterfaceCounters, ...]
    ont_interfaces: tuple[InterfaceCounters, ...]

    def interface(self, name: str) -> InterfaceCounters:
        """The counters of one router interface."""
        return next(found for found in self.interfaces if found.name == name)


# What takes the ONT from the box's sight.
_ONT_AWAY = frozenset({EventKind.POWER_CUT, EventKind.ONT_OFF, EventKind.CABLE_OUT})
# Devices the operator let through without a portal: printer, CCTV recorder, office desktop.
BYPASSED_HOSTS = 3


class Village:
    """One village, to be asked about any instant."""

    def __init__(self, profile: VillageProfile, drawn: frozenset[EventKind] | None = None) -> None:
        self.profile = profile
        seed, code = profile.seed, profile.code
        self._key = key_of(seed, code, "state")
        load = 0.30 + 0.35 * unit(self._key, -1)
        self._flow = Flow(seed, code, contract_mbps=profile.contract_mbps, load=load)
        self.has_hotspot = not profile.features & {"hotspot-forbidden", "no-hotspot-package"}
        self.guests: Presence = self._draw_guests(profile)
        told = (Event(*profile.cut, EventKind.FIBRE_CUT),) if profile.cut else ()
        self.calendar = Calendar(seed, code, drawn, told)
        self._meters: dict[tuple[float, Segment], Meter] = {}
        self.plan: tuple[InterfacePlan, ...] = plan_interfaces(profile.router, dialled=profile.dialled)
        self._line_enders = LINE_ENDING - {*CARRIER_ENDING, *([] if profile.dialled else [EventKind.REDIAL])}
        self.has_radio = profile.router.wireless != "none" or "capsman" in profile.features
        # A stick in the router's cage has no ports of its own: the router answers for it.
        self._ont_is_router = profile.ont.kind == "sfp-mikrotik"
        self.ont_plan: tuple[InterfacePlan, ...] = self.plan if self._ont_is_router else plan_interfaces(profile.ont)

    def change_router(self, profile: VillageProfile) -> None:
        """Another router stands there now. ValueError when the line would have to end elsewhere too."""
        if profile.router.has_sfp or self.profile.router.has_sfp:
            raise ValueError("a router with the provider's stick in its cage is not exchanged for another")
        self.profile = profile
        self.plan = plan_interfaces(profile.router, dialled=profile.dialled)
        self.has_radio = profile.router.wireless != "none" or "capsman" in profile.features
        self._meters.clear()

    def _draw_guests(self, profile: VillageProfile) -> Presence:
        if not self.has_hotspot:
            return SteadyGuests(profile.seed, profile.code, Scale(guests=0))
        if "level-3" in profile.features:
            return SteadyGuests(profile.seed, profile.code, Scale(guests=1))
        if profile.scale.steady:
            return SteadyGuests(profile.seed, profile.code, profile.scale)
        return Guests(profile.seed, profile.code, daily=profile.daily_guests, market_day=self._flow.market_day)

    # -- what happened ---------------------------------------------------------------

    def set_extra_events(self, events: tuple[Event, ...]) -> None:
        """Put faults that a test or a demo asked for on top of the drawn events."""
        self.calendar.extra = events
        self._meters.clear()

    def events_between(self, start: float, end: float) -> list[Event]:
        """Everything that goes wrong in a span, in order of start."""
        return self.calendar.between(start, end)

    def _now(self, when: float) -> frozenset[EventKind]:
        return self.calendar.segment(when).kinds

    def router_is_up(self, when: float) -> bool:
        """Has the router electricity and finished booting?"""
        kinds = self._now(when)
        return EventKind.POWER_CUT not in kinds and EventKind.REBOOT not in kinds

    def router_answers_at(self, when: float) -> bool:
        """Is it up and not hanging?"""
        return self.router_is_up(when) and EventKind.HANG not in self._now(when)

    def ont_is_up(self, when: float) -> bool:
        """Does the ONT (or the router, when the stick sits in its cage) answer?"""
        if self._ont_is_router:
            return self.router_answers_at(when)
        return not self._now(when) & _ONT_AWAY

    # -- light, air, noise -----------------------------------------------------------

    def light_dbm(self, when: float) -> float:
        """Received light when the fibre is whole, dBm; two decimals as units report it."""
        profile = self.profile
        days = when / 86_400
        phase = 2 * pi * unit(self._key, 1)
        level = profile.base_rx_dbm
        level += 0.25 * sin(2 * pi * days / 37 + phase) + 0.12 * sin(2 * pi * days / 9.7 + 2 * phase)
        # Warm afternoons move the level by some tenths of a dB (unconfirmed size).
        level += 0.10 * sin(2 * pi * (days - 1 / 3))
        level += 0.06 * (unit(self._key ^ 0x11, int(when // 300)) - 0.5)
        if profile.degrading:
            age = (when + unit(self._key, 2) * _DEGRADING_PERIOD) % _DEGRADING_PERIOD
            level -= 8.5 * (age / _DEGRADING_PERIOD) ** 1.4
        if profile.ageing_since is not None:
            slow, fast = _AGEING_DB_A_DAY
            a_day = slow + (fast - slow) * unit(self._key, 5)
            level -= min(max(when - profile.ageing_since, 0.0) / 86_400 * a_day, _AGEING_MOST_DB)
        return round(level, 2)

    def _busy(self, when: float) -> float:
        day, hour = local_hour(when)
        office = office_weight(day, hour)
        return 0.5 * office + 0.5 * guest_weight(day, hour, self._flow.market_day)

    def _volume(self, boot: float, when: float) -> Volume:
        segment = self.calendar.segment(when)
        meter = self._meters.get((boot, segment))
        if meter is None:
            if len(self._meters) > 8:
                self._meters.clear()
            meter = self._meters[boot, segment] = Meter(self._flow, self.calendar, boot, segment)
        down = meter.read(when)
        return Volume(down, 0.14 * down, when - boot)

    # -- the whole state -------------------------------------------------------------

    def state_at(self, when: float) -> VillageState:
        """The truth at one instant (Unix seconds)."""
        segment = self.calendar.segment(when)
        kinds, boot = segment.kinds, segment.boot
        power = EventKind.POWER_CUT not in kinds
        router_up = power and EventKind.REBOOT not in kinds
        fibre_up = EventKind.FIBRE_CUT not in kinds
        line_up = not kinds & CARRIER_ENDING
        light = self._light(when, kinds)
        internet_up = router_up and line_up and not kinds & self._line_enders
        ont_boot = boot if self._ont_is_router else segment.ont_back
        busy, guests = self._busy(when), self.guests.count("all", when)
        noise = unit(self._key ^ 0x22, int(when // 30))
        loss = self._loss(light, internet_up)
        router = self.profile.router
        warm = 4 * sin(2 * pi * (when / 86_400 - 1 / 12))
        return VillageState(
            time=when,
            power=power,
            router_up=router_up,
            router_answers=self.router_answers_at(when),
            ont_up=self.ont_is_up(when),
            fibre_up=fibre_up,
            line_up=line_up,
            provider_up=not kinds & self._line_enders,
            internet_up=internet_up,
            boot_time=boot,
            uptime_seconds=int(when - boot),
            ont_boot_time=ont_boot,
            ont_uptime_seconds=int(when - ont_boot),
            cpu_load_percent=min(100, int(2 + 46 * busy + 14 * noise)),
            free_memory_bytes=int(router.memory_bytes * (0.62 - 0.18 * busy - 0.02 * noise)),
            free_storage_bytes=int(router.disk_bytes * 0.41) // 4096 * 4096,
            temperature_celsius=round(43 + 5 * busy + warm),
            voltage_volts=round(24.1 + 0.3 * noise, 1),
            hotspot_active=self.guests.count("login", when),
            hotspot_hosts=guests + BYPASSED_HOSTS * self.has_hotspot,
            dhcp_leases=self.guests.count("lease", when) + BYPASSED_HOSTS,
            wireless_clients=guests if self.has_radio else 0,
            rx_power_dbm=light,
            tx_power_dbm=round(2.1 + 0.4 * unit(self._key, 3), 2) if fibre_up else None,
            ont_temperature_celsius=round(47 + warm + 3 * noise, 2),
            ont_voltage_volts=round(3.27 + 0.02 * noise, 3),
            ont_bias_milliamperes=round(11 + 3 * unit(self._key, 4), 1) if fibre_up else 0.0,
            gateway_ping_ms=round(1.1 + 2 * noise + 4 * busy, 3) if router_up and line_up else None,
            internet_ping_ms=_far_ms(busy, noise, kinds) if internet_up and loss < 100 else None,
            packet_loss_percent=loss,
            interfaces=self._counted(self.plan, boot, when, wan_up=line_up and power),
            ont_interfaces=self._counted(self.ont_plan, ont_boot, when, wan_up=fibre_up),
        )

    def _light(self, when: float, kinds: frozenset[EventKind]) -> float:
        if EventKind.FIBRE_CUT in kinds:
            return NO_LIGHT_DBM
        return _BENT_DBM if EventKind.BEND in kinds else self.light_dbm(when)

    @staticmethod
    def _loss(light: float, internet_up: bool) -> int:
        if not internet_up:
            return 100
        # A soft step: half a dB below the limit some frames are lost, 2 dB below nearly all.
        return round(100 / (1 + exp((light - WEAK_LIGHT_DBM + 1.2) * 4)))

    def _counted(
        self, plan: tuple[InterfacePlan, ...], boot: float, when: float, *, wan_up: bool
    ) -> tuple[InterfaceCounters, ...]:
        plain = self._since_boot(plan, boot, when, wan_up=wan_up)
        moved = {EventKind.COUNTER_WRAP: COUNTER_MODULUS - WRAP_MARGIN_BYTES, EventKind.COUNTER_RESET: 0}
        marks = [e for e in self.calendar.extra if e.kind in moved and boot < e.start <= when]
        if not marks:
            return plain
        mark = max(marks)
        before = self._since_boot(plan, boot, mark.start, wan_up=wan_up)
        return tuple(_shifted(now, then, moved[mark.kind]) for now, then in zip(plain, before, strict=True))

    def _since_boot(
        self, plan: tuple[InterfacePlan, ...], boot: float, when: float, *, wan_up: bool
    ) -> tuple[InterfaceCounters, ...]:
        segment = self.calendar.segment(when)
        found = counters(plan, self._volume(boot, when), wan_up, len(segment.cuts))
        if not self.profile.dialled or plan is not self.plan:
            return found
        # A dialled line counts from its own beginning, whatever happened to the port below it.
        line = tuple(port for port in plan if port.name == DIALLED)
        up = not segment.kinds & LINE_ENDING and wan_up
        anew = counters(line, self._volume(max(boot, segment.dial), when), up, len(segment.drops))
        return tuple(anew[0] if port.name == DIALLED else port for port in found)

    def visits(self, when: float) -> list[Visit]:
        """Devices on the wifi now."""
        return self.guests.present(when)


def _far_ms(busy: float, noise: float, kinds: frozenset[EventKind]) -> float:
    slow = _SLOW_MS if EventKind.SLOW in kinds else 0.0
    return round(9 + 7 * noise + 22 * busy**3 + slow, 3)


# How far below 2^64 the counters stand when the fault begins: a few seconds of traffic.
WRAP_MARGIN_BYTES = 3_000_000


def _shifted(now: InterfaceCounters, then: InterfaceCounters, offset: int) -> InterfaceCounters:
    # A line dialled since then has less than it had: it has nothing to take off.
    base = then if now.rx_bytes >= then.rx_bytes else now._replace(rx_bytes=0, tx_bytes=0, rx_packets=0, tx_packets=0)
    packets = 0 if offset else 1
    return now._replace(
        rx_bytes=(now.rx_bytes - base.rx_bytes + offset) % COUNTER_MODULUS,
        tx_bytes=(now.tx_bytes - base.tx_bytes + offset) % COUNTER_MODULUS,
        rx_packets=now.rx_packets - packets * base.rx_packets,
        tx_packets=now.tx_packets - packets * base.tx_packets,
    )
