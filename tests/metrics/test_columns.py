"""A day pushed by the column is the day pushed reading by reading: the same series, instants and values, to the bit."""

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.devices.models import AssignedOnu
from kampungnet.measurement.packing import Kept, pack, texts
from kampungnet.metrics import remote_write
from kampungnet.metrics.backlog import Places, Rested, polls, polls_of_pack
from kampungnet.metrics.columns import FEW
from kampungnet.metrics.sending import When
from kampungnet.metrics.series import Gatherer, Place, Taken
from kampungnet.shared import wire
from tests.support.server import router_body
from tests.support.wire_values import values_of

START: Final = 1_785_430_800_000
MINUTE: Final = 60_000
NOW: Final = When(START + 86_400_000, 7 * 86_400_000)
READING: Final = msgspec.json.Decoder(wire.Reading)
SERIAL: Final = "ZTEGC1234567"
_DIGIT: Final = re.compile(rb"\d")

Said = dict[str, list[bytes]]


def _places() -> Places:
    found = Places(
        {"site": Place("35.10", "35.10.15", "35.10.15.2012"), "far": Place("35.10", "35.10.16", "35.10.16.1")}
    )
    found.onus["site", "box"][SERIAL] = AssignedOnu(site="far", device="ont@olt", since_ms=START + 5 * MINUTE)
    return found


def _given(gatherer: Gatherer) -> Said:
    found: Said = defaultdict(list)
    size = remote_write.SAMPLE_BYTES
    for parts in gatherer.given(1_000):
        for part in parts:
            found[str(part.of)] += [part.samples[at : at + size] for at in range(0, len(part.samples), size)]
    return found


def _one_by_one(kept: Sequence[Kept]) -> Said:
    gatherer = Gatherer()
    for taken in polls(_places(), "site", "box", sorted(kept, key=lambda one: one.taken_ms)):
        gatherer.take(taken)
    return _given(gatherer)


def _check(kept: Sequence[Kept], when: When = NOW) -> list[Taken]:
    rested = Rested(("agent", "box", date(2026, 7, 31), 0), "site", 0)
    together = list(polls_of_pack(_places(), rested, texts(pack(kept)), when))
    gatherer = Gatherer()
    gatherer.take_day(1, together)
    assert _given(gatherer) == _one_by_one(kept)
    return together


def _kept(bodies: Sequence[wire.Body | None]) -> list[Kept]:
    readings = [
        wire.Reading("boot-1", n + 1, "box", 1, n * MINUTE, wire.Outcome.OK if body else wire.Outcome.UNREACHABLE, 7,
                     body=body, device_uptime_seconds=95 + n * 60)
        for n, body in enumerate(bodies)
    ]  # fmt: skip
    return [Kept(START + n * MINUTE, 2, msgspec.json.encode(one)) for n, one in enumerate(readings)]


def _ping(target: str, received: int, rtt_ms: float) -> wire.Ping:
    return wire.Ping(target, "10.0.0.1", 3, received, rtt_ms)


def _router(number: int, **more: Any) -> wire.RouterBody:
    ports = [
        wire.CounterReading("ether1", "ether", running=True, rx_bytes=98_000 + number * 701, tx_bytes=900 + number),
        wire.CounterReading("ether2", "ether", running=True, rx_bytes=number, tx_bytes=2**60 + number),
    ]
    whole: dict[str, Any] = {
        "interfaces": ports, "wan_interface": "ether1", "cpu_load_percent": number % 101,
        "hotspot_sessions": 95 + number, "sensors": [wire.Sensor("cpu", 39.5 + number / 10, "C")],
        "pings": [_ping("gateway", 3, 0.25), _ping("internet", number % 4, 9 + number / 7)],
        "lights": [wire.Light("ether1", rx_power_dbm=-9.5 - number / 100)],
    }  # fmt: skip
    return router_body(**(whole | more))


def _olt(number: int, serial: str = SERIAL) -> wire.OltBody:
    return wire.OltBody(
        onus=[wire.Onu(serial, state=wire.OnuState.ONLINE, rx_power_dbm=-20 - number / 10), wire.Onu("X")]
    )


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([_router(n) for n in range(60)], id="router"),
        pytest.param([wire.OntBody(rx_power_dbm=-0.5 + n / 100, tx_power_dbm=2) for n in range(60)], id="ont"),
        pytest.param([wire.HostBody(wire.Purpose.CAMERA, pings=[wire.Ping("device", "10.5.0.2", 3, 3, n / 7)])
                      for n in range(60)], id="camera"),
        pytest.param([wire.PortalBody(running=True, check=[wire.CheckStep("dns", good=True)])] * 30, id="portal"),
        pytest.param([None] * 30, id="unreachable"),
    ],
)  # fmt: skip
def test_quiet_days_of_every_kind_are_pushed_by_the_column(bodies: Sequence[wire.Body | None]) -> None:
    """All but the few readings of texts that hardly occur."""
    alone = [taken for taken in _check(_kept(bodies)) if len(taken.times) == 1]
    assert len(alone) <= 2 * FEW


