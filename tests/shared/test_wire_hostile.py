"""Hostile values on the wire: refused by name of the field, never a crash, never a value out of bounds."""

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.shared import wire
from tests.support.wire_values import values_of

DIGITS: Final = b"1" + b"0" * 400
DEEP: Final = b"[" * 100_000
READING: Final = b"""{"boot_id":"b","sequence":1,"device":"router","taken_at_ms":1,"boottime_ms":1,"outcome":"ok",
"duration_ms":1,"device_uptime_seconds":1,"detail":"","body":{"kind":"router","cpu_load_percent":1,"identity":"x",
"sensors":[{"name":"t","value":1.5}],"pings":[{"target":"gateway","address":"","sent":1,"received":1,"rtt_ms":1.5}],
"interfaces":[{"interface":"ether1","running":true,"rx_bytes":1}]}}""".replace(b"\n", b"")
REPORT: Final = b"""{"wire_version":1,"agent":"A","sent_at_ms":1,"boot_id":"b","boottime_ms":1,
"clock_synchronised":true,"readings":[],"health":{"dropped_readings":1}}""".replace(b"\n", b"")

NOT_A_COUNT: Final = [b"-1", b"9223372036854775808", DIGITS, b"-" + DIGITS, b"1e400", b"-1e400", b"1.5", b'"1"',
                      b"true", b"[]", b"{}", b"NaN", b"Infinity", b'"NaN"', b"01", b"0x1", b"+1", b"",
                      DEEP]  # fmt: skip
NOT_A_NUMBER: Final = [DIGITS, b"1e400", b"-1e400", b'"1"', b"true", b"[]", b"NaN", b"Infinity", b'"NaN"', b"", DEEP]
NOT_A_TEXT: Final = [b"1", b"null", b"true", b"[]", b"{}", b'"\\ud800"', b'"\\udc00x"', b'"\xff"', b'"\xed\xa0\x80"',
                     b'"open', b'"\n"', b'"\x00"', b"'x'", b'"' + b"x" * 501 + b'"', DEEP]  # fmt: skip
NOT_A_NAME: Final = [*NOT_A_TEXT, b'""', b'"a b"',
                      b'"a\\u0000"', b'"../x"', b'"a\\n"', b'"\xc3\xa9"', b'"' + b"x" * 41 + b'"']  # fmt: skip
NOT_A_FLAG: Final = [b"1", b"0", b'"true"', b"[]", b"True", b"yes", DIGITS, DEEP]
NOT_A_LIST: Final = [b"1", b"null", b"{}", b'"[]"', b"[1]", b"[null]", b"[[]]", b"[", DEEP]

IN_READING: Final = {
    b'"sequence":1': [*NOT_A_COUNT, b"0", b"9007199254740993", b"null"],
    b'"boottime_ms":1': [*NOT_A_COUNT, b"null"],
    b'"duration_ms":1': [*NOT_A_COUNT, b"null"],
    b'"taken_at_ms":1': [*NOT_A_COUNT, b"253402300799001", b"null"],
    b'"device_uptime_seconds":1': NOT_A_COUNT,
    b'"boot_id":"b"': NOT_A_NAME,
    b'"device":"router"': NOT_A_NAME,
    b'"detail":""': NOT_A_TEXT,
    b'"outcome":"ok"': [b'"OK"', b'"fine"', b"0", b"null", b"[]", b'""'],
    b'"kind":"router"': [b'"camera"', b"1", b"null", b"{}", b'"Router"', DEEP],
    b'"cpu_load_percent":1': [*NOT_A_COUNT, b"101"],
    b'"identity":"x"': [*NOT_A_TEXT, b'"' + b"x" * 201 + b'"'],
    b'"value":1.5': [*NOT_A_NUMBER, b"null"],
    b'"rtt_ms":1.5': [*NOT_A_NUMBER, b"-1", b"600001"],
    b'"received":1': [*NOT_A_COUNT, b"null"],
    b'"interface":"ether1"': [*NOT_A_TEXT, b'""', b'"' + b"x" * 101 + b'"'],
    b'"rx_bytes":1': NOT_A_COUNT,
    b'"running":true': NOT_A_FLAG,
}
IN_REPORT: Final = {
    b'"wire_version":1': [*NOT_A_COUNT, b"null", b"2147483649"],
    b'"sent_at_ms":1': [*NOT_A_COUNT, b"253402300799001", b"null"],
    b'"agent":"A"': NOT_A_NAME,
    b'"clock_synchronised":true': [*NOT_A_FLAG, b"null"],
    b'"readings":[]': [*NOT_A_LIST, b"[" + b",".join([READING] * 101) + b"]"],
    b'"dropped_readings":1': [*NOT_A_COUNT, b"null"],
}
HOSTILE_READINGS: Final = [(place, value) for place, values in IN_READING.items() for value in values]
HOSTILE_REPORTS: Final = [(place, value) for place, values in IN_REPORT.items() for value in values]


