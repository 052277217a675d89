"""Everything the agent knows and must not tell is known to whatever hides it."""

import base64
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kampungnet_agent.agent import Office, Watched, sources_of
from kampungnet_agent.bundle import secrets_of
from kampungnet_agent.credential import Credential, write_credential
from kampungnet_agent.driver import DeviceUnreachable, Finding, Polled
from kampungnet_agent.key_change import Identity, KeyKeeper
from kampungnet_agent.last_seen import LastSeen
from kampungnet_agent.scrub import Scrub
from kampungnet_agent.settings import AgentSettings, Device, ServerTable, SpoolTable, read_agent_settings
from kampungnet_agent.uplink import Parts
from tests.agent.conftest import SEED

NEXT_SEED = bytes(range(200, 232))


class Portal:
    """A device that knows people, on a disk that fails."""

    async def poll(self) -> Polled:
        raise DeviceUnreachable("not here")

    async def check(self) -> list[Finding]:
        return []

    async def close(self) -> None:
        pass

    def hidden(self) -> Iterable[str]:
        yield "kode-warga"
        raise OSError("disk I/O error")


def test_keys_passwords_and_people_are_known_and_what_no_disk_can_withhold_comes_first(
    parts: Parts, tmp_path: Path
) -> None:
    keys = [base64.b64encode(seed).decode() for seed in (SEED, NEXT_SEED)]
    path = tmp_path / "credential"
    write_credential(path, Credential("agent-7", "", "", keys[0], next_key=keys[1]))
    portal = Device("portal", "mikrotik-portal", "10.0.0.1:8728", secret="sandi-portal")
    ont = Device("ont", "ont-snmp", "10.0.0.2:161", secret="komunitas", options={"privacy_secret": "privasi"})
    settings = AgentSettings(ServerTable("", str(path)), SpoolTable(str(tmp_path / "s.db")), [portal, ont])
    parts = replace(parts, keeper=KeyKeeper(Identity(path), 0))
    sources = sources_of(Office(parts, [Watched(portal, Portal()), Watched(ont, Portal())], settings), LastSeen())
    found = []
    try:
        for secret in sources.secrets():
            found.append(secret)
    except OSError:
        pass
    assert {*keys, "sandi-portal", "komunitas", "privasi", "kode-warga"} <= set(found)
    scrub = Scrub(found)
    for seed, key in zip((SEED, NEXT_SEED), keys, strict=True):
        for form in (key, key.rstrip("="), seed.hex(), seed.hex().upper(), repr(seed)[2:-1]):
            assert scrub.known(f"signed with {form}!") == "signed with ***!"


def test_every_secret_of_a_file_and_of_a_driver_of_others_is_among_them(tmp_path: Path) -> None:
    lines = ['[server]\nurl = "https://pusat.example"\ncredential_file = "c"\n[spool]\npath = "s.db"\n']
    kinds = {"ont-snmp": "privacy_password_file", "mikrotik-config": "backup_password_file"}
    for number, (driver, key) in enumerate(kinds.items()):
        for name in ("own", "second"):
            file = tmp_path / f"{driver}.{name}"
            file.write_text(f"{driver}-{name}-12345\n")
            file.chmod(0o600)
        lines.append(
            f'[[devices]]\nname = "d{number}"\ndriver = "{driver}"\naddress = "10.0.0.{number}:161"\n'
            f'password_file = "{tmp_path}/{driver}.own"\n{key} = "{tmp_path}/{driver}.second"\n'
        )
    (tmp_path / "agent.toml").write_text("".join(lines))
    for device in read_agent_settings(tmp_path / "agent.toml").devices:
        assert set(secrets_of(device)) == {f"{device.driver}-own-12345", f"{device.driver}-second-12345"}
    foreign = Device("x", "foreign", "10.0.0.9", options={"api_token": "T0k", "keys": ["satu", "dua"], "ca_file": "/x"})
    assert set(secrets_of(foreign)) == {"", "T0k", "satu", "dua"}
