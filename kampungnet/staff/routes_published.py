"""The heads of the log, for everybody to keep. Nothing of the acts themselves is shown."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from kampungnet.core import clock, pages
from kampungnet.core.sight import EVERYTHING
from kampungnet.core.web import Reads, sight_of
from kampungnet.staff import audit, published
from kampungnet.villages import service as villages

PATH: Final = "/segel"
COMMAND: Final = "kampungnet audit verify --published segel.html"

router = APIRouter(include_in_schema=False)


@router.get(PATH)
def shown(request: Request, db: Reads) -> Response:
    """Show the heads of the last days."""
    now_ms = clock.now_ms()
    sight_of(request).see(EVERYTHING)  # seals of all acts say nothing of any
    regencies = [one.code for one in villages.regencies(db)]
    lines = [str(head) for one in regencies for head in published.heads(db, one, now_ms)]
    breaks = [(one, number) for one in regencies if (number := audit.begun_anew(db, one))]
    return pages.render(request, "staff/published.html", lines=lines, breaks=breaks, command=COMMAND)
