"""``kampungnet-agent record``: one poll of a real device as a folder that anybody may see, and that becomes a test.

The folder holds the masked answers, the reading that belongs to them (``expected.json``) and a README. Nothing of it
is written before all of it was searched for what must not be in it.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Mapping
from contextvars import copy_context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from kampungnet_agent import record_routeros, record_snmp, record_ssh
from kampungnet_agent.agent import build_driver
from kampungnet_agent.driver import Polled
from kampungnet_agent.record_mask import Mask
from kampungnet_agent.record_reading import masked_body
from kampungnet_agent.record_tape import TAPE, Tape
from kampungnet_agent.settings import Device
from kampungnet_agent.version import VERSION

LEAST_SECONDS: Final = 60.0
"""A first poll asks everything; the deadline of everyday polls may be too short for it."""
_SHORTEST_SECRET: Final = 4
_SAID_BY_THE_LINE: Final = frozenset(
    {"tls", "tls_verify", "ca_file", "version", "auth_protocol", "priv_protocol", "host_key"}
)
"""Options of how to reach the real device, which say nothing about its replay."""

_CHOICES: Final = frozenset({"cli", "purpose"})
"""Options that choose one of our own words."""


class RecordError(Exception):
    """The device could not be recorded; one sentence for a person, in Indonesian."""


class Heard(NamedTuple):
    """One poll: what was answered, and what the driver made of it."""

    tape: Tape
    polled: Polled


def record(device: Device, output: Path | None, key: bytes) -> Path:
    """Poll ``device`` once and write its recording; return the folder.

    ``key`` hides the names and must be random. Raises :class:`RecordError`, ``DeviceError`` when the device
    does not answer, ``SettingsError`` when the driver does not accept its settings.
    """
    if output is not None:
        _refuse_to_overwrite(output)
    heard = copy_context().run(listen, device)
    return write(device, heard, output or Path(_name_of(device, heard.polled)), Mask(key))


def listen(device: Device) -> Heard:
    """Poll once with a tape running; in a context of its own, or the tape goes on."""
    tape = Tape()
    TAPE.set(tape)

    async def once() -> Polled:
        driver = build_driver(device)
        try:
            async with asyncio.timeout(max(LEAST_SECONDS, device.timeout_seconds)):
                return await driver.poll()
        except TimeoutError as error:
            raise RecordError("Perangkat tidak selesai menjawab; jalankan kampungnet-agent check.") from error
        finally:
            await driver.close()

    return Heard(tape, asyncio.run(once()))


def write(device: Device, heard: Heard, folder: Path, mask: Mask) -> Path:
    """Write what was heard to a new folder, masked; raises :class:`RecordError`."""
    _refuse_to_overwrite(folder)
    files = _files(device, heard.tape, heard.polled, mask)
    _refuse_to_leak(device, files, mask)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".record-") as beside:
        ready = Path(beside) / "ready"
        ready.mkdir()
        for name, content in files.items():
            (ready / name).write_bytes(content)
        ready.rename(folder)  # the whole folder at once, or nothing
    return folder


def _files(device: Device, tape: Tape, polled: Polled, mask: Mask) -> dict[str, bytes]:
    known = frozenset(getattr(polled.body, name, "") for name in ("model", "version")) - {""}
    files: dict[str, bytes] = {}
    if tape.exchanges:
        files["answers.json"] = record_routeros.answers_of(tape.exchanges, mask)
    if tape.objects:
        files["answers.snmprec"] = record_snmp.answers_of(tape.objects, mask, known)
    if tape.transcript:
        files["answers.ssh.json"] = record_ssh.answers_of(tape.transcript, mask, known)
    if not files:
        raise RecordError(f"Driver {device.driver} tidak bisa direkam.")
    expected = {
        "driver": device.driver,
        "settings": _settings(device, mask),
        "uptime_seconds": polled.uptime_seconds,
        "body": masked_body(polled.body, mask),
    }
    files["expected.json"] = (json.dumps(expected, indent=1, ensure_ascii=False) + "\n").encode()
    files["README.md"] = _readme(device, expected["body"], mask).encode()
    return files


def _settings(device: Device, mask: Mask) -> dict[str, Any]:
    options = {
        name: value if name in _CHOICES else _hidden(value, mask)
        for name, value in device.options.items()
        if name not in _SAID_BY_THE_LINE and not name.endswith(("secret", "file"))
    }
    return {
        "wan_interface": mask.text(device.wan_interface),
        "ping_address": mask.text(device.ping_address),
        "server_host": mask.text(device.server_host),
        "options": options,
    }


def _hidden(value: Any, mask: Mask) -> Any:
    if isinstance(value, list | tuple):
        return [_hidden(one, mask) for one in value]
    return mask.text(value) if isinstance(value, str) else value


def _name_of(device: Device, polled: Polled) -> str:
    body = polled.body
    parts = (device.driver, getattr(body, "board", "") or getattr(body, "model", ""), getattr(body, "version", ""))
    return "-".join(re.sub(r"[^a-z0-9.]+", "-", part.lower()).strip("-.")[:40] for part in parts if part)


def _readme(device: Device, body: Mapping[str, Any], mask: Mask) -> str:
    hidden = "\n".join(f"- {kind}: {times}" for kind, times in sorted(mask.hidden.items())) or "- -"
    return f"""# Rekaman {body.get("board") or body.get("model") or device.driver} {body.get("version", "")}

Jawaban asli satu perangkat pada satu kali baca oleh driver `{device.driver}`, dibuat dengan `kampungnet-agent record`.

| | |
|---|---|
| tanggal | {datetime.now(UTC):%Y-%m-%d} (UTC) |
| perangkat | {body.get("board", "")} {body.get("model", "")} |
| versi | {body.get("version", "")} |
| agent | {VERSION} |

`answers.*` jawaban mentahnya, `expected.json` hasil baca yang seharusnya. Putar ulang: `kampungnet-sim replay FOLDER`.
Sebagai uji: salin folder ini ke `tests/conformance/recorded/`.

## Yang disamarkan

Nama, pengguna, komentar, SSID, nomor seri, alamat MAC dan alamat IP publik diganti dengan huruf dan angka lain; yang
sama tetap sama, dan tidak bisa dikembalikan. Sandi dan community tidak ikut direkam. Angka, status dan versi asli.

{hidden}
"""


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.exists():
        raise RecordError(f"{folder} sudah ada dan tidak ditimpa; pilih nama lain dengan --output.")


def _refuse_to_leak(device: Device, files: Mapping[str, bytes], mask: Mask) -> None:
    """Search all that will be written for secrets and identifiers, and write nothing when one is left."""
    secrets = [device.secret, *(str(value) for name, value in device.options.items() if name.endswith("secret"))]
    forbidden = [re.escape(one) for one in (*secrets, *mask.identifiers) if len(one) >= _SHORTEST_SECRET]
    if not forbidden:
        return
    found = re.compile(rf"(?<![\w.])(?:{'|'.join(forbidden)})(?![\w.]\w)", re.IGNORECASE)
    for name, content in files.items():
        if found.search(content.decode("utf-8", "replace")):
            raise RecordError(f"Sandi atau alamat masih tampak dalam {name}; tidak ada yang ditulis. Laporkan ini.")
