"""Rows that people typed become entries of the books, or faults that name line, column and what to do.

A file is taken as a whole or not at all: with one fault in it nothing of it can be confirmed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

from kampungnet.billing import money, sheets
from kampungnet.billing.sheets import Row, Table
from kampungnet.core.languages import N_

Value = TypeVar("Value")

_VILLAGE: Final = re.compile(r"(\d\d)\.?(\d\d)\.?(\d\d)(?:\.?(\d{4}))?", re.ASCII)
_GROUPS: Final = re.compile(r"\d{1,4}(?:\.\d{1,4}){2,6}", re.ASCII)
MOST_LETTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Unit:
    """Who has a budget: a desa, kelurahan or kecamatan office."""

    code: str
    name: str
    kind: str
    """``desa``, ``kelurahan`` or ``kecamatan``."""
    district: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a file. ``sentence`` is a text of the catalogue with ``values`` to fill in."""

    line: int
    column: str
    letter: str
    sentence: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Register:
    """The units that a person may write for."""

    units: Mapping[str, Unit]
    npwps: Mapping[str, str] = field(default_factory=dict)
    """Tax numbers of providers (by their codes) that stand in the books and are not this person's to change."""

    def named(self, name: str, district: str) -> list[Unit]:
        """Return the units of a name, in a kecamatan where one is given. Four villages may be called Jetis."""
        wanted, within = _plain(name), _plain(district)
        return [
            one for one in self.units.values()
            if _plain(one.name) == wanted and within in {"", _plain(one.district)}
        ]  # fmt: skip


class Typed:
    """One row as it is taken in: each method returns a value, or notes a fault and returns ``None``."""

    def __init__(self, table: Table, row: Row, faults: list[Fault]) -> None:
        self._table, self._row, self._faults = table, row, faults
        self._before = len(faults)

    @property
    def is_good(self) -> bool:
        """Tell whether nothing was wrong until now."""
        return len(self._faults) == self._before

    @property
    def line(self) -> int:
        """Its line in the file."""
        return self._row.line

    def wrong(self, column: str, sentence: str, **values: str) -> None:
        """Note a fault in a column."""
        self._faults.append(Fault(self._row.line, column, self._table.letter(column), sentence, values))

    def unit(self, register: Register) -> Unit | None:
        """Return who the row is about: by code, or by a name that only one has."""
        code, name, district = (self._row.text(one) for one in ("kode", "nama", "kecamatan"))
        if code:
            return self._coded(register, code, name)
        found = register.named(name, district) if name else []
        if len(found) == 1:
            return found[0]
        if found:
            self.wrong("nama", N_("There are %(number)s places called %(name)s: write the code of the one you mean."),
                       number=str(len(found)), name=name)  # fmt: skip
        elif name:
            self.wrong("nama", N_("There is no place called %(name)s in your list: write its code."), name=name)
        else:
            self.wrong("kode", N_("The code of the village is missing."))
        return None

    def _coded(self, register: Register, code: str, name: str) -> Unit | None:
        found = _VILLAGE.fullmatch(code)
        unit = register.units.get(".".join(part for part in found.groups() if part)) if found else None
        if unit is None:
            self.wrong("kode", N_("%(code)s is no village or kecamatan that you may write for."), code=code[:40])
        elif name and _plain(name) != _plain(unit.name):
            self.wrong("nama", N_("Code %(code)s is %(real)s, not %(name)s: correct one of them."),
                       code=unit.code, real=unit.name, name=name[:60])  # fmt: skip
            return None
        return unit

    def text(self, column: str, *, required: bool = False) -> str:
        """Return a text in one line."""
        text = self._row.text(column)
        if required and not text:
            self.wrong(column, N_("Nothing is written here. Please fill it in."))
        elif len(text) > MOST_LETTERS or not text.isprintable():
            self.wrong(column, N_("This text is longer than 300 letters, or has signs that nobody can read."))
        return text

    def amount(self, column: str, *, required: bool = True) -> int | None:
        """Return whole rupiah, not below zero."""
        cell = self._row.get(column)
        if cell == "" and not required:
            return None
        try:
            found = money.read(cell if isinstance(cell, (str, float)) else str(cell))
        except money.AmountUnreadable as problem:
            self.wrong(column, problem.sentence)
            return None
        if found < 0:
            self.wrong(column, N_("This amount is below zero."))
            return None
        return found

    def day(self, column: str, *, required: bool = True) -> date | None:
        """Return a day between 2000 and 2099."""
        cell = self._row.get(column)
        if cell == "" and not required:
            return None
        found = sheets.day(cell)
        if found is None or not 2000 <= found.year <= 2099:
            self.wrong(column, N_("This is no day: write it like 31/07/2026."))
            return None
        return found

    def whole(self, column: str, least: int, most: int, *, required: bool = True) -> int | None:
        """Return a whole number within bounds."""
        return self._number(column, sheets.whole, (least, most), required)

    def decimal(self, column: str, least: int, most: int, *, required: bool = True) -> Decimal | None:
        """Return a number within bounds, with a decimal comma or point."""
        return self._number(column, sheets.decimal, (least, most), required)

    def choice(self, column: str, choices: Mapping[str, Value], *, default: Value | None = None) -> Value | None:
        """Return what one of the known words stands for; an empty cell is the default where there is one."""
        word = self._row.text(column).lower()
        if not word and default is not None:
            return default
        if word not in choices:
            self.wrong(column, N_("Write one of: %(words)s."), words=", ".join(choices))
            return None
        return choices[word]

    def code(self, column: str, *, required: bool = True) -> str:
        """Return an account or activity code in its short form: ``02.06.03.`` is ``2.6.03``."""
        typed = self._row.text(column).strip(". ")
        if not typed and not required:
            return ""
        if not _GROUPS.fullmatch(typed):
            self.wrong(column, N_("This is no code like 2.6.03 or 5.2.5.05."))
            return ""
        return short_code(typed)

    def _number(
        self, column: str, read: Callable[[Any], Value | None], bounds: tuple[int, int], required: bool
    ) -> Value | None:
        cell = self._row.get(column)
        if cell == "" and not required:
            return None
        found: Any = read(cell)
        if found is None or not bounds[0] <= found <= bounds[1]:
            self.wrong(column, N_("Write a number from %(least)s to %(most)s."), least=str(bounds[0]),
                       most=str(bounds[1]))  # fmt: skip
            return None
        return found  # type: ignore[no-any-return]  # what `read` returns


def short_code(typed: str) -> str:
    """Return a code as the Permendagri 20/2018 chart writes it; longer ones (APBD) stay as they are (facts 2)."""
    groups = typed.strip(". ").split(".")
    if len(groups) > 4:
        return ".".join(groups)
    return ".".join([*(str(int(group)) for group in groups[:-1]), f"{int(groups[-1]):02}"])


def _plain(name: str) -> str:
    """Return a name without case, blanks and signs: Kebon-Agung and KEBON AGUNG are one place."""
    words = re.sub(r"^(desa|kelurahan|kel\.|kecamatan|kec\.)\s+", "", name.lower().strip())
    return re.sub(r"[\W_]+", "", words)
