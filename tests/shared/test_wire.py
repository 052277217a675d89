"""The wire keeps what it is given, ignores what it does not know, and holds to what was recorded once."""

import base64
import hashlib
import inspect
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.ingest.envelope import opened
from kampungnet.shared import wire
from tests.support.wire_values import values_of

RECORDED = Path(__file__).parent / "recorded"
STRUCTS = [
    kind
    for _, kind in inspect.getmembers(wire, inspect.isclass)
    if issubclass(kind, msgspec.Struct) and kind not in {msgspec.Struct, wire.Part}
]
RFC8032_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


def test_every_struct_of_the_wire_is_looked_at() -> None:
    assert {"Report", "Envelope", "Reading", "RouterBody", "OntBody", "Receipt", "EnrolmentRequest"} <= {
        kind.__name__ for kind in STRUCTS
    }


@pytest.mark.parametrize("kind", STRUCTS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_sent_arrives_unchanged(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    sent = data.draw(values_of(kind))
    assert msgspec.json.decode(msgspec.json.encode(sent), type=kind) == sent


@pytest.mark.parametrize("kind", STRUCTS)
@settings(max_examples=25)
@given(data=st.data())
def test_fields_of_a_newer_version_are_ignored_at_every_level(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    sent = data.draw(values_of(kind))
    # The envelope's readings are raw: to the envelope they are one value, whatever is inside.
    plain = msgspec.json.decode(msgspec.json.encode(sent))
    newer = plain | {"news": {"a": [1]}} if kind is wire.Envelope else _with_news(plain)
    assert msgspec.json.decode(msgspec.json.encode(newer), type=kind) == sent


@pytest.mark.parametrize("kind", STRUCTS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_default_is_not_sent(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    sent = data.draw(values_of(kind))
    defaults = {f.name: f.default for f in msgspec.structs.fields(kind) if f.default is not msgspec.NODEFAULT}
    on_the_line = msgspec.json.decode(msgspec.json.encode(sent))
    expect = {name for name, default in defaults.items() if getattr(sent, name) is default}
    assert not expect & set(on_the_line)


@settings(max_examples=25)
@given(report=values_of(wire.Report))
def test_a_report_opens_as_an_envelope_whose_raw_readings_are_the_same(report: wire.Report) -> None:
    envelope = msgspec.json.decode(msgspec.json.encode(report), type=wire.Envelope)
    typed = [msgspec.json.decode(raw, type=wire.Reading) for raw in envelope.readings]
    assert typed == report.readings
    assert envelope.health == report.health


@pytest.mark.parametrize("version", range(wire.OLDEST_WIRE_VERSION, wire.WIRE_VERSION + 1))
def test_a_report_of_every_version_is_recorded(version: int) -> None:
    assert (RECORDED / f"report-v{version}.json").is_file()


def test_the_first_recorded_report_must_decode_for_ever() -> None:
    plain = (RECORDED / "report-v1.json").read_bytes()
    report = msgspec.json.decode(plain, type=wire.Report)
    checked = opened(plain, report.agent)
    assert checked.refused == []
    assert [one.reading for one in checked.taken] == report.readings
    router, ont, silent, refused, unreadable = report.readings
    assert isinstance(router.body, wire.RouterBody)
    assert isinstance(ont.body, wire.OntBody)
    assert [one.interface for one in router.body.interfaces] == ["ether1", "wlan1", "bridge-hotspot", "sfp1"]
    assert (router.body.interfaces[0].rx_bytes, router.body.wan_interface) == (918_273_645_546, "ether1")
    assert router.body.interfaces[3].running is None
    assert [ping.received for ping in router.body.pings] == [3, 2]
    assert (ont.body.rx_power_dbm, ont.body.no_light, ont.body.link_up) == (-21.45, False, True)
    assert [one.outcome for one in (silent, refused, unreadable)] == [
        wire.Outcome.UNREACHABLE,
        wire.Outcome.LOGIN_REFUSED,
        wire.Outcome.UNREADABLE,
    ]
    assert (report.health.spool_readings, report.health.dropped_readings) == (5, 2)
    assert not report.clock_synchronised


def test_the_second_recorded_report_must_decode_for_ever() -> None:
    report = msgspec.json.decode((RECORDED / "report-v1-every-device.json").read_bytes(), type=wire.Report)
    router, ont, olt, camera = (reading.body for reading in report.readings)
    assert isinstance(router, wire.RouterBody)
    assert isinstance(ont, wire.OntBody)
    assert isinstance(olt, wire.OltBody)
    assert isinstance(camera, wire.HostBody)
    assert (router.guests[0].user, router.users[0].name, router.users[0].comment) == ("628123", "007", "yes")
    assert (router.lights[0].rx_power_dbm, router.lights[1].no_light) == (-18.7, True)
    assert [onu.state for onu in olt.onus] == [wire.OnuState.DYING_GASP, wire.OnuState.LOS]
    assert camera.services[0].answers


def test_the_third_recorded_report_must_decode_for_ever() -> None:
    report = msgspec.json.decode((RECORDED / "report-v1-portal.json").read_bytes(), type=wire.Report)
    portal = report.readings[0].body
    assert isinstance(portal, wire.PortalBody)
    online, gone = portal.sessions
    assert (online.way, online.end, gone.way, gone.end) == (wire.Way.VOUCHER, "", wire.Way.CLICK, "idle")
    assert (online.slots[0].seconds, online.slots[0].down_bytes) == (60, 4_500_123)
    assert [host.blocked for host in portal.without_session] == [False, True]
    assert (portal.revision, [step.good for step in portal.check]) == (41, [True, False])


def test_the_fourth_recorded_report_must_decode_for_ever() -> None:
    report = msgspec.json.decode((RECORDED / "report-v1-config.json").read_bytes(), type=wire.Report)
    config = report.readings[0].body
    assert isinstance(config, wire.ConfigBody)
    text = zlib.decompress(config.packed)
    assert text == b"/ip address add address=192.168.88.1/24 interface=bridge\n"
    assert (hashlib.sha256(text).hexdigest(), config.backup[:4]) == (config.digest, b"\xef\xa8\x91\x72")


def test_the_fifth_recorded_report_must_decode_for_ever() -> None:
    report = msgspec.json.decode((RECORDED / "report-v1-held.json").read_bytes(), type=wire.Report)
    assert [one.body.held for one in report.readings if isinstance(one.body, wire.PortalBody)] == [12]


def test_the_recorded_reports_say_every_field_of_version_1_at_least_once() -> None:
    text = "".join(file.read_text() for file in RECORDED.glob("report-v1*.json"))
    for kind in STRUCTS:
        if issubclass(kind, wire.Part | wire.Report):
            for name in kind.__struct_encode_fields__:
                assert f'"{name}"' in text, f"{kind.__name__}.{name}"


def test_signing_bytes_never_change() -> None:
    text = wire.signing_bytes("POST", "/api/v1/reports", "0123456789ABCDEF", b'{"wire_version":1}')
    assert text == (
        b"kampungnet-v1\nPOST\n/api/v1/reports\n0123456789ABCDEF\n"
        b"976b27db600b94d11972b8a935aba83bcd4bfaf32b9a2d65e2d46fe08355b4e3"
    )
    signature = Ed25519PrivateKey.from_private_bytes(RFC8032_SEED).sign(text)
    assert base64.b64encode(signature).decode() == (
        "qyySVwWhA7DLQjskhf+8mX8RKyGOuVJ/iwKZ6qVJwl0KVVJoJmvbpBmSS9fPyOQjWmsfX4IwGikOSqUzMl8EBg=="
    )


def test_signing_covers_method_path_agent_and_every_byte_of_the_body() -> None:
    given = ("POST", "/api/v1/reports", "A", b"{}")
    others = [
        ("PUT", *given[1:]),
        ("POST", "/api/v1/enrolments", "A", b"{}"),
        ("POST", "/api/v1/reports", "B", b"{}"),
        (*given[:3], b"{} "),
    ]
    assert len({wire.signing_bytes(*given), *(wire.signing_bytes(*other) for other in others)}) == 5


def test_the_hash_of_a_reading_never_changes_because_packs_compare_by_it() -> None:
    assert wire.reading_hash(b'{"sequence":1}').hex() == "b0725c71b0f3d099d6c899fc0f4e831b"
    assert len(wire.reading_hash(b"")) == 16


def test_the_schema_names_every_limit() -> None:
    _, parts = msgspec.json.schema_components((wire.Report,), ref_template="#/{name}")
    assert parts["Report"]["properties"]["readings"]["maxItems"] == wire.MAX_READINGS
    assert parts["Reading"]["properties"]["boottime_ms"] == {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}


def _with_news(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_news(inner) for name, inner in value.items()} | {"news": {"nested": [None, 1.5, "x"]}}
    return [_with_news(one) for one in value] if isinstance(value, list) else value
