"""A day read by the column is the day read reading by reading: whatever stands in it, and wherever its digits move."""

import random
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.measurement.digests import Digest, digest, digest_of
from kampungnet.measurement.ledger import HOUSE
from kampungnet.measurement.packing import Kept, Shared, pack, texts
from kampungnet.measurement.told import FEW, told
from kampungnet.shared import wire
from tests.support.server import router_body
from tests.support.wire_values import values_of

START: Final = 1_785_430_800_000
MINUTE: Final = 60_000
READING: Final = msgspec.json.Decoder(wire.Reading)
_DIGIT: Final = re.compile(rb"\d")


def _said(found: Digest) -> tuple[Any, ...]:
    return found.untimed, found.series, found.lines, found.edges, found.books({}, {}, HOUSE)


def _check(kept: Sequence[Kept]) -> list[Shared]:
    found = texts(pack(kept))
    assert _said(digest_of(found)) == _said(digest(kept))
    return found


def _reading(number: int, body: wire.Body | None, **more: Any) -> wire.Reading:
    outcome = wire.Outcome.OK if body else wire.Outcome.UNREACHABLE
    whole = {"device_uptime_seconds": 86_400 + number * 60} | more
    return wire.Reading("boot-1", number + 1, "router", 1, number * MINUTE, outcome, 7, body=body, **whole)


def _kept(bodies: Sequence[wire.Body | None], **more: Any) -> list[Kept]:
    return [
        Kept(START + n * MINUTE, 2, msgspec.json.encode(_reading(n, body, **more))) for n, body in enumerate(bodies)
    ]


def _ping(sent: int, received: int, rtt_ms: float = 1.0, target: str = "internet") -> wire.Ping:
    return wire.Ping(target, "10.0.0.1", sent, received, rtt_ms)


def _router(number: int, **more: Any) -> wire.RouterBody:
    ports = [
        wire.CounterReading("ether1", "ether", rx_bytes=98_000 + number * 701, tx_bytes=900 + number,
                            rx_packets=90 + number, tx_packets=7 + number),
        wire.CounterReading("bridge-1", "bridge", rx_bytes=number * number, tx_bytes=5),
        wire.CounterReading("ether2", "ether", rx_bytes=number, tx_bytes=5),
    ]  # fmt: skip
    whole: dict[str, Any] = {
        "interfaces": ports, "wan_interface": "ether1", "cpu_load_percent": number % 101,
        "hotspot_sessions": 95 + number, "sensors": [wire.Sensor("cpu", 39.5 + number / 10, "C")],
        "pings": [_ping(3, 3, target="gateway"), _ping(3, number % 4, 9.5 + number)],
    }  # fmt: skip
    return router_body(**(whole | more))


def _ont(number: int) -> wire.OntBody:
    ports = [wire.CounterReading("pon", "gpon", rx_bytes=10**9 + number, tx_bytes=number, instance="7")]
    return wire.OntBody(rx_power_dbm=-19.5 - number / 100, tx_power_dbm=2, temperature_celsius=45, interfaces=ports)


def _camera(number: int) -> wire.HostBody:
    pings = [wire.Ping("device", "10.5.0.2", 3, 3, number / 7)]
    return wire.HostBody(
        wire.Purpose.CAMERA, pings=pings, interfaces=[wire.CounterReading("eth0", rx_bytes=number, tx_bytes=1)]
    )


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([_router(n) for n in range(1, 60)], id="router"),
        pytest.param([_ont(n) for n in range(1, 60)], id="ont"),
        pytest.param([_camera(n) for n in range(1, 60)], id="camera"),
        pytest.param([None] * 30, id="unreachable"),
        pytest.param([_router(n, interfaces=[]) for n in range(30)], id="no counters"),
        pytest.param(
            [
                _router(n, wan_interface="pppoe", pppoe=[wire.PppoeLine("pppoe", uptime_seconds=40 + n * 60 % 900)],
                        interfaces=[wire.CounterReading("pppoe", "pppoe-out", rx_bytes=n * 9, tx_bytes=n)])
                for n in range(40)
            ],
            id="redialled",
        ),
        pytest.param(
            [wire.OntBody(interfaces=[wire.CounterReading("a", rx_bytes=n * 10**8 % 2**32, tx_bytes=n, counter_bits=32,
                                                           rx_packets=n, tx_packets=n)]) for n in range(90)],
            id="32 bits",
        ),
    ],
)  # fmt: skip
def test_quiet_days_of_every_kind_are_read_by_the_column(bodies: Sequence[wire.Body | None]) -> None:
    found = _check(_kept(bodies))
    assert any(told(text) for text in found)
    assert all(told(text) or text.length <= FEW for text in found)


