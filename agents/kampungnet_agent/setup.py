"""``kampungnet-agent setup``: a new box becomes its village's by one file, and says step by step how far it came.

May be run again at any time: a box that is enrolled already spends no second code, and files are written anew.
"""

import asyncio
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from kampungnet.shared.files import sync_folder
from kampungnet.shared.kit import KEEPER, MAX_KIT_BYTES, POLLER, BoxKit
from kampungnet.shared.portal_body import PortalBody
from kampungnet.shared.settings_file import OTHERS_MAY_TOUCH, SettingsError, refuse_open_secret
from kampungnet_agent.agent import build_driver
from kampungnet_agent.box import Box
from kampungnet_agent.check import DEVICE_SECONDS, Voice, check_reach
from kampungnet_agent.credential import read_credential
from kampungnet_agent.driver import DeviceError, Finding
from kampungnet_agent.enrolment import (
    CodeRefusedError,
    EnrolmentError,
    enrol,
    forget_what_was_begun,
    make_room_for_credential,
)
from kampungnet_agent.line import Line, LineError
from kampungnet_agent.own_certificate import OwnCertificate
from kampungnet_agent.safe_file import replace_file, said_of
from kampungnet_agent.settings import check_server_url, host_and_port, read_agent_settings

ROUTES = Path("/proc/net/route")
API_PORT = 8728
KNOCK_SECONDS = 5.0
_GATEWAY = 0x2
Said = tuple[str, Finding]


class Places(NamedTuple):
    """Where a box keeps what it is told."""

    settings: Path
    """Folder of agent.toml and the passwords."""
    state: Path
    """Folder of credential and spool."""

    @property
    def config(self) -> Path:
        """The settings."""
        return self.settings / "agent.toml"

    @property
    def credential(self) -> Path:
        """Who this box is."""
        return self.state / "credential"


def is_lent(path: Path) -> bool:
    """Tell whether a file is a copy that systemd lends to this process (``LoadCredential``)."""
    return str(path.parent) == os.environ.get("CREDENTIALS_DIRECTORY")


def read_kit(path: Path) -> BoxKit:
    """Read a kit; raises ``SettingsError`` with one sentence."""
    called = f"The kit ({path.name})" if is_lent(path) else path
    try:
        if path.stat().st_mode & OTHERS_MAY_TOUCH:
            raise SettingsError(f"{path} is open to every user of this machine; run: chmod 600 {path}")
        with path.open("rb") as file:
            content = file.read(MAX_KIT_BYTES + 1)
        kit = msgspec.json.decode(content, type=BoxKit)
    except OSError as error:
        raise SettingsError(f"{called} cannot be read ({error.strerror}); is this the file of the kit?") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{called} is no kit of a village, or only half of it: copy it here once more.") from error
    check_server_url(kit.server, f"{called}: server")
    return kit


async def set_up(kit: BoxKit, places: Places, box: Box, voice: Voice) -> AsyncIterator[Said]:
    """Yield (about, finding) for every step, and stop at the first without which no other can be.

    Raises ``SettingsError`` where this user may not write files, or where this is another village's box, ``DiskError``
    where the disk does not take them, and ``CodeRefusedError`` after that was said.
    """
    router = kit.router or gateway(ROUTES)
    if not router:
        yield (
            "router",
            voice.bad(
                "Kotak ini tidak tersambung ke mana pun; periksa kabelnya.", "This box leads nowhere; check its cable."
            ),
        )
        return
    about, refused = await asyncio.to_thread(_enrolled, kit, places, box, voice)
    yield "server", about
    if refused:
        raise refused
    if not about.good:
        return
    _write_settings(kit, places, router)
    knocked = await asyncio.to_thread(_knock, router, voice)
    yield "router", knocked
    if not knocked.good:
        return
    async for said in check_reach(read_agent_settings(places.config), box, voice):
        yield said
    async for said in _citizen(places, voice):
        yield said


def gateway(routes: Path) -> str:
    """Return host and port of the router's API where the default route leads; empty without such a route."""
    try:
        lines = routes.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return ""
    ways = [
        (int(words[6]), socket.inet_ntoa(struct.pack("<L", int(words[2], 16))))
        for words in map(str.split, lines)
        if len(words) > 7 and words[1] == words[7] == "00000000" and int(words[3], 16) & _GATEWAY
    ]
    return f"{min(ways)[1]}:{API_PORT}" if ways else ""