def test_readings_of_several_texts_that_take_turns_stay_in_order_and_end_what_is_gone() -> None:
    """A series that every seventh reading does not say ends there, and begins again."""
    bodies = [None if n % 7 == 0 else _router(n, cpu_load_percent=None if n % 2 else 50) for n in range(120)]
    assert len(_check(_kept(bodies))) < 60


def test_two_ports_of_one_name_are_one_series_in_order() -> None:
    """A store would refuse what comes before what it has."""
    port = wire.CounterReading("ether2", "ether", running=True, rx_bytes=5, tx_bytes=7)
    _check(_kept([_router(n, interfaces=[port, port]) for n in range(30)]))


def test_an_onu_that_an_olt_tells_of_is_its_villages_from_the_day_it_was_given_to_it() -> None:
    """Readings from before are not its own."""
    told = _check(_kept([_olt(n % 5) for n in range(30)]))
    assert {taken.labels["village"] for taken in told} == {"35.10.15.2012", "35.10.16.1"}


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([_router(n, wan_interface=f"ether{n % 2 + 1}") for n in range(30)], id="the line changes"),
        pytest.param([_router(n, pings=[wire.Ping("internet", "", n % 2, n % 2, 1.0)]) for n in range(30)], id="sent"),
        pytest.param([_router(n, version=f"7.{n}") for n in range(30)], id="a label moves"),
        pytest.param([_router(n, sensors=[wire.Sensor("a", 40 + n % 3, "C"), wire.Sensor("b", 41, "C")])
                      for n in range(30)], id="the hottest changes"),
        pytest.param([_olt(n, f"ZTEGC123456{n % 10}") for n in range(30)], id="a serial number moves"),
    ],
)  # fmt: skip
def test_where_digits_move_that_change_which_series_there_are_each_is_mapped_by_itself(bodies: list[wire.Body]) -> None:
    """And then it says the same."""
    _check(_kept(bodies))


def test_a_text_of_which_the_store_takes_a_part_only_is_mapped_one_by_one() -> None:
    """What is before the window is left out later, reading by reading."""
    kept = _kept([_router(n) for n in range(60)])
    together = _check(kept, When(START + 30 * MINUTE + 3_600_000, 3_600_000 * 2))
    assert all(len(taken.times) == 1 for taken in together)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb'"rx_bytes":(\d+)', rb'"rx_bytes":1,"new":{"rx_bytes":[\1]},"rx_bytes":\1'),
        (rb'"cpu_load_percent":(\d+)', rb'"new1":\1,"new2":[1.5e3,"\\u0031\1"],"cpu_load_percent":\1'),
        (rb'"value":([\d.]+)', rb'"value":\g<1>0e-0'),
        (rb'"rtt_ms":([\d.]+)', rb'"rtt_ms":\g<1>00000000000000000000001'),
    ],
)
def test_json_written_in_other_ways_says_the_same(old: bytes, new: bytes) -> None:
    """Names twice, fields of a later version, exponents, endless fractions."""
    kept = _kept([_router(n) for n in range(40)])
    _check([msgspec.structs.replace(one, payload=re.sub(old, new, one.payload)) for one in kept])


@settings(max_examples=150, deadline=None)
@given(
    reading=values_of(wire.Reading)
    | st.sampled_from([_kept([body])[0].reading() for body in (_router(5), _olt(5))]),
    number=st.integers(FEW, FEW + 4),
    share=st.sampled_from([0.02, 0.2, 0.9]),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_digits_may_move_anywhere(reading: wire.Reading, number: int, share: float, seed: int) -> None:
    """Whatever they are part of."""
    dice = random.Random(seed)
    text = msgspec.json.encode(reading)
    moving = [match.start() for match in _DIGIT.finditer(text) if dice.random() < share]
    kept = [Kept(START, 2, text)]
    for n in range(1, number):
        payload = bytearray(text)
        for place in moving:
            payload[place] = ord(dice.choice("0123456789"))
        try:
            READING.decode(payload)
        except wire.UNREADABLE:
            continue
        kept.append(Kept(START + n * MINUTE, dice.choice([2, 2, 2, 2, 2, 2, 2, 2, 1, -1]), bytes(payload)))
    _check(kept)