def test_readings_of_several_texts_that_take_turns_are_one_day() -> None:
    bodies = [None if n % 7 == 0 else _router(n, cpu_load_percent=None if n % 2 else 50) for n in range(120)]
    found = _check(_kept(bodies))
    assert len(found) > 2
    assert all(map(told, found))


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([_router(n, wan_interface=f"ether{n % 2 + 1}") for n in range(30)], id="the line changes"),
        pytest.param([_router(n, pings=[_ping(n % 2, n % 2)]) for n in range(30)], id="sent"),
        pytest.param([_router(n, sensors=[wire.Sensor("t", 195 + n, "C")]) for n in range(30)], id="a broken sensor"),
        pytest.param([_router(n, sensors=[wire.Sensor("t", 1.7e308, "C")]) for n in range(30)], id="beyond measure"),
        pytest.param(
            [_router(n, interfaces=[wire.CounterReading("ether1", rx_bytes=n, tx_bytes=n)] * 2) for n in range(30)],
            id="an interface twice",
        ),
        pytest.param(
            [_router(n, interfaces=[wire.CounterReading(f"ether{n % 3}", rx_bytes=n, tx_bytes=n)], wan_interface="")
             for n in range(30)],
            id="names",
        ),
        pytest.param(
            [_router(n, interfaces=[wire.CounterReading("ether1", rx_bytes=n, tx_bytes=n, instance=str(n % 2))])
             for n in range(30)],
            id="another interface of the same name",
        ),
        pytest.param([wire.OltBody(onus=[wire.Onu("ZTEG1234", light_age_seconds=n)]) for n in range(30)], id="an OLT"),
    ],
)  # fmt: skip
def test_where_digits_move_that_change_what_a_reading_is_each_is_read_by_itself(bodies: Sequence[wire.Body]) -> None:
    found = _check(_kept(bodies))
    assert not any(map(told, found))


def test_repeats_contradictions_and_readings_without_a_time_count_as_ever() -> None:
    kept = _kept([_router(n) for n in range(40)])
    clash = msgspec.structs.replace(kept[9], payload=kept[11].payload)
    untimed = [msgspec.structs.replace(one, time_quality=-1) for one in kept[20:25]]
    _check([*kept, *kept[:10], clash, *untimed])
    _check([*kept[:20], *untimed, *kept[25:]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb'"sequence":(\d+)', rb'"sequence":7, "sequence" : \1'),
        (rb'"rx_bytes":(\d+)', rb'"rx_bytes":1,"new":{"rx_bytes":[\1]},"rx_bytes":\1'),
        (rb'"cpu_load_percent":(\d+)', rb'"new1":\1,"new2":[1.5e3,"\\u0031\1"],"cpu_load_percent":\1'),
        (rb'"value":([\d.]+)', rb'"value":\g<1>0e-0'),
        (rb'"rtt_ms":([\d.]+)', rb'"rtt_ms":\g<1>00000000000000000000001'),
        (rb'"detail":""', rb'"detail":"12345678901234567890123456789"'),
    ],
)
def test_json_written_in_other_ways_says_the_same(old: bytes, new: bytes) -> None:
    kept = _kept([_router(n) for n in range(40)])
    _check([msgspec.structs.replace(one, payload=re.sub(old, new, one.payload)) for one in kept])


@settings(max_examples=300, deadline=None)
@given(
    reading=values_of(wire.Reading)
    | st.sampled_from([_reading(5, body) for body in (_router(5), _ont(5), _camera(5))]),
    number=st.integers(1, 12),
    share=st.sampled_from([0.02, 0.2, 0.9]),
    seed=st.integers(0, 2**32),
)
def test_digits_may_move_anywhere(reading: wire.Reading, number: int, share: float, seed: int) -> None:
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
        kept.append(
            Kept(START + n * dice.choice([MINUTE, 7 * MINUTE]), dice.choice([2, 2, 2, 2, 1, -1]), bytes(payload))
        )
    _check(kept)
