"""poppler-utils: what other people's programs read in our papers."""

import shutil
import subprocess
from pathlib import Path

import pytest


def said(body: bytes, folder: Path, program: str = "pdftotext", *options: str) -> str:
    """Return what one of the programs says of a paper."""
    if shutil.which(program) is None:
        pytest.skip("poppler-utils is not installed here (on Debian: apt install poppler-utils)")
    file = folder / "paper.pdf"
    file.write_bytes(body)
    target = ["-"] if program == "pdftotext" else []
    return subprocess.run([program, *options, file, *target], check=True, capture_output=True, text=True).stdout