def _enrolled(kit: BoxKit, places: Places, box: Box, voice: Voice) -> tuple[Finding, CodeRefusedError | None]:
    if places.credential.exists():
        known = read_credential(places.credential)
        if (known.village, known.server) != (kit.village, kit.server):
            raise SettingsError(
                f"this box belongs to {known.village_words} already; for another village take {places.credential} away."
            )
        forget_what_was_begun(places.credential)
        return voice.good(
            f"Kotak ini sudah terdaftar untuk desa {known.village_words}.",
            f"This box is enrolled already for {known.village_words}.",
        ), None
    make_room_for_credential(places.credential, replace=False)
    line = Line(kit.server, _authority(kit, places), own=_own(places))
    try:
        credential = enrol(line, kit.server, kit.code, box, places.credential)
    except CodeRefusedError as error:
        return voice.bad(
            f"Kode paket ini ditolak: minta paket baru ({error}).",
            f"The code of this kit is refused: ask for a new kit ({error}).",
        ), error
    except (EnrolmentError, LineError) as error:
        return voice.bad(
            f"Kotak ini belum terdaftar: {error}. Periksa internet.",
            f"This box is not enrolled: {error}. Check the line.",
        ), None
    finally:
        line.close()
    return voice.good(
        f"Kotak ini terdaftar untuk desa {credential.village_words}.",
        f"This box is enrolled for {credential.village_words}.",
    ), None


def _authority(kit: BoxKit, places: Places) -> Path | None:
    if not kit.certificate:
        return None
    path = places.settings / "ca.pem"
    _write(path, kit.certificate, 0o644)
    return path


def _own(places: Places) -> OwnCertificate | None:
    """Return the certificate somebody put beside the settings, where the web server in front asks for one."""
    own = OwnCertificate(places.settings / "client.pem", places.settings / "client.key")
    if not any(path.exists() for path in own):
        return None
    refuse_open_secret(own.key, "the key of this box's certificate")
    return own


def _write_settings(kit: BoxKit, places: Places, router: str) -> None:
    server = {"url": kit.server, "credential_file": str(places.credential)}
    if kit.certificate:
        server["ca_file"] = str(places.settings / "ca.pem")
    own = _own(places)
    if own is not None:
        server |= {"client_certificate_file": str(own.certificate), "client_key_file": str(own.key)}
    blocks = [
        _block("[server]", server),
        _block("[spool]", {"path": str(places.state / "spool.db")}),
    ]
    users = (
        ("router", "mikrotik", POLLER, kit.poller_password),
        ("portal", "mikrotik-portal", KEEPER, kit.keeper_password),
    )
    for name, driver, user, password in users:
        secret = places.settings / f"{name}.password"
        _write(secret, password + "\n", 0o600)
        device = {"name": name, "driver": driver, "address": router, "username": user, "password_file": str(secret)}
        if name == "router" and kit.wan_interface:
            device["wan_interface"] = kit.wan_interface
        blocks.append(_block("[[devices]]", device))
    made = f"# Dibuat kampungnet-agent setup untuk desa {kit.village}; boleh diubah.\n"
    _write(places.config, made + "\n".join(blocks), 0o644)
    with said_of(places.settings):
        sync_folder(places.settings)


def _block(head: str, values: dict[str, str]) -> str:
    # JSON text is TOML text for strings.
    return "\n".join([head, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


def _write(path: Path, text: str, mode: int) -> None:
    with said_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode(), mode)


def _knock(router: str, voice: Voice) -> Finding:
    try:
        with socket.create_connection(host_and_port(router), KNOCK_SECONDS):
            return voice.good(f"Router ditemukan di {router}.", f"The router was found at {router}.")
    except (OSError, ValueError) as error:
        return voice.bad(
            f"Router tidak menjawab di {router} ({error}); sudahkah berkas .rsc dijalankan di router?",
            f"No router answers at {router} ({error}); was the .rsc read in there?",
        )


async def _citizen(places: Places, voice: Voice) -> AsyncIterator[Said]:
    """Ask as the portal does: can a citizen get online? Nothing of it is remembered."""
    (portal,) = (one for one in read_agent_settings(places.config).devices if one.name == "portal")
    driver = build_driver(msgspec.structs.replace(portal, state_folder=""))
    about = "warga" if not voice.english else "citizen"
    try:
        async with asyncio.timeout(DEVICE_SECONDS):
            body = (await driver.poll()).body
    except (DeviceError, TimeoutError) as error:
        yield about, voice.bad(f"Wifi belum bisa diperiksa: {error}", f"The wifi cannot be looked at: {error}")
        return
    finally:
        await driver.close()
    steps = body.check if isinstance(body, PortalBody) else []
    failing = [one for one in steps if not one.good]
    if steps and not failing:
        yield about, voice.good("Warga bisa online lewat wifi ini.", "A citizen can get online by this wifi.")
    for one in failing:
        yield about, voice.bad(f"Warga belum bisa online: {one.detail}", f"No citizen gets online: {one.name}")
