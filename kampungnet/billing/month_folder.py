"""All papers of a regency's month in one folder, whole or not there: statements, tables of all, recaps.

It is written beside its place and moved there when it is complete. ``SHA256SUMS`` names every file, for
``sha256sum -c``; the same books give the same bytes.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.billing import export, paper_xlsx, recap_pdf, recap_xlsx, recaps, rollup
from kampungnet.billing.document import StatementDocument, from_canonical, to_file
from kampungnet.billing.models import Statement, StatementStep
from kampungnet.billing.paper_pdf import Paper, pdf
from kampungnet.billing.rollup import Recap
from kampungnet.billing.statements import PAID
from kampungnet.core.errors import Conflict
from kampungnet.core.languages import Language
from kampungnet.staff.service import Scope

SUMS: Final = "SHA256SUMS"
FAILED: Final = "gagal.csv"
"""Contracts without a paper, and why; only there when there are any."""
File = tuple[str, bytes]
"""Path inside the folder, and content."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A statement as it stands in the books."""

    contract: str
    body: bytes
    paid_by: str


@dataclass(frozen=True, slots=True)
class MonthPapers:
    """What the papers of a month are made of, read at one moment."""

    statements: Sequence[Filed]
    recaps: Mapping[str, Recap]
    failed: dict[str, str] = field(default_factory=dict)
    """Why there is no paper, by contract."""

    @property
    def number(self) -> int:
        """How many files there will be, but for sums and failures."""
        return 2 * len(self.statements) + 3 * len(self.recaps) + 2


def read(db: Session, regency: str, month: date, failed: Mapping[str, str]) -> MonthPapers:
    """Return what the papers are made of, without the contracts that failed already."""
    paid = select(StatementStep.contract, StatementStep.name).where(
        StatementStep.regency == regency, StatementStep.month == month, StatementStep.state == PAID
    )
    payers = {row.contract: row.name for row in db.execute(paid.order_by(StatementStep.step))}
    rows = db.execute(
        select(Statement.contract, Statement.document)
        .where(Statement.regency == regency, Statement.month == month)
        .order_by(Statement.village, Statement.contract)
    )
    found = [Filed(row.contract, row.document, payers.get(row.contract, "")) for row in rows]
    kept = [one for one in found if one.contract not in failed]
    return MonthPapers(kept, recaps.of_month(db, Scope(regency), month), dict(failed))


def files(papers: MonthPapers, language: Language, address: str) -> Iterator[File]:
    """Yield every file. A statement that cannot be written is noted in ``failed`` and stops no other."""
    # The largest paper comes first: what it takes of memory serves the others afterwards.
    for code, recap in papers.recaps.items():
        name = f"rekap/{code or 'kabupaten'}"
        yield f"{name}.pdf", recap_pdf.pdf(recap, language)
        yield f"{name}.xlsx", recap_xlsx.xlsx(recap)
        yield f"{name}.csv", rollup.csv(recap)
    for one in papers.statements:
        try:
            document = from_canonical(one.body)
            paper = pdf(document, Paper(language, address, one.paid_by))
        except (ValueError, RuntimeError) as error:  # unreadable, or the typesetter refuses it
            papers.failed[one.contract] = " ".join(str(error).split())[:200] or type(error).__name__
            continue
        yield f"laporan/{one.contract}.pdf", paper
        yield f"laporan/{one.contract}.json", to_file(document)
    yield "laporan.xlsx", paper_xlsx.many(_documents(papers))
    yield "laporan.csv", paper_xlsx.csv(_documents(papers))
    if papers.failed:
        yield FAILED, export.to_csv(("kontrak", "sebab"), sorted(papers.failed.items()))


def _documents(papers: MonthPapers) -> Iterator[StatementDocument]:
    for one in papers.statements:
        if one.contract not in papers.failed:
            yield from_canonical(one.body)


def write(folder: Path, found: Iterator[File], told: Callable[[int], None]) -> int:
    """Put files into a folder that replaces the one before; return how many.

    Raises ``Conflict`` when somebody else writes there, or when the folder holds what we did not write.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        _check_own(folder)
        new, old = (folder.with_name(f".{folder.name}.{what}") for what in ("new", "old"))
        for left in (new, old):  # of a run that was cut off
            shutil.rmtree(left, ignore_errors=True)
        sums = []
        try:
            for name, content in found:
                path = new / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
                told(len(sums))
            (new / SUMS).write_text("".join(sums))
            os.sync()  # a name that is on disk before its content would look whole after a power cut
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    return len(sums)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict(f"Another close-month writes into {place}: wait until it is done.") from None
    finally:
        os.close(descriptor)


def _check_own(folder: Path) -> None:
    """Refuse to replace a folder with files in it that are none of ours."""
    if not folder.exists():
        return
    sums = folder / SUMS
    known = {line[66:] for line in sums.read_text().splitlines()} if sums.is_file() else set()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name not in known | {SUMS}:
            raise Conflict(f"{path} was not written by close-month: move it away, {folder.name} will be replaced.")
