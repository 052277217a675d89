"""Statements for programs: JSON with all that is needed to recompute them, for the same eyes as the pages."""

import os
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from kampungnet.billing import statements
from kampungnet.billing.document import to_file
from kampungnet.billing.models import Statement
from kampungnet.billing.paper_pdf import Paper, pdf
from kampungnet.billing.paper_xlsx import xlsx
from kampungnet.core import clock, pages
from kampungnet.core.address import ADDRESS
from kampungnet.core.web import DATA_PREFIX, Reads
from kampungnet.staff.access import CurrentStaff

_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "Not signed in"},
    404: {"description": "No such statement here"},
    422: {"description": "A month that is none"},
}
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PATTERN: Final = r"^20\d\d-(0[1-9]|1[0-2])$"
Month = Annotated[str, Path(description="Local month", pattern=_PATTERN)]

router = APIRouter(prefix=f"{DATA_PREFIX}v1/statements", tags=["statements"], responses=_ERRORS)
paper_router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class StatementOut:
    """One contract's month. ``judged`` is false where too little was measured to judge the service."""

    contract: str
    unit: str
    village: str
    month: str
    state: str
    number: str
    total_rupiah: int
    judged: bool
    sha256: str
    made: str


@router.get("", summary="The statements of a month")
def listed(
    db: Reads, staff: CurrentStaff, month: Annotated[str, Query(description="Local month", pattern=_PATTERN)]
) -> list[StatementOut]:
    """Return the statements that this person may see, by village."""
    zone = clock.zone_of(staff.scope.regency)
    return [_out(one, zone) for one in statements.of_month(db, staff.scope, _first(month))]


@router.get("/{contract}/{month}", summary="One statement, whole: facts, terms, lines and its hash")
def one(db: Reads, staff: CurrentStaff, contract: str, month: Month) -> Response:
    """Return the file that ``kampungnet verify`` recomputes; an approved one has the same bytes for ever."""
    row = statements.find(db, staff.scope, contract, _first(month))
    name = f"{row.contract}-{row.month:%Y-%m}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Statement-State": row.state}
    return Response(to_file(statements.document_of(row)), media_type="application/json", headers=headers)


def _out(row: Statement, zone: str) -> StatementOut:
    return StatementOut(
        row.contract, row.unit, row.village, f"{row.month:%Y-%m}", row.state, statements.number_text(row),
        row.total_rupiah, row.judged, row.hash, clock.local(row.made_ms, zone).isoformat(),
    )  # fmt: skip


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


@paper_router.get("/laporan/{contract}/{month}.pdf")
def paper(request: Request, db: Reads, staff: CurrentStaff, contract: str, month: Month) -> Response:
    """Return the paper of a statement; an approved one has the same bytes for ever, until it is paid."""
    row = statements.find(db, staff.scope, contract, _first(month))
    address = os.environ.get(ADDRESS) or str(request.base_url)
    asked = Paper(pages.all_languages()["id"], address, statements.paid_by(db, row))
    headers = {"Content-Disposition": f'inline; filename="{row.contract}-{row.month:%Y-%m}.pdf"'}
    return Response(pdf(statements.document_of(row), asked), media_type="application/pdf", headers=headers)


@paper_router.get("/laporan/{contract}/{month}.xlsx")
def sheet(db: Reads, staff: CurrentStaff, contract: str, month: Month) -> Response:
    """Return a statement as a spreadsheet whose formulas come to its total."""
    row = statements.find(db, staff.scope, contract, _first(month))
    headers = {"Content-Disposition": f'attachment; filename="{row.contract}-{row.month:%Y-%m}.xlsx"'}
    body = xlsx(statements.document_of(row), pages.all_languages()["id"])
    return Response(body, media_type=_XLSX, headers=headers)


@paper_router.get("/laporan/{contract}/{month}.json")
def file(db: Reads, staff: CurrentStaff, contract: str, month: Month) -> Response:
    """Return the same file as the JSON for programs."""
    return one(db, staff, contract, month)