def _short(value: Any) -> str:
    return repr(value[:30])


def test_what_the_hostile_values_are_put_into_is_good_itself() -> None:
    assert msgspec.json.decode(READING, type=wire.Reading).body is not None
    assert msgspec.json.decode(REPORT, type=wire.Report).agent == "A"


@pytest.mark.parametrize(("place", "value"), HOSTILE_READINGS, ids=_short)
def test_a_reading_with_a_hostile_value_is_refused(place: bytes, value: bytes) -> None:
    assert READING.count(place) == 1
    with pytest.raises(wire.UNREADABLE):
        msgspec.json.decode(READING.replace(place, place.split(b":")[0] + b":" + value), type=wire.Reading)


@pytest.mark.parametrize(("place", "value"), HOSTILE_REPORTS, ids=_short)
def test_a_report_with_a_hostile_value_is_refused(place: bytes, value: bytes) -> None:
    assert REPORT.count(place) == 1
    with pytest.raises(wire.UNREADABLE):
        msgspec.json.decode(REPORT.replace(place, place.split(b":")[0] + b":" + value), type=wire.Report)


@pytest.mark.parametrize("field", [b'"news":', b'"kind":'])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_where_anything_may_stand_is_refused_and_not_a_crash(field: bytes, opening: bytes) -> None:
    with pytest.raises(wire.UNREADABLE):
        msgspec.json.decode(b"{" + field + opening * 100_000, type=wire.Reading)


def test_a_nul_written_out_is_text_like_any_other() -> None:
    reading = msgspec.json.decode(READING.replace(b'"detail":""', b'"detail":"a\\u0000b"'), type=wire.Reading)
    assert reading.detail == "a\0b"


@pytest.mark.parametrize(("field", "most"), [("interfaces", 200), ("sensors", 60), ("pings", 8), ("missing", 40)])
def test_lists_inside_a_reading_have_an_end(field: str, most: int) -> None:
    one = {
        "interfaces": {"interface": "x"},
        "sensors": {"name": "t", "value": 1},
        "pings": {"target": "x", "address": "", "sent": 1, "received": 1},
        "missing": "x",
    }[field]
    body: dict[str, Any] = {"kind": "router", field: [one] * most}
    assert msgspec.convert(body, wire.RouterBody)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body | {field: [one] * (most + 1)}, wire.RouterBody)


@settings(max_examples=40)
@given(report=values_of(wire.Report), data=st.data())
def test_a_truncated_report_is_refused(report: wire.Report, data: st.DataObject) -> None:
    whole = msgspec.json.encode(report)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(whole[:cut], type=wire.Report)


@settings(max_examples=40)
@given(report=values_of(wire.Report), data=st.data())
def test_a_report_with_flipped_bytes_is_refused_or_is_another_valid_report(
    report: wire.Report, data: st.DataObject
) -> None:
    whole = bytearray(msgspec.json.encode(report))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        other = msgspec.json.decode(whole, type=wire.Report)
    except wire.UNREADABLE:
        return
    assert msgspec.convert(msgspec.to_builtins(other), wire.Report) == other


@settings(max_examples=40)
@given(data=st.binary(max_size=200))
def test_any_bytes_at_all_are_refused_or_decoded(data: bytes) -> None:
    for kind in (wire.Envelope, wire.Reading, wire.EnrolmentRequest):
        try:
            msgspec.json.decode(data, type=kind)
        except wire.UNREADABLE:
            continue
