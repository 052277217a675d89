"""What an engineer does with the box of a village: put another one in its place, or revoke it for good.

A box that is replaced just ends. One click makes a stolen box useless: no key it ever had, and no unused code of its
village, opens anything any more.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from kampungnet.core import clock, pages
from kampungnet.core.address import public_address
from kampungnet.core.errors import Conflict, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.core.web import Writes, texts_of
from kampungnet.devices import service
from kampungnet.staff import audit
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role
from kampungnet.villages import service as villages

MOST_LETTERS: Final = 300
_MOST_FIELDS: Final = 4

router = APIRouter(include_in_schema=False)


def _engineer(staff: CurrentStaff, code: str) -> None:
    staff.scope.check(code)
    staff.check_role(Role.ENGINEER)


async def _reason(request: Request, _checked: Annotated[None, Depends(_engineer, scope="function")]) -> str:
    reason = " ".join((await texts_of(request, _MOST_FIELDS)).get("reason", "").split())
    if not reason or len(reason) > MOST_LETTERS or not reason.isprintable():
        raise Unprocessable(N_("Say in a few words why, so that others can follow it later."))
    return reason


Reason = Annotated[str, Depends(_reason)]


@router.post("/desa/{code}/kotak")
def revoke(db: Writes, staff: CurrentStaff, code: str, reason: Reason) -> Response:
    """Take the right to report from the boxes of a village, for good."""
    village, now_ms = villages.village(db, code), clock.now_ms()
    number = service.revoke(db, village, now_ms)
    if not number:
        raise Conflict(N_("No box of this village may report. A new one needs a code from the server."))
    audit.record(db, staff, Act("box.revoke", code, reason, None, {"boxes": number}), now_ms)
    return RedirectResponse(f"/desa/{code}", 303)


@router.post("/desa/{code}/kotak/ganti")
def replace(request: Request, db: Writes, staff: CurrentStaff, code: str, reason: Reason) -> Response:
    """Show a one-time code: the box that uses it takes the place of the one before."""
    village, now_ms = villages.village(db, code), clock.now_ms()
    one_time = service.issue_code(db, village, now_ms)
    audit.record(db, staff, Act("box.code", code, reason, None, {}), now_ms)
    command = f"kampungnet-agent enrol --server {public_address() or 'https://…'} --code {one_time}"
    return pages.render(request, "devices/code.html", village=village, code=one_time, command=command)
