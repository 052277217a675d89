"""Writes the boards as Grafana reads them: ``python -m dashboards.grafana.build``, or ``make dashboards``."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana import anggaran, desa, frame, hotspot, kabupaten, kecamatan, kesehatan, perangkat
from dashboards.grafana.frame import Board

BOARDS: Final[tuple[Callable[[], Board], ...]] = (
    kabupaten.board, kecamatan.board, desa.board, perangkat.board, hotspot.board, anggaran.board, kesehatan.board,
)  # fmt: skip

FOLDER: Final = Path(__file__).parent / "boards" / "KampungNet"
"""Grafana makes a folder of the same name of it (``foldersFromFilesStructure``)."""


def texts(console: str = frame.CONSOLE, zone: str = frame.ZONE) -> dict[str, str]:
    """Return the content of every board by the name of its file; the same every time."""
    return {
        f"{board.uid.removeprefix('kn-')}.json": frame.settled(_text(frame.built(board)), console, zone)
        for board in (make() for make in BOARDS)
    }


def write(folder: Path, console: str, zone: str) -> None:
    """Write all boards into a folder, and take away what is none of them any more."""
    folder.mkdir(parents=True, exist_ok=True)
    made = texts(console, zone)
    for old in folder.glob("*.json"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def main() -> None:
    """Write them where they are committed, or for another server into another folder."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write (default: the folder here)")
    parser.add_argument("--console", default=frame.CONSOLE, help="where people find the server's own pages")
    parser.add_argument("--zone", default=frame.ZONE, help="Asia/Jakarta, Asia/Makassar or Asia/Jayapura")
    options = parser.parse_args()
    write(options.folder, options.console.rstrip("/"), options.zone)


def _text(board: object) -> str:
    return json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
