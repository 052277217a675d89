"""Interfaces, the light of their modules, dialled lines, radios. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from kampungnet.shared.wire import CounterReading, Light, PppoeLine, Radio

from .fields import boolean, count, counts, number_within, pair, seconds, text
from .mikrotik_answers import Answers, Made, made_of, name_of
from .mikrotik_questions import WIRELESS
from .routeros_sentences import Row

MOST_INTERFACES: Final = 200
MOST_LIGHTS: Final = 32
MOST_RADIOS: Final = 64
MOST_PPPOE: Final = 16

DARK_DBM: Final = -40.0
"""What a module reports when it sees no light at all (facts 7.4)."""
_OVERLOAD_DBM: Final = -3.0
"""No fibre of a PON brings as much; sticks without fibre report such nonsense (facts 7.4)."""
_YES: Final = frozenset({b"true", b"yes"})
_ALWAYS_COUNTED: Final = (b"rx-byte", b"tx-byte", b"rx-packet", b"tx-packet", b"link-downs")
_COUNTED_ON_PORTS: Final = (b"rx-error", b"tx-error", b"rx-drop", b"tx-drop")
"""Bridges and VLANs have none of them."""


def interfaces_of(answers: Answers, wan: str, made: Made[CounterReading]) -> list[CounterReading]:
    """Return every interface, the billed one first when there are too many."""
    rows = [row for row in answers.rows("interfaces") if row.get(b"name")]
    if len(rows) > MOST_INTERFACES:
        # the billed one must not be among those left out
        rows.sort(key=lambda row: text(row[b"name"]) != wan)
    readings = made_of(answers.limited("interfaces", rows, MOST_INTERFACES), counters_of, made)
    if wan and readings and all(reading.interface != wan for reading in readings):
        answers.missing.append(f"wan_interface: the router has no interface {wan!r}")
    return readings


def counters_of(row: Row) -> CounterReading:
    """Return one row of ``/interface/print``: cumulative 64-bit counters, missing is not 0.

    ``.id`` is the instance: a redialled PPPoE line is a new interface of the same name, with new counters.
    """
    get = row.get
    rx_bytes, tx_bytes, rx_packets, tx_packets, link_downs = counts([*map(get, _ALWAYS_COUNTED)])
    rx_errors, tx_errors, rx_drops, tx_drops = counts([*map(get, _COUNTED_ON_PORTS)])
    return CounterReading(
        interface=name_of(row),
        kind=text(get(b"type")),
        running=boolean(get(b"running")),
        disabled=get(b"disabled") in _YES,
        rx_bytes=rx_bytes,
        tx_bytes=tx_bytes,
        rx_packets=rx_packets,
        tx_packets=tx_packets,
        rx_errors=rx_errors,
        tx_errors=tx_errors,
        rx_drops=rx_drops,
        tx_drops=tx_drops,
        link_downs=link_downs,
        last_link_down=text(get(b"last-link-down-time")),
        instance=text(get(b".id")),
    )


def cages_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the ports that can hold a module, by the name the factory gave them."""
    names = ((row.get(b"default-name") or row.get(b"name", b""), text(row.get(b"name"))) for row in rows)
    return tuple(name for made, name in names if name and (b"sfp" in made or b"combo" in made))[:MOST_LIGHTS]


