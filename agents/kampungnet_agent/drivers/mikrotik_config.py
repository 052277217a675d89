"""Driver ``mikrotik-config``: what a MikroTik router is set up as, by SSH, eight times a day.

``/export`` without secrets is told whenever it changed, and once a day in any case. Where ``backup_password_file`` is
given, the router makes its own binary backup too, encrypted with that password, when its settings changed (at most
once a day) and once a week; it is fetched, then removed from the router. The user needs ``read,ssh`` for the text,
and ``ftp,write`` beside them for the backup (facts on RouterOS, 11.4). The host key is pinned at first sight.
"""

import asyncio
import hashlib
import json
import re
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from kampungnet.shared.config_body import MAX_BACKUP_BYTES, MAX_PACKED_BYTES, MAX_TEXT_BYTES, ConfigBody
from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceSettings, Finding, Polled
from kampungnet_agent.safe_file import replace_file
from kampungnet_agent.worker import Worker

from .address import split_address
from .config_text import Export, export_command, export_of
from .findings import fails, works
from .ssh_check import explain
from .ssh_exec import answer_to, file_of
from .ssh_keys import HostKeys
from .ssh_shell import Account, Visit

PORT: Final = 22
SPARE_SECONDS: Final = 1.5
"""The login ends by itself before the poller's deadline."""
VERSION_COMMAND: Final = ":put [/system resource get version]"
FILE_NAME: Final = "kampungnet.backup"
DAY_SECONDS: Final = 86_400
CHANGED_SECONDS: Final = 72_000
UNCHANGED_SECONDS: Final = 7 * DAY_SECONDS
_FIRST_TRUE_TIME: Final = 1_767_225_600
"""2026-01-01: a clock before it was never set."""
_PASSWORD: Final = re.compile(r"[A-Za-z0-9_.-]{12,64}")


class Noted(NamedTuple):
    """When something was last done (in seconds), and with which settings."""

    at: float = 0.0
    digest: str = ""


def backup_is_due(last: Noted, digest: str, now: float) -> bool:
    """Tell whether the router shall make a backup: flash wears, and a box may have no clock for a while."""
    if now < _FIRST_TRUE_TIME:
        return False
    age = now - last.at
    if age < -DAY_SECONDS:  # it was noted when the clock was far ahead
        return True
    return age >= (CHANGED_SECONDS if digest != last.digest else UNCHANGED_SECONDS)


class MikrotikConfigDriver:
    """One router's settings. See :class:`kampungnet_agent.driver.Driver` for the contract."""

    OPTIONS: Final = frozenset({"backup_password_file"})
    INTERVAL_SECONDS: Final = 10_800
    TIMEOUT_SECONDS: Final = 120

    def __init__(self, settings: DeviceSettings, wall: Callable[[], float] = time.time) -> None:
        host, port = split_address(settings.address, PORT)
        self._account = Account(host, port, settings.username, settings.secret)
        self._keys = HostKeys(settings.state_folder)
        self._seconds = max(1.0, settings.timeout_seconds - SPARE_SECONDS)
        self._password = str(settings.options.get("backup_secret", ""))
        if self._password and not _PASSWORD.fullmatch(self._password):
            raise ValueError("backup_password_file must hold 12 to 64 letters, digits, dots, dashes or underscores")
        self._notes = Path(settings.state_folder) / f"config-{settings.name}.json" if settings.state_folder else None
        self._last = _noted(self._notes)
        self._wall = wall
        self._told = Noted()
        """The newest text that was told in full, by the kernel's clock."""

    async def poll(self) -> Polled:
        """Log in, read the settings, log out; raises ``DeviceError``."""
        visit = Visit(self._account, self._keys, self._seconds)
        worker = Worker(f"config-{self._account.host}")
        try:
            body = await worker.do(self._visit, visit)
        except asyncio.CancelledError:
            visit.abort()
            raise
        finally:
            worker.stop()
        return Polled(body)

    async def check(self) -> Iterable[Finding]:
        """Say in Indonesian what works on this router and what to do about the rest."""
        try:
            body = (await self.poll()).body
        except DeviceError as error:
            return [explain(error, self._account.place)]
        found = [works(f"Pengaturan router di {self._account.place} terbaca lewat SSH.")]
        if isinstance(body, ConfigBody):
            found += [
                fails(f"Cadangan router tidak dapat dibuat ({entry}). Beri hak ftp dan write.")
                for entry in body.missing
            ]
        return found

    async def close(self) -> None:
        """Hold nothing between polls; what was told may have been lost, so it is told again."""
        self._told = Noted()

    def _visit(self, visit: Visit) -> ConfigBody:
        with visit.connected() as transport:
            try:
                version = answer_to(transport, VERSION_COMMAND, 1_000, visit.left())
                export = export_of(answer_to(transport, export_command(version), MAX_TEXT_BYTES, visit.left()))
            except ValueError as error:
                raise AnswerUnreadable(str(error)) from error
            digest = hashlib.sha256(export.text.encode()).hexdigest()
            backup, missing = b"", []
            if self._password and backup_is_due(self._last, digest, self._wall()):
                try:
                    backup = self._backup(transport, visit)
                except AnswerUnreadable as error:
                    missing.append(f"backup: {error}"[:200])
                else:
                    self._note(Noted(self._wall(), digest))
        return self._body(export, digest, backup, missing)

    def _body(self, export: Export, digest: str, backup: bytes, missing: list[str]) -> ConfigBody:
        now, packed = time.monotonic(), b""
        if digest != self._told.digest or now - self._told.at >= DAY_SECONDS:
            packed = zlib.compress(export.text.encode(), 9)
            if len(packed) > MAX_PACKED_BYTES:
                raise AnswerUnreadable(f"the settings are too long: {len(packed)} bytes packed")
            self._told = Noted(now, digest)
        return ConfigBody(
            digest=digest, model=export.model[:200], version=export.version[:200], serial=export.serial[:200],
            packed=packed, left_out=export.left_out[:20], backup=backup, missing=missing,
        )  # fmt: skip

    def _backup(self, transport: Any, visit: Visit) -> bytes:
        """Let the router write its backup, fetch it and take it away again."""
        save = f"/system backup save name={FILE_NAME.partition('.')[0]} encryption=aes-sha256 password={self._password}"
        said = answer_to(transport, save, 10_000, visit.left())
        if "saved" not in said.lower():
            raise AnswerUnreadable(
                " ".join(said.replace(self._password, "***").split())[:150] or "the router says nothing"
            )
        try:
            return file_of(transport, FILE_NAME, MAX_BACKUP_BYTES, visit.left)
        finally:
            answer_to(transport, f"/file remove {FILE_NAME}", 10_000, visit.left())

    def _note(self, last: Noted) -> None:
        self._last = last
        if self._notes is not None:
            replace_file(self._notes, json.dumps(last._asdict()).encode())


def _noted(path: Path | None) -> Noted:
    """Return what the box noted; a file that cannot be read only costs one backup more."""
    if path is None or not path.is_file():
        return Noted()
    try:
        noted = json.loads(path.read_bytes())
        return Noted(float(noted["at"]), str(noted["digest"]))
    except (ValueError, TypeError, KeyError):
        return Noted()
