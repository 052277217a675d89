"""How a route learns who asks: ``staff: CurrentStaff`` in its parameters."""

from typing import Annotated, Final

from fastapi import Depends, Request

from kampungnet.core import clock
from kampungnet.core.errors import NotAllowed, NotSignedIn
from kampungnet.core.languages import N_
from kampungnet.core.web import Reads, database_of, sight_of
from kampungnet.staff import service
from kampungnet.staff.service import SignedIn
from kampungnet.villages.models import Regency

_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


def cookie_name(request: Request) -> str:
    """Return the session cookie's name. ``__Host-`` binds it to this host and to https.

    Raises ``NotAllowed`` over plain http from another machine: the password would be readable on the way.
    """
    if request.url.scheme == "https":
        return "__Host-kampungnet"
    if request.url.hostname in _LOOPBACK:
        return "kampungnet"
    raise NotAllowed(N_("Signing in works only over https. Open this address with https:// in front."))


def signed_in(request: Request, db: Reads) -> SignedIn:
    """Return who asks. Raises ``NotSignedIn``, which a page answers with the sign-in form."""
    now_ms, token = clock.now_ms(), request.cookies.get(cookie_name(request))
    found = service.staff_of(db, token, now_ms) if token else None
    if token is None or found is None:
        raise NotSignedIn(N_("Please sign in first."))
    staff, touch_is_due = found
    if touch_is_due:
        with database_of(request).writes() as writing:
            service.touch(writing, token, now_ms)
    request.state.signed_in = staff
    sight_of(request).see(staff.scope.place)
    request.state.kabupaten = db.get_one(Regency, staff.scope.regency).name
    return staff


CurrentStaff = Annotated[SignedIn, Depends(signed_in, scope="function")]
