"""``kampungnet-agent check``: what works and what does not, in sentences a village can act on."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from kampungnet.shared import wire
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.agent import build_driver
from kampungnet_agent.box import Box
from kampungnet_agent.credential import Credential, read_credential, signer_of
from kampungnet_agent.driver import DeviceError, Finding
from kampungnet_agent.line import CertificateRefusedError, Line, LineError, line_to
from kampungnet_agent.own_certificate import OwnCertificate, OwnCertificateError
from kampungnet_agent.report import Sender, make_post
from kampungnet_agent.safe_file import replace_file
from kampungnet_agent.settings import AgentSettings, Device, own_certificate
from kampungnet_agent.verdict import Kind, judge

DEVICE_SECONDS = 60.0


class Voice(NamedTuple):
    """Indonesian, or English by switch."""

    english: bool = False

    def good(self, indonesian: str, english: str) -> Finding:
        """Say what works."""
        return Finding(good=True, sentence=english if self.english else indonesian)

    def bad(self, indonesian: str, english: str) -> Finding:
        """Say what does not work and what to do."""
        return Finding(good=False, sentence=english if self.english else indonesian)

    def mark(self, finding: Finding) -> str:
        """Return what stands before the sentence."""
        return "[ok]   " if finding.good else "[FAIL] " if self.english else "[GAGAL]"


async def check_all(settings: AgentSettings, box: Box, voice: Voice) -> AsyncIterator[tuple[str, Finding]]:
    """Yield (about, finding), one after the other, the box first and then every device."""
    here = "box" if voice.english else "kotak"
    for about, steps in ((here, _clock(box, voice)), ("spool", _spool(settings, box, voice))):
        for finding in steps:
            yield about, finding
    async for found in check_reach(settings, box, voice):
        yield found


async def check_reach(settings: AgentSettings, box: Box, voice: Voice) -> AsyncIterator[tuple[str, Finding]]:
    """Yield what this box reaches: the server, and every device."""
    for finding in await asyncio.to_thread(lambda: list(_server(settings, box, voice))):
        yield "server", finding
    for device in settings.devices:
        for finding in await _device(device, voice):
            yield device.name, finding


def _clock(box: Box, voice: Voice) -> Iterator[Finding]:
    if box.clock_synchronised():
        yield voice.good("Jam kotak ini disetel otomatis.", "The clock of this box is synchronised.")
    else:
        yield voice.bad(
            "Jam kotak ini belum disetel otomatis; periksa NTP (timedatectl). Pengukuran tetap disimpan.",
            "The clock of this box is not synchronised; check NTP (timedatectl). Readings are kept all the same.",
        )


def _spool(settings: AgentSettings, box: Box, voice: Voice) -> Iterator[Finding]:
    path = Path(settings.spool.path)
    trial = path.with_name(path.name + ".trial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(trial, b"trial")
        trial.unlink()
    except OSError as error:
        yield voice.bad(
            f"Folder {path.parent} tidak bisa ditulis ({error.strerror}); periksa pemilik dan hak aksesnya.",
            f"The folder {path.parent} cannot be written ({error.strerror}); check its owner and rights.",
        )
        return
    free = (box.free_disk_bytes(path.parent) or 0) // 1_000_000
    used = path.stat().st_size // 1_000_000 if path.exists() else 0
    if free + used < settings.spool.max_megabytes:
        yield voice.bad(
            f"Ruang disk untuk spool hanya {free} MB; kosongkan disk atau kecilkan max_megabytes.",
            f"Only {free} MB of disk are left for the spool; make room or lower max_megabytes.",
        )
    else:
        yield voice.good(f"Spool bisa ditulis, sisa disk {free} MB.", f"The spool can be written, {free} MB are free.")


def _server(settings: AgentSettings, box: Box, voice: Voice) -> Iterator[Finding]:
    credential = _read_credential(settings, voice)
    if isinstance(credential, Finding):
        yield credential
    host = urlsplit(settings.server.url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        yield voice.bad(
            f"Nama {host} tidak dikenal ({error.strerror}); periksa DNS dan server.url.",
            f"The name {host} cannot be resolved ({error.strerror}); check DNS and server.url.",
        )
        return
    yield voice.good(f"Nama {host} dikenal.", f"The name {host} resolves.")
    own = own_certificate(settings.server)
    if own is not None:
        yield _own_certificate(own, voice)
    line = line_to(settings.server)
    try:
        yield from _ask_server(line, settings.server.url, voice)
        if isinstance(credential, Credential):
            yield _probe(Sender(credential.agent, signer_of(credential), box), credential, line, voice)
    except CertificateRefusedError as error:
        yield _refused(own, error, voice)
    except LineError as error:
        yield voice.bad(
            f"Server {settings.server.url} tidak terjangkau: {error}. Periksa jalur internet.",
            f"The server {settings.server.url} is not reachable: {error}. Check the line.",
        )
    finally:
        line.close()


def _own_certificate(own: OwnCertificate, voice: Voice) -> Finding:
    try:
        until = own.valid_until()
    except OwnCertificateError as error:
        return voice.bad(
            f"Sertifikat kotak ini tidak bisa dipakai: {error}. Minta yang baru kepada Kominfo.",
            f"The certificate of this box cannot be used: {error}. Ask Kominfo for a new one.",
        )
    return voice.good(
        f"Sertifikat kotak ini terbaca, berlaku sampai {until}.",
        f"The certificate of this box can be read, it is valid until {until}.",
    )


def _refused(own: OwnCertificate | None, error: CertificateRefusedError, voice: Voice) -> Finding:
    if own is None:
        return voice.bad(
            "Server web di depan KampungNet meminta sertifikat kotak ini; "
            "isi client_certificate_file dan client_key_file.",
            "The web server in front of KampungNet wants a certificate of this box; "
            "set client_certificate_file and client_key_file.",
        )
    return voice.bad(
        f"Server web di depan KampungNet menolak sertifikat kotak ini ({error}); minta yang baru kepada Kominfo.",
        f"The web server in front refuses this box's certificate ({error}); ask Kominfo for a new one.",
    )


def _ask_server(line: Line, url: str, voice: Voice) -> Iterator[Finding]:
    status = line.request("GET", "/healthz").status
    if status == 200:
        yield voice.good(f"Server {url} terjangkau.", f"The server {url} is reachable.")
    else:
        yield voice.bad(
            f"Server menjawab {status} pada /healthz; periksa server.url atau hubungi Kominfo.",
            f"The server answers {status} at /healthz; check server.url or call Kominfo.",
        )


def _read_credential(settings: AgentSettings, voice: Voice) -> Credential | Finding:
    path = Path(settings.server.credential_file)
    try:
        return read_credential(path)
    except SettingsError as error:
        if path.exists():
            return voice.bad(f"Kredensial kotak ini tidak bisa dipakai: {error}", f"No usable credential: {error}")
        return voice.bad(
            f"Kotak ini belum terdaftar, {path} tidak ada; jalankan kampungnet-agent enrol.",
            f"This box is not enrolled, {path} does not exist; run kampungnet-agent enrol.",
        )


def _probe(sender: Sender, credential: Credential, line: Line, voice: Voice) -> Finding:
    """Send an empty signed report: the server says whether it knows this box, and stores nothing."""
    parcel = make_post(sender, [], wire.AgentHealth())
    verdict = judge(line.request("POST", wire.REPORTS_PATH, parcel.body, parcel.headers))
    if isinstance(verdict, wire.Receipt):
        return voice.good(
            f"Server menerima kotak ini sebagai {credential.agent}, desa {credential.village_words}.",
            f"The server accepts this box as {credential.agent} of village {credential.village_words}.",
        )
    if verdict.kind is Kind.DENIED:
        return voice.bad(
            f"Server menolak kotak ini ({verdict.sentence}); minta kode baru lalu kampungnet-agent enrol --replace.",
            f"The server refuses this box ({verdict.sentence}); ask for a new code and enrol with --replace.",
        )
    return voice.bad(
        f"Server belum menerima laporan ({verdict.sentence}); pengukuran disimpan dan dikirim lagi nanti.",
        f"The server takes no reports now ({verdict.sentence}); readings are kept and sent later.",
    )


async def _device(device: Device, voice: Voice) -> list[Finding]:
    try:
        driver = build_driver(device)
        async with asyncio.timeout(DEVICE_SECONDS):
            return list(await driver.check())
    except SettingsError as error:
        return [Finding(good=False, sentence=str(error))]
    except DeviceError as error:
        return [voice.bad(f"Perangkat tidak bisa dibaca: {error}", f"The device cannot be read: {error}")]
    except TimeoutError:
        return [
            voice.bad(
                f"Perangkat tidak selesai menjawab dalam {DEVICE_SECONDS:.0f} detik; periksa kabel dan alamatnya.",
                f"The device did not finish within {DEVICE_SECONDS:.0f} s; check cable and address.",
            )
        ]
