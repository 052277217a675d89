"""Codes of the charts of accounts, with the names people know them by: those shipped, and a regency's own on top."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.billing.intake import Fault, Register, Typed
from kampungnet.billing.models import AccountCode
from kampungnet.billing.sheets import Table
from kampungnet.core.languages import N_
from kampungnet.core.rows import upsert

COLUMNS: Final = ("bagan", "kode", "nama")
REQUIRED: Final = COLUMNS
ACTIVITY, VILLAGE, REGENCY = "kegiatan", "desa", "apbd"
_CHARTS: Final = {one: one for one in (ACTIVITY, VILLAGE, REGENCY)}

SHIPPED: Final[Mapping[tuple[str, str], str]] = {
    (VILLAGE, "5.2.5.04"): "Belanja Jasa Langganan Telepon",
    (VILLAGE, "5.2.5.05"): "Belanja Jasa Langganan Internet",
    (VILLAGE, "5.2.6.08"): "Belanja Pemeliharaan Jaringan dan Instalasi (Listrik, Telepon, Internet, Komunikasi, dll)",
    (ACTIVITY, "1.1.04"): "Penyediaan Operasional Pemerintah Desa (ATK, Honor PKPKD dan PPKD dll)",
    (ACTIVITY, "1.1.08"): "Penyediaan Operasional Pemerintah Desa yang bersumber dari Dana Desa",
    (ACTIVITY, "1.4.08"): "Pengembangan Sistem Informasi Desa",
    (ACTIVITY, "2.6.02"): "Penyelenggaraan Informasi Publik Desa (poster, baliho dll)",
    (ACTIVITY, "2.6.03"): "Pengelolaan dan Pembuatan Jaringan/Instalasi Komunikasi dan Informasi Lokal Desa",
    (REGENCY, "5.1.02.02.01.0063"): "Belanja Kawat/Faksimili/Internet/TV Berlangganan",
}
"""What internet is booked on by Permendagri 20/2018 and in the APBD (facts 2.1, 2.2, 1.8)."""


class AccountEntry(msgspec.Struct, frozen=True):
    """One row of a file of codes."""

    line: int
    chart: str
    code: str
    name: str


def understood(table: Table, _known: Register) -> tuple[list[AccountEntry], list[Fault]]:
    """Return the rows of a file of codes as entries, and whatever is wrong with it."""
    entries: list[AccountEntry] = []
    faults: list[Fault] = []
    seen: dict[tuple[str, str], int] = {}
    for row in table.rows:
        typed = Typed(table, row, faults)
        chart, code, name = typed.choice("bagan", _CHARTS), typed.code("kode"), typed.text("nama", required=True)
        if not typed.is_good or chart is None:
            continue
        if (chart, code) in seen:
            typed.wrong("kode", N_("This code stands in line %(line)s already."), line=str(seen[chart, code]))
        seen.setdefault((chart, code), typed.line)
        entries.append(AccountEntry(typed.line, chart, code, name))
    return entries, faults


def store(db: Session, regency: str, entries: Sequence[AccountEntry], _by: tuple[str, int]) -> int:
    """Put entries into the books; a code that is known gets its new name. Return how many they are."""
    rows = [{"regency": regency, "chart": one.chart, "code": one.code, "name": one.name} for one in entries]
    upsert(db, AccountCode, rows, ("regency", "chart", "code"), ("name",))
    return len(entries)


def names(db: Session, regency: str) -> dict[tuple[str, str], str]:
    """Return the names by chart and code, sorted; a regency's own replace those shipped."""
    rows = db.scalars(select(AccountCode).where(AccountCode.regency == regency))
    own = {(one.chart, one.code): one.name for one in rows}
    return dict(sorted({**SHIPPED, **own}.items()))


def account_name(known: Mapping[tuple[str, str], str], account: str) -> str:
    """Return the name of a rekening, in whichever chart it is; empty for one that nobody named."""
    return known.get((VILLAGE, account)) or known.get((REGENCY, account)) or ""
