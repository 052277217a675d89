"""``kampungnet-agent check`` for a router: short sentences in Indonesian, each with what to do next."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final, Protocol, TypeVar

from kampungnet_agent.driver import (
    AnswerUnreadable,
    DeviceError,
    DeviceSettings,
    Finding,
    LoginRefused,
)

from .fields import boolean, text
from .findings import fails, names_of, works
from .mikrotik_answers import Answers, is_forbidden, is_unresolved, reason_of
from .mikrotik_plan import Known, Visit, Wishes
from .mikrotik_system import hotspot_package_problem
from .routeros_errors import foreign_errors_become_ours
from .routeros_wire import RouterConnection

STEP_SECONDS: Final = 10
PATIENCE_SECONDS: Final = 5.0
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


async def check_router(router: Reachable, settings: DeviceSettings, wishes: Wishes) -> list[Finding]:
    """Try one thing after the other and stop where going on makes no sense."""
    findings: list[Finding] = []
    place = f"{router.host}:{router.port}"
    try:
        await _step(asyncio.get_running_loop().getaddrinfo(router.host, router.port))
        connection = await _step(router.connect())
        findings.append(works(f"Router menjawab di {place}."))
        await _step(router.log_in(connection))
        findings.append(works(f"Login sebagai {settings.username} berhasil."))
        findings += await _look_around(connection, wishes)
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


async def _look_around(connection: RouterConnection, wishes: Wishes) -> list[Finding]:
    """Ask everything a poll asks, and say what the account or the version cannot give."""
    known = Known()
    visit = Visit(known, wishes, tables=True, facts=True)
    for questions in (visit.first, visit.second):
        asked = questions()
        visit.take(asked, await _step(connection.ask((one.command for one in asked), PATIENCE_SECONDS)))
    answers = visit.answers(0.0)
    return [
        *_version(answers),
        *_rights(visit, answers),
        *_absent(known),
        *_wan(answers, wishes.wan_interface),
        *_hotspot(answers),
        *_licence(answers),
        *_queues(answers),
        *_internet(answers),
        *_names(answers, wishes.names),
    ]


def _version(answers: Answers) -> list[Finding]:
    row = answers.row("resource")
    version, board = text(row.get(b"version")), text(row.get(b"board-name"))
    return [works(f"RouterOS {version} di {board or 'router tanpa nama papan'}.")] if version else []


def _rights(visit: Visit, answers: Answers) -> list[Finding]:
    """Name each missing right once, and whatever else was refused."""
    findings: list[Finding] = []
    lacking: dict[str, list[str]] = {}
    for name, question in visit.asked.items():
        reply = answers.replies.get(name)
        if reply is None or not reply.traps:
            continue
        if is_forbidden(reply):
            lacking.setdefault(question.right, []).append(name)
        elif not name.startswith("lookup ") or not is_unresolved(reply):
            findings.append(fails(f"Router menolak {name}: {reason_of(reply)}."))
    for right, names in lacking.items():
        hint = f"Tambahkan hak '{right}' pada grup pengguna API di System > Users > Groups."
        findings.append(fails(f"Hak '{right}' tidak ada, jadi {names_of(names)} tidak terbaca. {hint}"))
    return findings or [works("Semua hak API yang diperlukan (read, test) ada.")]


def _absent(known: Known) -> list[Finding]:
    """Name the menus this version or board does not have: nothing to repair, but good to know."""
    names = [entry.partition(":")[0] for entry in known.absent]
    return [works(f"Router ini tidak punya {names_of(names)}; bagian itu akan kosong.")] if names else []


def _wan(answers: Answers, wanted: str) -> list[Finding]:
    names = [text(row.get(b"name")) for row in answers.rows("interfaces")]
    if not names:
        return []
    if wanted in names:
        return [works(f"wan_interface {wanted} ada di router.")]
    shown = f"wan_interface '{wanted}' tidak ada di router" if wanted else "wan_interface belum diisi"
    return [fails(f"{shown}. Pilih salah satu: {names_of(names)}.")]


def _hotspot(answers: Answers) -> list[Finding]:
    """Say whether guests can log in, and what forbids it: a package, device-mode, a server that is off."""
    problems = list(hotspot_package_problem(answers.rows("packages"), text(answers.row("resource").get(b"version"))))
    if problems and "not installed" in problems[0]:
        return [fails("Paket hotspot belum terpasang. Unduh dari mikrotik.com, unggah ke Files, lalu restart router.")]
    if problems:
        return [fails("Paket hotspot dimatikan. Aktifkan di System > Packages, lalu restart router.")]
    if boolean(answers.row("device-mode").get(b"hotspot")) is False:
        return [
            fails(
                "Device-mode melarang hotspot. Jalankan /system/device-mode/update hotspot=yes, "
                "lalu dalam 5 menit tekan tombol router atau cabut listriknya sebentar."
            )
        ]
    rows = answers.rows("hotspot servers")
    names = [text(row.get(b"name")) for row in rows if not boolean(row.get(b"disabled"))]
    broken = [text(row.get(b"name")) for row in rows if boolean(row.get(b"invalid"))]
    if broken:
        return [fails(f"Hotspot {names_of(broken)} tidak bisa berjalan. Periksa interface-nya di IP > Hotspot.")]
    if names:
        return [works(f"Hotspot aktif: {names_of(names)}.")]
    if "hotspot servers" not in answers:
        return [fails("Hotspot tidak terbaca. Periksa paket hotspot dan device-mode router.")]
    return [fails("Belum ada hotspot yang aktif. Buat lewat IP > Hotspot, atau abaikan jika memang tidak dipakai.")]


def _licence(answers: Answers) -> list[Finding]:
    """Warn of level 3: it lets a single guest in (MikroTik's page on licences)."""
    row = answers.row("licence")
    if text(row.get(b"level") or row.get(b"nlevel")) != "3":
        return []
    return [
        fails("Lisensi level 3 hanya mengizinkan 1 tamu hotspot. Naikkan ke level 4 (200 tamu) di System > License.")
    ]


def _queues(answers: Answers) -> list[Finding]:
    """Warn of FastTrack, which goes past simple queues (facts 7.9)."""
    queues = answers.number("queue count") or 0
    if not queues or not answers.number("fasttrack"):
        return []
    return [
        fails(
            f"FastTrack aktif, jadi {queues} simple queue tidak membatasi dan menghitung terlalu sedikit. "
            "Matikan aturan fasttrack-connection di IP > Firewall > Filter Rules."
        )
    ]


def _internet(answers: Answers) -> list[Finding]:
    rows = answers.rows("ping internet")
    if not rows:
        return []
    if rows[-1].get(b"received") in {None, b"0"}:
        return [fails("Router tidak mendapat jawaban ping dari internet. Periksa jalur ke penyedia.")]
    return [works("Router mendapat jawaban ping dari internet.")]


def _names(answers: Answers, names: Iterable[str]) -> list[Finding]:
    unknown = [name for name in names if (reply := answers.replies.get(f"lookup {name}")) and is_unresolved(reply)]
    return [fails(f"Router tidak menemukan alamat {names_of(unknown)}. Periksa IP > DNS > Servers.")] if unknown else []
