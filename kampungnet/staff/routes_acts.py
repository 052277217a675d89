"""The log of what staff decided, for engineers and auditors."""

from dataclasses import asdict, dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session
from starlette.datastructures import URL

from kampungnet.core import clock, pages
from kampungnet.core.errors import Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads
from kampungnet.staff import acts, audit
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.acts import Wanted
from kampungnet.staff.models import AuditEntry
from kampungnet.staff.service import Role
from kampungnet.villages import service as villages

PATH: Final = "/catatan"
COMMAND: Final = "kampungnet audit verify --seal"
_BY_COMMAND: Final = N_("Command on the server (%(user)s)")
_SHARED: Final = {audit.SERVER: N_("Command on the server"), audit.BOX: N_("Box of a village")}
_FIELDS: Final = {"kind": "apa", "username": "siapa", "village": "desa", "first": "dari", "last": "sampai"}
"""What each wish is called in the address."""

router = APIRouter(include_in_schema=False)

Before = Annotated[int | None, Query(ge=1, le=2**62)]


def _wanted(apa: str = "", siapa: str = "", desa: str = "", dari: str = "", sampai: str = "") -> Wanted:
    return Wanted(apa, siapa, desa, dari, sampai)


@dataclass(frozen=True, slots=True)
class _Row:
    entry: AuditEntry
    who: str
    moment: str
    what: str
    about: str


@router.get(PATH)
def listed(
    request: Request, db: Reads, staff: CurrentStaff, wanted: Annotated[Wanted, Depends(_wanted)],
    sebelum: Before = None,
) -> Response:  # fmt: skip
    """Show what staff decided, a page at a time."""
    staff.check_sees(Role.ENGINEER, Role.AUDITOR)
    regency, language = staff.scope.regency, pages.language_of(request)
    found, problem = _found(db, regency, wanted, sebelum)
    names = villages.names(db, regency)
    rows = [_row(one, names, language, clock.zone_of(regency)) for one in found[: audit.PAGE]]
    kinds = sorted(((kind, acts.words(kind, language)) for kind in audit.kinds(db, regency)), key=lambda one: one[1])
    people = [
        (username, language.say(_SHARED[username]) if username in _SHARED else name)
        for username, name in acts.people(db, regency)
    ]
    return pages.render(
        request, "staff/audit.html", 422 if problem else 200, rows=rows, kinds=kinds,
        people=people, villages=sorted(names.items(), key=lambda one: (one[1], one[0])),
        wanted=wanted, problem=problem, is_filtered=wanted != Wanted(),
        older=_address(wanted, rows[-1].entry.sequence) if len(found) > audit.PAGE else "",
        newest=_address(wanted) if sebelum else "", seal="{} · {}".format(*audit.head(db, regency)), command=COMMAND,
    )  # fmt: skip


def _found(db: Session, regency: str, wanted: Wanted, before: int | None) -> tuple[list[AuditEntry], str]:
    """Return a page of acts and the first of the next one, or none and what is wrong."""
    try:
        return audit.entries(db, regency, wanted.conditions(clock.zone_of(regency)), before, audit.PAGE + 1), ""
    except Unprocessable as problem:
        return [], problem.sentence


def _row(entry: AuditEntry, names: dict[str, str], language: Language, zone: str) -> _Row:
    moment = language.moment(entry.at_ms, zone, clock.now_ms(), with_zone=False)
    village = names.get(entry.about.split("-")[0])
    about = f"{village} ({entry.about})" if village else entry.about
    return _Row(entry, _who(entry.username, entry.name, language), moment, acts.words(entry.what, language), about)


def _who(username: str, name: str, language: Language) -> str:
    return language.say(_BY_COMMAND, user=name) if username == audit.SERVER else name


def _address(wanted: Wanted, before: int | None = None) -> str:
    asked = {_FIELDS[name]: value for name, value in asdict(wanted).items() if value}
    if before is not None:
        asked["sebelum"] = str(before)
    return str(URL(PATH).include_query_params(**asked))
