"""What a recording may show: shapes and measurements, and nobody's name."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.shared import wire
from kampungnet_agent.driver import Polled
from kampungnet_agent.record import Heard, RecordError, write
from kampungnet_agent.record_mask import Mask
from kampungnet_agent.record_tape import Exchange, Tape
from kampungnet_agent.settings import Device
from tests.agent.record_circle import mask

SECRETS = (
    "Rahasia123", "BuSitiAminah", "081234567890", "AA:BB:CC:11:22:33", "36.66.12.77", "ZTEGC1A2B3C4",
    "5A544547C1A2B3C4", "Wifi-Pak_Budi", "KATA.SANDI", "Jl.Mawar",
)  # fmt: skip
DEVICE = Device("router", "mikrotik", "127.0.0.1:1", secret="Rahasia123", options={"privacy_secret": "KATA.SANDI"})


def encoded(*words: str) -> bytes:
    return b"".join(bytes([len(word)]) + word.encode() for word in words)


def everything_with(secret: str) -> Tape:
    """A tape on which a secret stands wherever a device could put one."""
    names = (
        "name",
        "comment",
        "user",
        "host-name",
        "ssid",
        "identity",
        "target",
        "message",
        "never-heard-of",
        "server",
    )
    row = {name.encode(): secret.encode() for name in names}
    tape = Tape()
    tape.exchanges.append(
        Exchange(
            encoded("/ip/hotspot/active/print", f"?server={secret}"), [row], [(f"no {secret}", 1)], secret.encode()
        )
    )
    tape.exchanges.append(Exchange(encoded("/ping", f"=address={secret}"), [row], [], None))
    for number, raw in enumerate((secret.encode(), f"ONU {secret}\0\0".encode(), secret.encode("latin-1")), 1):
        tape.objects[(1, 3, 6, 1, 4, 1, 9, number, 0)] = raw
    tape.objects[(1, 3, 6, 1, 4, 1, 9, 9, len(secret), *secret.encode())] = secret.encode()
    lines = (f"SN : {secret}", f"Name: {secret}", f"1  1/2/1:3  online {secret} -18.2", secret, f"Owner={secret}|x")
    tape.transcript.append(("show all", "\n".join(lines)))
    return tape


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_planted_everywhere_is_nowhere_in_the_folder(secret: str, tmp_path: Path) -> None:
    body = wire.RouterBody(
        identity=secret,
        wan_interface=secret,
        gateway=secret,
        guests=[wire.HotspotGuest(user=secret, mac=secret, server=secret)],
        users=[wire.HotspotUser(name=secret, comment=secret, profile=secret)],
        queues=[wire.Queue(name=secret, target=secret)],
        log=[wire.LogLine(time="10:00:00", topics="account", message=f"user {secret} logged in")],
        missing=[f"wan_interface: the router has no interface '{secret}'"],
    )
    folder = write(DEVICE, Heard(everything_with(secret), Polled(body)), tmp_path / "recording", mask())
    written = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(written) == {"answers.json", "answers.snmprec", "answers.ssh.json", "expected.json", "README.md"}
    for name, content in written.items():
        assert secret.lower().encode() not in content.lower(), name
        assert secret.encode().hex() not in content.decode().lower(), name
        assert ".".join(map(str, secret.encode())) not in content.decode(), name


def test_a_secret_that_could_not_be_hidden_stops_the_recording(tmp_path: Path) -> None:
    tape = Tape()
    tape.exchanges.append(Exchange(encoded("/system/resource/print"), [{b"version": b"Rahasia123"}], [], None))
    with pytest.raises(RecordError, match=r"answers\.json"):
        write(DEVICE, Heard(tape, Polled(wire.RouterBody())), tmp_path / "recording", mask())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "harmless",
    [
        "ether1", "sfp-sfpplus1", "bridge1", "gpon-onu_1/2/1:5", "true", "yes", "-18.73", "0.03 mW (-14.61 dBm)",
        "27.84 .C", "3216 (mV)", "192.168.88.1/24", "10.5.50.0/24", "0.0.0.0/0", "255.255.255.0", "1.1.1.1",
        "FF:FF:FF:FF:FF:FF", "00:00:00:00:00:00", "--", "",
    ],
)  # fmt: skip
def test_what_is_nobodys_stays_as_it_is(harmless: str) -> None:
    assert mask().text(harmless) == harmless


@given(st.text(max_size=40))
def test_a_hidden_text_has_the_length_of_the_real_one(text: str) -> None:
    assert len(mask().text(text)) == len(text)


@given(st.from_regex(r"[A-Za-z]{3,12}", fullmatch=True), st.integers(1, 11))
def test_a_name_cut_short_or_written_large_is_hidden_alike(name: str, cut: int) -> None:
    hidden = mask().text(name)
    if name == hidden:
        return  # a word of devices, such as "bridge"
    short = mask().text(name[:cut])
    assert short in {hidden[:cut], name[:cut]}
    assert mask().text(name.upper()) in {hidden.upper(), name.upper()}


@given(st.lists(st.from_regex(r"628\d{8}", fullmatch=True), min_size=2, unique=True))
def test_different_names_stay_different(names: list[str]) -> None:
    assert len({mask().text(name) for name in names}) == len(names)


@given(st.ip_addresses(v=4).map(str))
def test_a_public_address_becomes_another_one_and_a_private_one_stays(address: str) -> None:
    real, hidden = IPv4Address(address), IPv4Address(mask().text(address))
    if real.is_global and not real.is_multicast and real.packed[0] < 224 and address not in {"1.1.1.1", "8.8.8.8"}:
        assert real != hidden or address in {"1.0.0.1", "8.8.4.4", "9.9.9.9", "149.112.112.112"}
    else:
        assert real == hidden


def test_addresses_of_one_network_stay_in_one_network() -> None:
    one, other = (mask().text(address).split(".") for address in ("36.66.12.77", "36.66.12.8"))
    assert one[:3] == other[:3] != ["36", "66", "12"]
    assert one[3] != other[3]


def test_a_mac_address_is_hidden_alike_in_every_notation() -> None:
    shown = {mask().text(one) for one in ("AA:BB:CC:11:22:33", "AA-BB-CC-11-22-33", "AABB-CC11-2233")}
    raw = mask().octets(bytes.fromhex("aabbcc112233")).hex()
    assert {one.replace(":", "").replace("-", "").lower() for one in shown} == {raw}
    assert raw != "aabbcc112233"


def test_a_gpon_serial_number_is_hidden_alike_as_text_as_digits_and_as_bytes() -> None:
    text, digits = mask().text("ZTEGC1A2B3C4"), mask().text("5A544547C1A2B3C4")
    raw = mask().octets(bytes.fromhex("5a544547c1a2b3c4"))
    assert text[:4] == "ZTEG"
    assert digits.lower() == raw.hex() == "5a544547" + text[4:].lower()
    assert text != "ZTEGC1A2B3C4"


def test_two_recordings_hide_differently() -> None:
    assert Mask(b"1" * 32).text("Sukojati") != Mask(b"2" * 32).text("Sukojati")
