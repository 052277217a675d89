"""Remote hands: say what will happen, note what is asked, and hand out what boxes collected."""

from typing import Annotated, Final, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_
from kampungnet.core.web import Reads, Writes, texts_of
from kampungnet.devices.service import VillageState, village_states
from kampungnet.hands import bundles, service, words
from kampungnet.hands.service import LIFE_MS, Wish
from kampungnet.shared.orders import Bundle, OrderKind
from kampungnet.staff import audit
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role

_MOST_FIELDS: Final = 4
_NO_STORE: Final = {"Cache-Control": "no-store"}
_KINDS: Final = {address: kind for kind, address in words.ADDRESS.items()}
_NOTHING: Final = N_("There is no such page here. Go back to the first page.")

router = APIRouter(include_in_schema=False)


class Here(NamedTuple):
    """What is asked for, and of which village."""

    kind: OrderKind
    device: str
    place: tuple[str, str]
    state: VillageState


def _may(staff: CurrentStaff, code: str, act: str) -> OrderKind:
    staff.scope.check(code)
    kind = _KINDS.get(act)
    if kind is None:
        raise NotFound(_NOTHING)
    staff.check_role(*service.roles(kind))
    return kind


def _here(
    db: Reads, staff: CurrentStaff, code: str, kind: Annotated[OrderKind, Depends(_may, scope="function")],
    perangkat: Annotated[str, Query(max_length=200)] = "",
) -> Here:  # fmt: skip
    found = village_states(db, staff.scope.regency, clock.now_ms(), only=code)
    site = found[0].site if found else None
    if site is None or (kind, perangkat) not in service.abilities(db, (staff.scope.regency, site)):
        raise NotFound(service.CANNOT)
    return Here(kind, perangkat, (staff.scope.regency, site), found[0])


AtVillage = Annotated[Here, Depends(_here, scope="function")]


@router.get("/desa/{code}/jauh/{act}")
def confirm(request: Request, here: AtVillage) -> Response:
    """Say what will happen, before anything does."""
    language = pages.language_of(request)
    kinds = {one.name: one.kind for one in here.state.devices}
    return pages.render(
        request, "hands/confirm.html", village=here.state.village, kind=here.kind.value, device=here.device,
        title=words.title(here.kind, here.device, kinds.get(here.device, ""), language),
        heard=language.age(here.state.last_report_ms, clock.now_ms()), life=language.duration(LIFE_MS / 1000),
        most=service.MOST_LETTERS, address=request.url.path,
    )  # fmt: skip


async def _reason(request: Request, _checked: Annotated[OrderKind, Depends(_may, scope="function")]) -> str:
    return " ".join((await texts_of(request, _MOST_FIELDS)).get("reason", "").split())


Reason = Annotated[str, Depends(_reason, scope="function")]


@router.post("/desa/{code}/jauh/{act}")
def ask(db: Writes, staff: CurrentStaff, code: str, here: AtVillage, reason: Reason) -> Response:
    """Note what is asked for; the box fetches it."""
    service.ask(db, staff, here.place, Wish(here.kind, here.device, reason), clock.now_ms())
    return RedirectResponse(f"/desa/{code}#jauh", 303)


def _bundle(db: Reads, staff: CurrentStaff, code: str, order: str) -> tuple[str, Bundle]:
    staff.scope.check(code)
    staff.check_role(Role.ENGINEER)
    found = bundles.of_order(db, staff.scope.regency, order)
    if found is None or found.site.rpartition("-")[0] != code:
        raise NotFound(N_("These facts are not kept any more. Ask the box for new ones."))
    return found.site, bundles.opened(found.packed)


Kept = Annotated[tuple[str, Bundle], Depends(_bundle, scope="function")]


@router.get("/desa/{code}/keterangan/{order}")
def read(request: Request, db: Reads, staff: CurrentStaff, code: str, order: str, kept: Kept) -> Response:
    """Show what a box collected."""
    state = village_states(db, staff.scope.regency, clock.now_ms(), only=code)[0]
    return pages.render(
        request, "hands/bundle.html", village=state.village, bundle=kept[1],
        address=f"/desa/{code}/keterangan/{order}/berkas",
    )  # fmt: skip


@router.post("/desa/{code}/keterangan/{order}/berkas")
def download(db: Writes, staff: CurrentStaff, code: str, order: str, kept: Kept) -> Response:
    """Hand out what a box collected as one file; who took it stands in the log."""
    audit.record(db, staff, audit.Act("hands.read", code, "", None, {"order": order}), clock.now_ms())
    name = f"kampungnet-{kept[0]}.json"
    headers = _NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    body = msgspec.json.format(msgspec.json.encode(kept[1]), indent=1)
    return Response(body, media_type="application/json", headers=headers)
