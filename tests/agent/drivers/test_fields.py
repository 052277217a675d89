"""Values of sections 4 and 5 of the facts on RouterOS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet_agent.drivers import fields
from kampungnet_agent.drivers.address import split_address


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"1w4d23h26m9s", 1034769),
        (b"5h49m36s", 20976),
        (b"1m30s", 90),
        (b"0s", 0),
        (b"01:22:53", 4973),
        (b"1d02:03:04", 93784),
        (b"never", None),
        (b"none", None),
        (b"", None),
        (None, None),
    ],
)
def test_uptime_is_read_in_every_format_a_router_ever_printed(raw: bytes | None, expected: int | None) -> None:
    assert fields.seconds(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"), [(b"9ms445us", 9.445), (b"170ms", 170), (b"16s330ms", 16330), (b"0ms", 0)]
)
def test_short_durations_keep_microseconds(raw: bytes, expected: float) -> None:
    assert fields.milliseconds(raw) == pytest.approx(expected)


def test_a_name_of_digits_or_yes_stays_text() -> None:
    assert fields.text(b"628123") == "628123"
    assert fields.text(b"yes") == "yes"


def test_text_is_utf_8_else_latin_1_and_never_holds_nul() -> None:
    assert fields.text("Café Bu Tini".encode()) == "Café Bu Tini"
    assert fields.text("Café".encode("latin-1")) == "Café"
    assert fields.text(b"Balai\0\0\0") == "Balai"


def test_missing_is_not_zero() -> None:
    assert fields.count(None) is None
    assert fields.count(b"") is None
    assert fields.count(b"-1") is None
    assert fields.count(b"0") == 0


def test_a_counter_beyond_64_bits_is_no_counter() -> None:
    assert fields.count(b"9223372036854775807") == 2**63 - 1
    assert fields.count(b"9223372036854775808") is None
    assert fields.count(b"9" * 5000) is None


@given(st.lists(st.none() | st.binary(max_size=3) | st.integers(0, 2**65).map(lambda one: b"%d" % one), max_size=5))
def test_several_counters_of_a_row_are_read_as_each_alone(raws: list[bytes | None]) -> None:
    assert fields.counts(raws) == [fields.count(raw) for raw in raws]


def test_units_are_split_from_numbers() -> None:
    assert fields.number_and_unit(b"23.8") == (23.8, "")
    assert fields.number_and_unit(b"-12.5dBm") == (-12.5, "dBm")
    assert fields.number_and_unit(b"ok") is None
    assert fields.number_and_unit(b"nan") is None


def test_an_excerpt_is_printable_short_and_stops_before_a_password() -> None:
    assert fields.excerpt(b"HTTP/1.1 400\r\n") == "HTTP/1.1 400.."
    assert len(fields.excerpt(b"x" * 5000)) == 120
    assert "rahasia" not in fields.excerpt(b"/login =name=a =password=rahasia")


@given(st.binary(max_size=60))
def test_no_bytes_make_a_conversion_raise(raw: bytes) -> None:
    assert len(fields.text(raw)) <= 200
    fields.seconds(raw)
    fields.number_and_unit(raw)
    fields.percent(raw)
    value = fields.count(raw)
    assert value is None or 0 <= value <= fields.LARGEST_COUNT


def test_addresses_come_with_and_without_port_and_in_brackets() -> None:
    assert split_address("192.168.88.1:8728", 1) == ("192.168.88.1", 8728)
    assert split_address("router.lan", 8728) == ("router.lan", 8728)
    assert split_address("[fe80::1]:8729", 1) == ("fe80::1", 8729)
    assert split_address("fe80::1", 161) == ("fe80::1", 161)
    for wrong in ("", ":8728", "router:0", "router:99999", "router:port"):
        with pytest.raises(ValueError, match=r".+"):
            split_address(wrong, 1)
