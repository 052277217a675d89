"""Pure: a recap in, its paper as PDF out: A4 lying, Indonesian, tagged, the same bytes every time."""

import calendar
from datetime import date
from pathlib import Path
from typing import Any, Final

from kampungnet.billing.money import figures, in_brackets
from kampungnet.billing.rollup import MISSING, Recap, Row
from kampungnet.core.languages import Language
from kampungnet.core.typesetting import typeset

_TEMPLATE: Final = Path(__file__).parent / "paper/recap.typ"
COLUMNS: Final = (
    "Kode", "Uraian", "Anggaran (Rp)", "Realisasi (Rp)", "Lebih/(Kurang) (Rp)", "Persentase (%)",
    "Disetujui, belum dibayar (Rp)", "Laporan bulan ini (Rp)",
)  # fmt: skip
STATES: Final = {"draft": "draf", "checked": "diperiksa", "approved": "disetujui", "paid": "dibayar"}
_MEANS: Final = (
    "Realisasi: laporan yang sudah dibayar sejak Januari, dengan saldo awal, termasuk pajak. "
    "Setiap jumlah adalah jumlah dari baris-baris di atasnya."
)


def pdf(recap: Recap, language: Language) -> bytes:
    """Return the paper of a recap; ``language`` is Indonesian, given so that nothing is read here."""
    year, month = (int(part) for part in recap.month.split("-"))
    last = date(year, month, calendar.monthrange(year, month)[1])
    name = language.full_day(last).split(" ", 1)[1]
    return typeset(
        _TEMPLATE,
        {
            "title": f"Laporan Realisasi Belanja Langganan Internet {recap.title} {recap.month}",
            "date": [last.year, last.month, last.day], "place": recap.title,
            "period": f"Sampai dengan {name}, Tahun Anggaran {year}", "notes": [_MEANS, _papers(recap)],
            "columns": COLUMNS, "total": _cells(recap.total),
            "groups": [
                {"name": group.name, "rows": [_cells(row) for row in group.rows], "total": _cells(group.total)}
                for group in recap.groups
            ],
            "funds": [_cells(row) for row in recap.funds], "fund_total": _cells(recap.fund_total),
            "missing": [[words, list(getattr(recap.missing, what))] for words, what in MISSING],
            "foot": f"KampungNet · {recap.title} · {recap.month}",
        },
    )  # fmt: skip


def _papers(recap: Recap) -> str:
    states = recap.states
    told = ", ".join(f"{states[state]} {words}" for state, words in STATES.items() if states.get(state))
    return f"Laporan bulan ini: {sum(states.values())}{f' ({told})' if told else ''}."


def _cells(row: Row) -> list[Any]:
    return [
        row.code, row.name, figures(row.budget), figures(row.realised), in_brackets(row.left), row.percent,
        figures(row.reserved), figures(row.due),
    ]  # fmt: skip
