"""LibreOffice without a screen: what a spreadsheet program of an office makes of our files."""

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import python_calamine

_STORED = re.compile(rb"(<f>[^<]*</f>)<v>[^<]*</v>")


Sheets = dict[str, list[list[object]]]


def recomputed(files: Mapping[str, bytes], folder: Path) -> dict[str, Sheets]:
    """Return the cells of files by name once LibreOffice computed all formulas: our stored results are cut out."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is missing: install libreoffice-calc-nogui")
    sent = [folder / f"{number}.xlsx" for number in range(len(files))]
    for path, data in zip(sent, files.values(), strict=True):
        path.write_bytes(_without_results(data))
    subprocess.run(
        [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "ods",
         "--outdir", str(folder), *map(str, sent)],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    return {name: cells(path.with_suffix(".ods").read_bytes()) for name, path in zip(files, sent, strict=True)}


def cells(data: bytes) -> Sheets:
    """Return the cells of every sheet as they stand in a file."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    return {
        name: [list(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
        for name in book.sheet_names
    }


def _without_results(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(out, "w") as taken:
        for name in given.namelist():
            part = given.read(name)
            taken.writestr(name, _STORED.sub(rb"\1", part) if "worksheets/" in name else part)
    return out.getvalue()
