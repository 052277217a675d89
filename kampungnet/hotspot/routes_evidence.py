"""The use of free wifi without names: a page with a month to choose, a table for other programs, and JSON."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.csv_file import to_csv
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import DATA_PREFIX, Reads
from kampungnet.hotspot import evidence_month
from kampungnet.hotspot.evidence import SMALLEST_GROUP, Use
from kampungnet.hotspot.evidence_month import DISTRICT_LETTERS, VILLAGE_LETTERS, Month
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import SignedIn

COLUMNS: Final = ("kode", "nama", "perangkat_hari", "jam", "jam_di_luar_jam_kerja", "byte")
HOUR: Final = 3600
_NONE: Final = N_("There is no such place or month here. Go back to the list.")

router = APIRouter(include_in_schema=False)
data_router = APIRouter(prefix=f"{DATA_PREFIX}v1/hotspot-use", tags=["hotspot"])


@dataclass(frozen=True, slots=True)
class UseOut:
    """The use of a place or on a day. All numbers are null where fewer than five devices were there."""

    code: str
    name: str
    device_days: int | None
    seconds: int | None
    seconds_outside_office_hours: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class MonthOut:
    """A month of a place: its parts are kecamatan, villages or days."""

    place: str
    month: str
    days: int
    total: UseOut
    parts: list[UseOut]


@router.get("/pemakaian")
def shown(request: Request, db: Reads, staff: CurrentStaff, bulan: str = "", tempat: str = "") -> Response:
    """Show a month of all that a person may see, of a kecamatan or of a village."""
    language, known = pages.language_of(request), evidence_month.months(db, staff.scope)
    found = _month(db, staff, bulan or (f"{known[0]:%Y-%m}" if known else ""), tempat)
    rows = [(one.code, _name(one.code, one.name, language), _cells(one.use, found.days, language))
            for one in found.parts]  # fmt: skip
    return pages.render(
        request, "hotspot/evidence.html", found=found, rows=rows, total=_cells(found.total, found.days, language),
        months=[(f"{one:%Y-%m}", language.full_day(one).split(" ", 1)[1]) for one in known],
        month_words=language.full_day(found.month).split(" ", 1)[1], smallest=SMALLEST_GROUP,
        is_village=len(found.place) == VILLAGE_LETTERS, is_district=len(found.place) == DISTRICT_LETTERS,
        is_own=found.place == staff.scope.place,
    )  # fmt: skip


@router.get("/berkas/pemakaian-{name}.csv")
def table(db: Reads, staff: CurrentStaff, name: str) -> Response:
    """Give a month as CSV: ``pemakaian-2026-11-35.10.15.csv`` of a kecamatan."""
    found = _month(db, staff, name[:7], name[8:])
    rows = [(one.code, one.name, *_numbers(one.use)) for one in found.parts]
    content = to_csv(COLUMNS, [*rows, (found.place, found.name, *_numbers(found.total))])
    headers = {"Content-Disposition": f'attachment; filename="pemakaian-{found.month:%Y-%m}-{found.place}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@data_router.get("", summary="The use of free wifi in a month, without names")
def data(
    db: Reads,
    staff: CurrentStaff,
    month: Annotated[str, Query(description="Local month", pattern=r"^20\d\d-(0[1-9]|1[0-2])$")],
    place: Annotated[str, Query(description="Code of a kecamatan or village; empty: all", max_length=13)] = "",
) -> MonthOut:
    """Return the month of a place by its parts; days that are not over are not in it."""
    found = _month(db, staff, month, place)
    parts = [_out(one.code, one.name, one.use) for one in found.parts]
    return MonthOut(found.place, month, found.days, _out(found.place, found.name, found.total), parts)


def _month(db: Session, staff: SignedIn, month: str, place: str) -> Month:
    now_ms = clock.now_ms()
    first = clock.month_of(month) if month else clock.local_day(now_ms, "UTC").replace(day=1)
    if first is None:
        raise NotFound(_NONE)
    return evidence_month.of_place(db, staff.scope, place, first, now_ms)


def _name(code: str, name: str, language: Language) -> str:
    return language.day(date.fromisoformat(code)) if "-" in code else name


def _cells(use: Use | None, days: int, language: Language) -> list[str]:
    """Return devices and hours a day, the share outside office hours, and all data."""
    if use is None:
        return [language.say("fewer than %(number)s", number=SMALLEST_GROUP), "–", "–", "–"]
    share, by = use.outside_percent, max(1, days)
    return [
        language.number(use.people / by, 0 if by == 1 else 1), language.number(use.seconds / HOUR / by, 1),
        f"{language.number(share)}%" if share is not None else "–", language.size(use.size),
    ]  # fmt: skip


def _numbers(use: Use | None) -> tuple[str | int, ...]:
    if use is None:
        return (f"kurang dari {SMALLEST_GROUP}", "", "", "")
    return use.people, use.seconds // HOUR, (use.seconds - use.office_seconds) // HOUR, use.size


def _out(code: str, name: str, use: Use | None) -> UseOut:
    if use is None:
        return UseOut(code, name, None, None, None, None)
    return UseOut(code, name, use.people, use.seconds, use.seconds - use.office_seconds, use.size)
