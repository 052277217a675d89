"""What the conformance tests proved, in a file of its own, so that the page on devices can be made without the shelf.

`make devices` runs the tests, which write here the recordings that passed, and then makes the page.
"""

import json
import os
from pathlib import Path
from typing import Final

from kampungnet_sim.replay import RecordingError, read_file
from tests.conformance.cli_texts import ONT, onus_of, screen_of
from tests.conformance.onu_tables import TABLES
from tests.conformance.router_rows import READERS
from tests.conformance.shelf import Kind, Recording
from tests.conformance.walk import read_walk

PROVED: Final = Path(__file__).parent / "proved.json"
WRITES: Final = "KAMPUNGNET_WRITE_PROVED"
"""Set by `make devices`."""

Proof = dict[str, str]
passed: Final[dict[str, Recording]] = {}
failed: Final[set[str]] = set()


def note(recording: Recording, *, good: bool) -> None:
    """Remember how a test of one recording ended."""
    passed[recording.name] = recording
    if not good:
        failed.add(recording.name)


def write_if_asked() -> None:
    """Write what was proved, if `make devices` runs the tests."""
    if os.environ.get(WRITES):
        proofs = [proof for name, one in sorted(passed.items()) if name not in failed and (proof := proof_of(one))]
        PROVED.write_text(json.dumps(proofs, indent=1, ensure_ascii=False) + "\n")


def read_proofs() -> list[Proof]:
    """Return what was proved when `make devices` last ran."""
    proofs: list[Proof] = json.loads(PROVED.read_text())
    return proofs


def proof_of(recording: Recording) -> Proof:
    """Return what a passed test says of a device; empty when the recording is of none."""
    if recording.kind is Kind.WALK:
        values = read_walk(recording.path).values
        described = str(values.get("1.3.6.1.2.1.1.1.0", "")).splitlines()
        system = str(values.get("1.3.6.1.2.1.1.2.0", "")).removeprefix(".")
        tables = ",".join(table.serial for table in TABLES if read_walk(recording.path).column(table.serial))
        device = described[0][:60] if described else ""
        return {"recording": recording.name, "by": "snmp", "device": device, "system": system, "onus": tables}
    if recording.kind is Kind.CLI:
        screen = screen_of(recording)
        if (screen.cli == "huawei-ont" and screen.command in ONT) or onus_of(screen):
            return {"recording": recording.name, "by": "ssh", "cli": screen.cli, "device": screen.command}
        return {}
    if recording.kind in {Kind.ROUTEROS_ROWS, Kind.ROUTEROS_TERMINAL}:
        return _router(recording)
    return {}


def _router(recording: Recording) -> Proof:
    try:
        [(command, rows), *_] = read_file(recording.path).items()
    except (RecordingError, ValueError):
        return {}
    if command not in READERS:
        return {}  # it arrived as it was recorded, but says nothing that a reading has
    version = rows[0].get("version", "") if rows and command == "/system/resource/print" else ""
    board = rows[0].get("board-name", "") if rows and command == "/system/resource/print" else ""
    return {"recording": recording.name, "by": "api", "device": board, "version": version, "command": command}