def ports_with_module(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the ports whose cage is not empty."""
    return tuple(text(row.get(b"name")) for row in rows if row.get(b"name") and _has_module(row))


def lights_of(answers: Answers) -> list[Light]:
    """Return the light of every module; who made it was asked rarely, the levels now."""
    makers = {row.get(b"name"): row for row in answers.rows("modules")}
    levels = answers.rows("light") if "light" in answers else list(makers.values())
    return [
        light_of(makers.get(row.get(b"name"), {}) | row) for row in levels if row.get(b"name") and _has_module(row)
    ][:MOST_LIGHTS]


def light_of(row: Row) -> Light:
    """Return one module's levels. A field the module does not measure is absent, which is not 0 dBm."""
    rx = number_within(row.get(b"sfp-rx-power"), -50, 15)
    dark = _is_dark(row, rx)
    maker = (text(row.get(b"sfp-vendor-name")).strip(), text(row.get(b"sfp-vendor-part-number")).strip())
    return Light(
        port=name_of(row),
        module=" ".join(filter(None, maker))[:200],
        serial=text(row.get(b"sfp-vendor-serial")).strip(),
        rx_power_dbm=None if dark else rx,
        tx_power_dbm=number_within(row.get(b"sfp-tx-power"), -39.9, 15),
        no_light=dark,
        wavelength_nm=number_within(row.get(b"sfp-wavelength"), 1, 10_000),
        temperature_celsius=number_within(row.get(b"sfp-temperature"), -60, 200),
        voltage_volts=number_within(row.get(b"sfp-supply-voltage"), 0, 100),
        bias_milliamperes=number_within(row.get(b"sfp-tx-bias-current"), 0, 1000),
    )


def _has_module(row: Row) -> bool:
    present = row.get(b"sfp-module-present")
    return present in _YES if present is not None else b"sfp-rx-power" in row or b"sfp-vendor-name" in row


def _is_dark(row: Row, rx: float | None) -> bool:
    """Tell whether the module sees no light.

    The pin for lost light alone proves nothing: some sticks hold it always (``sfp-ignore-rx-los``
    was made for them). Without link it makes an absent or impossible level credible darkness.
    """
    if rx is not None and rx <= DARK_DBM:
        return True
    lost = row.get(b"sfp-rx-loss") in _YES and row.get(b"status") == b"no-link"
    return lost and (rx is None or rx > _OVERLOAD_DBM)


def dialled_lines(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """Yield name and ``.id`` of the PPPoE clients that are switched on."""
    for row in rows:
        if row.get(b"disabled") not in _YES and row.get(b".id"):
            yield name_of(row), text(row[b".id"])


def pppoe_of(answers: Answers) -> list[PppoeLine]:
    """Return the dialled lines with what their monitor says."""
    rows = answers.limited("pppoe", answers.rows("pppoe"), MOST_PPPOE)
    return [_pppoe_line(row, answers.row(f"pppoe {name_of(row)}")) for row in rows]


def _pppoe_line(row: Row, seen: Row) -> PppoeLine:
    return PppoeLine(
        name=name_of(row),
        running=boolean(row.get(b"running")),
        disabled=row.get(b"disabled") in _YES,
        status=text(seen.get(b"status")),
        uptime_seconds=seconds(seen.get(b"uptime")),
        service=text(seen.get(b"service-name")),
        concentrator=text(seen.get(b"ac-name")),
        mtu=count(seen.get(b"mtu")),
    )


def radios_of(answers: Answers) -> list[Radio]:
    """Return the devices on Wi-Fi added up by interface. No device's address is even asked."""
    by_radio: dict[str, list[Row]] = {}
    for one in WIRELESS:
        for row in answers.rows(f"{one.name} clients"):
            by_radio.setdefault(name_of(row, b"interface"), []).append(row)
    if len(by_radio) > MOST_RADIOS:
        answers.missing.append(f"radios: {len(by_radio)} with clients, {MOST_RADIOS} reported")
    return [_radio(name, by_radio[name]) for name in sorted(by_radio)[:MOST_RADIOS]]


def _radio(name: str, rows: list[Row]) -> Radio:
    signals = [signal for row in rows if (signal := _signal(row)) is not None]
    # tx, rx as the access point sees it (facts 7.10): what it received is what the devices sent
    traffic = [pair(row.get(b"bytes"), b",") for row in rows]
    sent = [tx for tx, _ in traffic if tx is not None]
    received = [rx for _, rx in traffic if rx is not None]
    return Radio(
        interface=name,
        clients=len(rows),
        signal_median_dbm=_median(signals),
        signal_weakest_dbm=min(signals, default=None),
        rx_bytes=min(sum(received), 2**63 - 1) if received else None,
        tx_bytes=min(sum(sent), 2**63 - 1) if sent else None,
    )


def _median(values: list[float]) -> float | None:
    """Return the middle value; the standard module for it costs a small box a megabyte."""
    ordered, middle = sorted(values), len(values) // 2
    if not ordered:
        return None
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _signal(row: Row) -> float | None:
    """Return ``-62``, or the start of ``-62@1Mbps`` of the oldest table."""
    raw = row.get(b"signal") or row.get(b"signal-strength") or row.get(b"rx-signal") or b""
    return number_within(raw.partition(b"@")[0], -150, 50)
