"""A scanner of papers: pictures as printers make them (poppler-utils), QR codes as phones read them (zbar-tools)."""

import shutil
import subprocess
from pathlib import Path

import pytest


def scanned(body: bytes, folder: Path, dots: int) -> list[str]:
    """Return what the QR codes of a paper say, printed at so many dots an inch; page by page, in no order on a page."""
    for program, package in (("pdftoppm", "poppler-utils"), ("zbarimg", "zbar-tools")):
        if shutil.which(program) is None:
            pytest.skip(f"{package} is not installed here (on Debian: apt install {package})")
    file = folder / "scanned.pdf"
    file.write_bytes(body)
    subprocess.run(["pdftoppm", "-r", str(dots), "-gray", file, folder / "scanned"], check=True)
    pictures = sorted(folder.glob("scanned-*.pgm"))
    reads = ["zbarimg", "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", *map(str, pictures)]
    return subprocess.run(reads, check=True, capture_output=True, text=True).stdout.splitlines()
