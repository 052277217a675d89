"""Pure: the devices of a village as its page lists them. Everything a device says of itself is hostile text."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kampungnet.core.languages import N_, Language
from kampungnet.devices.bodies import Body, OnuSeen, grade_of, is_onu, kind_of, model_of, version_of
from kampungnet.devices.models import Device
from kampungnet.measurement import states, untold
from kampungnet.measurement.slots import Slots
from kampungnet.shared import wire

MOST_MISSING: Final = 12
KIND_WORDS: Final = {
    "router": N_("Router"), "ont": N_("Fibre modem (ONT)"), "olt": N_("The provider's OLT"), "camera": N_("Camera"),
    "access_point": N_("Access point"), "portal": N_("Wifi portal"),
    "other": N_("Device"),
}  # fmt: skip
USUAL_KINDS: Final = {"router", "ont"}
CAUSE_WORDS: Final = {
    wire.DownCause.LOS: N_("no light"),
    wire.DownCause.DYING_GASP: N_("its power went"),
    wire.DownCause.SIGNAL: N_("too many errors on the light"),
    wire.DownCause.RESET: N_("it was restarted"),
    wire.DownCause.DEACTIVATED: N_("the provider switched it off"),
    wire.DownCause.REFUSED: N_("the OLT did not accept it"),
    wire.DownCause.OTHER: N_("another cause"),
}
Facts = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """A device as the page shows it."""

    kind: str
    now: str
    is_up: bool
    is_old: bool
    facts: tuple[tuple[str, str], ...]
    grade: str
    grade_words: str
    nothing: str
    """The sentence for a modem that tells nothing, else empty."""
    missing: tuple[str, ...]
    """What it or its rights could not give."""


def card(device: Device, body: Body | None, day: Mapping[str, Slots], language: Language, now_ms: int) -> DeviceCard:
    """Return one device; ``day`` is what was measured of it in the last 24 hours.

    What an OLT could not tell names modems of other villages: it is not for everybody who sees this page.
    """
    kind = device.kind or (device.name if device.name in KIND_WORDS else "other")
    words = language.say(KIND_WORDS[kind])
    if kind not in USUAL_KINDS and device.name.replace("-", "_") != kind:  # of those a village may have several
        words += f" {device.name}"
    grade = states.GRADE_WORDS[found] if (found := grade_of(body)) else ("", "")
    is_silent = states.is_stale(device.last_reading_ms, now_ms)
    return DeviceCard(
        kind=language.say("%(kind)s, as the OLT sees it", kind=words) if is_onu(device.name) else words,
        now=language.say("no news") if is_silent else _now(device, body, language), is_up=_is_up(device, body),
        is_old=states.is_stale(device.last_ok_ms, now_ms),
        facts=tuple(_facts(device, body, day, language, now_ms)),
        grade=language.say(grade[0]), grade_words=language.say(grade[1]),
        nothing=_nothing(kind, device, body, language),
        missing=_untold(body, language),
    )  # fmt: skip


def _untold(body: Body | None, language: Language) -> tuple[str, ...]:
    if body is None or isinstance(body, OnuSeen | wire.OltBody):
        return ()
    return tuple(untold.listed(body.missing[:MOST_MISSING], language))


def tells_nothing(body: Body | None) -> bool:
    """Tell whether a modem gave nothing that says how its fibre is."""
    if isinstance(body, wire.OntBody):
        return body.rx_power_dbm is None and not body.no_light and body.link_up is None and not body.registration
    return body is None


def _nothing(kind: str, device: Device, body: Body | None, language: Language) -> str:
    if kind != "ont" or is_onu(device.name) or not tells_nothing(body):
        return ""
    return language.say(
        "This ONT gives no data. What is wrong is judged from the router, the box and the neighbouring villages."
    )


def _is_up(device: Device, body: Body | None) -> bool:
    if isinstance(body, OnuSeen):
        return body.onu.state is wire.OnuState.ONLINE
    return device.outcome == wire.Outcome.OK


def _now(device: Device, body: Body | None, language: Language) -> str:
    if isinstance(body, OnuSeen):
        return language.say(states.ONU_WORDS[body.onu.state])
    return states.outcome_words(device.outcome, language)


def _facts(device: Device, body: Body | None, day: Mapping[str, Slots], language: Language, now_ms: int) -> Facts:
    say = language.say
    yield say("Last answer"), language.age(device.last_ok_ms, now_ms)
    if body is not None:
        yield from _own_words(body, language)
        yield from _latency(body, language)
        yield from _by_kind(body, language)
    yield from _traffic(day, language)
    if device.uptime_seconds is not None:
        yield say("Running for"), language.duration(device.uptime_seconds)


def _own_words(body: Body, language: Language) -> Facts:
    name = body.identity if isinstance(body, wire.RouterBody) else body.name if isinstance(body, wire.HostBody) else ""
    for words, value in ((N_("Name"), name), (N_("Model"), model_of(body)), (N_("Version"), version_of(body))):
        if value:
            yield language.say(words), value


def _latency(body: Body, language: Language) -> Facts:
    pings = body.pings if isinstance(body, wire.RouterBody | wire.HostBody) else ()
    for ping in pings:
        if ping.target in {"internet", "device"} and ping.rtt_ms is not None:
            words = language.say("Latency to the internet") if ping.target == "internet" else language.say("Latency")
            yield words, f"{language.short(ping.rtt_ms)} ms"


def _by_kind(body: Body, language: Language) -> Facts:
    if isinstance(body, wire.HostBody):
        yield from _host(body, language)
    elif isinstance(body, wire.OltBody):
        off = sum(onu.state is not wire.OnuState.ONLINE for onu in body.onus)
        yield (
            language.say("ONUs"),
            language.say(
                "%(all)s, of them %(off)s not at work", all=language.number(len(body.onus)), off=language.number(off)
            ),
        )
    elif isinstance(body, OnuSeen):
        yield from _onu(body.onu, language)


def _host(body: wire.HostBody, language: Language) -> Facts:
    for service in body.services:
        answers = language.say("answers") if service.answers else language.say("does not answer")
        yield f"{service.name} ({service.port})", answers
    if body.wireless_clients is not None:
        yield language.say("Devices on its wifi"), language.number(body.wireless_clients)


def _onu(onu: wire.Onu, language: Language) -> Facts:
    say = language.say
    yield say("Serial number"), onu.serial
    if onu.port:
        yield say("Port at the OLT"), onu.port
    if onu.olt_rx_power_dbm is not None:
        yield say("Light at the OLT"), states.decibels(language, onu.olt_rx_power_dbm)
    if onu.distance_metres is not None:
        yield say("Length of the fibre"), f"{language.number(onu.distance_metres)} m"
    if onu.last_down_cause is not None:
        # History, not state: an ONU at work keeps the cause of its last stop.
        cause = say(CAUSE_WORDS[onu.last_down_cause])
        told = say("%(what)s (%(time)s by the OLT's clock)", what=cause, time=onu.last_down)
        yield say("Last stop"), told if onu.last_down else cause


def _traffic(day: Mapping[str, Slots], language: Language) -> Facts:
    """Yield what the busiest port moved: the others carry the same bytes once more."""
    moved = {
        name: (sum(values.values()), sum(day.get(f"tx_bytes/{name}", {}).values()))
        for series, values in day.items()
        if series.startswith("rx_bytes/") and (name := series.removeprefix("rx_bytes/"))
    }
    if moved:
        received, sent = max(moved.values(), key=sum)
        yield (
            language.say("In 24 hours"),
            language.say(
                "received %(received)s, sent %(sent)s", received=language.size(received), sent=language.size(sent)
            ),
        )


def needs_day(body: Body | None) -> bool:
    """Tell whether a device has traffic of its own on its card; a router's is the first chart of the page."""
    return body is not None and kind_of(body) in {"camera", "access_point", "other"} | {"ont"} and _has_ports(body)


def _has_ports(body: Body) -> bool:
    ports: Iterable[wire.CounterReading] = body.interfaces if isinstance(body, wire.HostBody | wire.OntBody) else ()
    return any(port.rx_bytes is not None for port in ports)
