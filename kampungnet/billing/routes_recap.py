"""Recaps on pages and as files: a kabupaten by kecamatan, a kecamatan by desa, down to the statement."""

from collections.abc import Callable
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.billing import recap_page, recap_pdf, recap_xlsx, recaps, rollup, statements, words
from kampungnet.billing.rollup import Recap
from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.core.web import Reads
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import SignedIn
from kampungnet.villages.models import Regency

FORMATS: Final[dict[str, tuple[Callable[[Recap], bytes], str]]] = {
    "pdf": (lambda recap: recap_pdf.pdf(recap, pages.all_languages()["id"]), "application/pdf"),
    "xlsx": (recap_xlsx.xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": (rollup.csv, "text/csv; charset=utf-8"),
}
"""How a recap is written, and what browsers call it."""
_NONE: Final = N_("There is no such recap here. Go back to the list.")

router = APIRouter(include_in_schema=False)


@router.get("/rekap")
def newest(db: Reads, staff: CurrentStaff, bulan: str = "") -> Response:
    """Lead to the recap of a month, or of the newest with statements."""
    known = statements.months(db, staff.scope)
    month = clock.month_of(bulan) or (known[0] if known else _today(staff).replace(day=1))
    return RedirectResponse(f"/rekap/{month:%Y-%m}", 303)


@router.get("/rekap/{month}")
def whole(request: Request, db: Reads, staff: CurrentStaff, month: str) -> Response:
    """Show the recap of all that a person may see: by kecamatan, or of the own village."""
    return _page(request, db, staff, month, "")


@router.get("/rekap/{month}/{district}")
def of_district(request: Request, db: Reads, staff: CurrentStaff, month: str, district: str) -> Response:
    """Show the recap of a kecamatan, one row for each desa."""
    return _page(request, db, staff, month, district)


@router.get("/berkas/rekap-{name}.{ending}")
def file(db: Reads, staff: CurrentStaff, name: str, ending: str) -> Response:
    """Give a recap as a file: ``rekap-2026-07.pdf`` of all, ``rekap-2026-07-35.10.15.csv`` of a kecamatan."""
    first, recap = _recap(db, staff, name[:7], name[8:])
    if ending not in FORMATS or name != f"{first:%Y-%m}-{name[8:]}".removesuffix("-"):
        raise NotFound(_NONE)
    make, kind = FORMATS[ending]
    headers = {"Content-Disposition": f'attachment; filename="rekap-{name}.{ending}"'}
    return Response(make(recap), media_type=kind, headers=headers)


def _recap(db: Session, staff: SignedIn, month: str, district: str) -> tuple[date, Recap]:
    first = clock.month_of(month)
    found = recaps.of_place(db, staff.scope, first, district) if first and district.isprintable() else None
    if first is None or found is None:
        raise NotFound(_NONE)
    return first, found


def _page(request: Request, db: Session, staff: SignedIn, month: str, district: str) -> Response:
    (first, recap), language = _recap(db, staff, month, district), pages.language_of(request)
    by_district = not district and staff.scope.is_whole
    known = sorted({first, *statements.months(db, staff.scope)}, reverse=True)
    return pages.render(
        request, "billing/recap.html", regency=db.get_one(Regency, staff.scope.regency), recap=recap, month=first,
        told=recap_page.told(recap, language, by_district=by_district), by_district=by_district, district=district,
        headings=recap_page.headings(language), month_words=words.month(language, first),
        months=[(f"{one:%Y-%m}", words.month(language, one)) for one in known], endings=tuple(FORMATS),
        name=f"{first:%Y-%m}-{district}".removesuffix("-"),
    )  # fmt: skip


def _today(staff: SignedIn) -> date:
    return clock.local_day(clock.now_ms(), clock.zone_of(staff.scope.regency))
