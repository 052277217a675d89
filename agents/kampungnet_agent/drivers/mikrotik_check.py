"""``kampungnet-agent check`` for a router: short sentences in Indonesian, each with what to do next."""

import asyncio
from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar

from kampungnet_agent.driver import (
    AnswerUnreadable,
    DeviceError,
    DeviceSettings,
    Finding,
    LoginRefused,
)

from .fields import text
from .findings import fails, names_of, works
from .mikrotik_reading import STANDING, Question, is_missing_menu, ping_question
from .routeros_errors import foreign_errors_become_ours
from .routeros_wire import Reply, RouterConnection, encode_command

STEP_SECONDS: Final = 10
_HOTSPOT: Final = Question("hotspot", encode_command("/ip/hotspot/print", "=.proplist=name,disabled"))
T = TypeVar("T")


class Reachable(Protocol):
    """The part of the driver that ``check`` takes step by step."""

    host: str
    port: int

    async def connect(self) -> RouterConnection:
        """Open a connection without logging in."""
        ...

    async def log_in(self, connection: RouterConnection) -> None:
        """Log in on that connection."""
        ...


async def check_router(router: Reachable, settings: DeviceSettings) -> list[Finding]:
    """Try one thing after the other and stop where going on makes no sense."""
    findings: list[Finding] = []
    place = f"{router.host}:{router.port}"
    try:
        await _step(asyncio.get_running_loop().getaddrinfo(router.host, router.port))
        connection = await _step(router.connect())
        findings.append(works(f"Router menjawab di {place}."))
        await _step(router.log_in(connection))
        findings.append(works(f"Login sebagai {settings.username} berhasil."))
        findings += await _look_around(connection, settings)
    except DeviceError as error:
        findings.append(fails(_explain(error, place, connected=bool(findings))))
    return findings


async def _step(work: Awaitable[T]) -> T:
    """Wait for one step, with a limit of its own, and translate its errors."""
    with foreign_errors_become_ours():
        async with asyncio.timeout(STEP_SECONDS):
            return await work


def _explain(error: DeviceError, place: str, *, connected: bool) -> str:
    reason = str(error)
    if isinstance(error, LoginRefused):
        return (
            f"Login ditolak ({reason}). Periksa username dan password_file, "
            "dan pastikan grup pengguna punya hak 'api' di System > Users."
        )
    if isinstance(error, AnswerUnreadable):
        return (
            f"{place} menjawab, tetapi bukan API RouterOS ({reason}). Periksa nomor port (8728, atau 8729 dengan TLS)."
        )
    if "name not resolved" in reason:
        return f"Nama di {place} tidak dikenal. Periksa ejaannya di agent.toml, atau pakai alamat IP router."
    if "certificate" in reason:
        return f"Sertifikat router tidak dipercaya ({reason}). Isi ca_file dengan sertifikat router itu."
    if connected:
        return (
            f"Koneksi ke {place} terbuka lalu diam atau ditutup ({reason}). "
            "Izinkan alamat IP kotak ini pada IP > Services > api > Available From."
        )
    return (
        f"Router tidak terjangkau di {place} ({reason}). Periksa kabel dan alamatnya, "
        "dan pastikan layanan api aktif di IP > Services."
    )


async def _look_around(connection: RouterConnection, settings: DeviceSettings) -> list[Finding]:
    """Ask everything a poll asks, and say what the account or the version cannot give."""
    questions = [*STANDING, _HOTSPOT]
    if settings.ping_address:
        questions.append(ping_question("internet", settings.ping_address))
    asked = await _step(connection.ask(question.command for question in questions))
    replies = {question.name: reply for question, reply in zip(questions, asked, strict=True)}
    return [
        *_version(replies["resource"]),
        *_rights(questions, replies),
        *_wan(replies["interfaces"], settings.wan_interface),
        _hotspot(replies["hotspot"]),
        *_internet(replies.get("ping internet")),
    ]


def _version(resource: Reply) -> list[Finding]:
    row = resource.rows[0] if resource.rows else {}
    version, board = text(row.get(b"version")), text(row.get(b"board-name"))
    return [works(f"RouterOS {version} di {board or 'router tanpa nama papan'}.")] if version else []


def _rights(questions: list[Question], replies: dict[str, Reply]) -> list[Finding]:
    """Name each missing right once, and each missing menu."""
    findings: list[Finding] = []
    lacking: dict[str, list[str]] = {}
    for question in questions:
        reply = replies[question.name]
        if not reply.traps or question is _HOTSPOT:
            continue
        reason = "; ".join(map(str, reply.traps))
        if "permission" in reason:
            lacking.setdefault(question.right, []).append(question.name)
        elif is_missing_menu(reply):
            findings.append(works(f"Router ini tidak punya {question.name}; bagian itu akan kosong."))
        else:
            findings.append(fails(f"Router menolak {question.name}: {reason}."))
    for right, names in lacking.items():
        hint = f"Tambahkan hak '{right}' pada grup pengguna API di System > Users > Groups."
        findings.append(fails(f"Hak '{right}' tidak ada, jadi {', '.join(names)} tidak terbaca. {hint}"))
    return findings or [works("Semua hak API yang diperlukan (read, test) ada.")]


def _wan(interfaces: Reply, wanted: str) -> list[Finding]:
    names = [text(row.get(b"name")) for row in interfaces.rows]
    if not names:
        return []
    if wanted in names:
        return [works(f"wan_interface {wanted} ada di router.")]
    shown = f"wan_interface '{wanted}' tidak ada di router" if wanted else "wan_interface belum diisi"
    return [fails(f"{shown}. Pilih salah satu: {names_of(names)}.")]


def _hotspot(reply: Reply) -> Finding:
    names = [text(row.get(b"name")) for row in reply.rows if row.get(b"disabled") != b"true"]
    if names:
        return works(f"Hotspot aktif: {names_of(names)}.")
    if reply.traps:
        reason = "; ".join(map(str, reply.traps))
        return fails(f"Hotspot tidak terbaca ({reason}). Periksa paket hotspot dan device-mode router.")
    return fails("Belum ada hotspot yang aktif. Buat lewat IP > Hotspot, atau abaikan jika memang tidak dipakai.")


def _internet(reply: Reply | None) -> list[Finding]:
    if reply is None or reply.traps or not reply.rows:
        return []
    if reply.rows[-1].get(b"received") in {None, b"0"}:
        return [fails("Router tidak mendapat jawaban ping dari internet. Periksa jalur ke penyedia.")]
    return [works("Router mendapat jawaban ping dari internet.")]
