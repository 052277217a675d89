"""Vouchers at the desk of a village: batches, one voucher, the code on paper, and the paper itself."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.core import clock, pages
from kampungnet.core.errors import NotFound, Problem, Unprocessable
from kampungnet.core.languages import N_
from kampungnet.core.web import Reads, database_of
from kampungnet.hotspot import batches, guesses, paper, portals, voucher_page, vouchers
from kampungnet.hotspot.guesses import Asker
from kampungnet.hotspot.models import VoucherBatch
from kampungnet.hotspot.paper import PaperSize
from kampungnet.hotspot.portals import Place
from kampungnet.hotspot.routes_desk import Sent, line, place_of, sent_form
from kampungnet.hotspot.voucher_state import State
from kampungnet.measurement.routes_ledger import SeenSites, Sites
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages

router = APIRouter(prefix="/desa/{code}/wifi/voucher", include_in_schema=False)

_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_SIZES: Final = (
    (PaperSize.A4, "A4"),
    (PaperSize.ROLL_58, "58\N{NO-BREAK SPACE}mm"),
    (PaperSize.ROLL_80, "80\N{NO-BREAK SPACE}mm"),
)
_UNKNOWN: Final = N_("This page cannot do that. Go back and try again.")
Form = Annotated[Sent, Depends(sent_form)]


@router.get("")
def listed(request: Request, db: Reads, staff: CurrentStaff, seen: SeenSites) -> Response:
    """Show the batches, with forms for a new one and for the code on a paper."""
    return _list_page(request, db, staff, seen)


@router.post("")
def done(request: Request, staff: CurrentStaff, seen: SeenSites, sent: Form) -> Response:
    """Make a batch, look a code up, or set what stands on the paper."""
    database, place, now_ms = database_of(request), place_of(seen), clock.now_ms()
    try:
        if sent.text("act") == "find":
            where = _find(request, staff, place, sent.text("typed"), now_ms)
        else:
            with database.writes() as db:
                where = _do(db, staff, place, sent, now_ms)
    except Problem as problem:
        with database.reads() as db:
            return _list_page(request, db, staff, seen, problem, sent)
    return RedirectResponse(f"/desa/{seen.village}/wifi/voucher{where}", 303)


@router.get("/{batch}")
def batch(request: Request, db: Reads, staff: CurrentStaff, seen: SeenSites, batch: str, dari: str = "1") -> Response:
    """Show a batch, a hundred vouchers at a time."""
    return _batch_page(request, db, staff, seen, (vouchers.batch(db, place_of(seen), batch), _first(dari)))


@router.post("/{batch}")
def batch_done(request: Request, staff: CurrentStaff, seen: SeenSites, sent: Form, batch: str) -> Response:
    """Print a batch, revoke it, or give all of it more time."""
    database, place, now_ms = database_of(request), place_of(seen), clock.now_ms()
    try:
        if sent.text("act") == "print":
            return _paper(request, staff, seen, sent, batch)
        with database.writes() as db:
            _do_all(db, staff, vouchers.batch(db, place, batch), sent, now_ms)
    except Problem as problem:
        with database.reads() as db:
            one = vouchers.batch(db, place, batch)
            return _batch_page(request, db, staff, seen, (one, 1), problem)
    return RedirectResponse(f"/desa/{seen.village}/wifi/voucher/{batch}", 303)


@router.get("/{batch}/{serial}")
def voucher(request: Request, db: Reads, staff: CurrentStaff, seen: SeenSites, batch: str, serial: str) -> Response:
    """Show one voucher: plan, state, what is left, first use; never who."""
    return _voucher_page(request, db, staff, seen, (batch, serial))


@router.post("/{batch}/{serial}")
def voucher_done(
    request: Request, staff: CurrentStaff, seen: SeenSites, sent: Form, batch: str, serial: str
) -> Response:
    """Revoke one voucher or give it more time."""
    database, place, now_ms = database_of(request), place_of(seen), clock.now_ms()
    try:
        with database.writes() as db:
            one = batches.voucher(db, vouchers.batch(db, place, batch), _number(serial), held=True)
            if sent.text("act") == "revoke":
                vouchers.revoke(db, staff, one, sent.text("reason"), now_ms)
            elif sent.text("act") == "extend":
                vouchers.extend(db, staff, one, voucher_page.more_seconds(sent.fields), now_ms)
            else:
                raise NotFound(_UNKNOWN)
    except Problem as problem:
        with database.reads() as db:
            return _voucher_page(request, db, staff, seen, (batch, serial), problem)
    return RedirectResponse(f"/desa/{seen.village}/wifi/voucher/{batch}/{serial}", 303)


def _do(db: Session, by: SignedIn, place: Place, sent: Sent, now_ms: int) -> str:
    act = sent.text("act")
    if act == "make":
        wanted = voucher_page.new_batch(sent.fields, clock.zone_of(place[0]))
        return f"/{vouchers.issue(db, by, place, wanted, now_ms).id}"
    if act == "paper":
        name = sent.text("router_name").strip().lower()
        if paper.login_address(name) is None:
            raise Unprocessable(N_("The router's name looks like wifi.desa, or is an address like 10.5.50.1."))
        rules = portals.policy(db, place)
        rules = msgspec.structs.replace(rules, wifi_name=line(sent.text("wifi_name")), router_name=name)
        portals.set_policy(db, by, place, rules, now_ms)
        return ""
    raise NotFound(_UNKNOWN)


def _do_all(db: Session, by: SignedIn, one: VoucherBatch, sent: Sent, now_ms: int) -> None:
    if sent.text("act") == "revoke":
        batches.revoke_all(db, by, one, sent.text("reason"), now_ms)
    elif sent.text("act") == "extend":
        batches.extend_all(db, by, one, voucher_page.more_seconds(sent.fields), now_ms)
    else:
        raise NotFound(_UNKNOWN)


def _find(request: Request, by: SignedIn, place: Place, typed: str, now_ms: int) -> str:
    """Return where the voucher of a code is. What is none is counted, which must be kept although it is refused."""
    by.check_role(Role.ENGINEER, Role.OPERATOR)
    asker = Asker(by.username, request.client.host if request.client else "")
    with database_of(request).writes() as db:
        guesses.check(db, place, asker, now_ms)
        try:
            found, of = vouchers.look_up(db, place, typed)
            return f"/{of.id}/{found.serial}"
        except NotFound as problem:
            refused = problem
            guesses.note(db, place, asker, now_ms)
    raise refused


def _paper(request: Request, staff: SignedIn, seen: Sites, sent: Sent, name: str) -> Response:
    place, now_ms = place_of(seen), clock.now_ms()
    if sent.text("size") not in list(PaperSize):
        raise Unprocessable(N_("Choose a paper: A4, or a roll of 58 or 80 mm."))
    size, first = PaperSize(sent.text("size")), _first(sent.text("first") or "1")
    with database_of(request).writes() as db:
        one = vouchers.batch(db, place, name)
        printed = batches.to_print(db, staff, one, first, now_ms)
        sheet = voucher_page.sheet(db, place, one, villages.village(db, seen.village).name)
    # The typesetter works for seconds: nobody waits for the database meanwhile.
    body = paper.pdf(sheet, printed, size, pages.all_languages()["id"])
    file = f'attachment; filename="voucher-{name}-{printed[0].serial}-{size.value}.pdf"'
    return Response(body, media_type="application/pdf", headers=_NO_STORE | {"Content-Disposition": file})


def _first(typed: str) -> int:
    return max(1, int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 0


def _is_staff(staff: SignedIn) -> bool:
    return staff.role in {Role.ENGINEER, Role.OPERATOR}


def _list_page(
    request: Request, db: Session, staff: SignedIn, seen: Sites, problem: Problem | None = None,
    sent: Sent | None = None,
) -> Response:  # fmt: skip
    place, language = place_of(seen), pages.language_of(request)
    return pages.render(
        request, "hotspot/vouchers.html", problem.status if problem else 200,
        village=villages.village(db, seen.village), batches=voucher_page.rows(db, place, language, clock.now_ms()),
        plans=list(portals.plans(db, place[0]).items()), policy=portals.policy(db, place),
        may_change=_is_staff(staff), problem=problem.sentence if problem else None,
        typed=sent.fields if sent and sent.text("act") == "make" else {}, most=vouchers.MOST_IN_BATCH,
    )  # fmt: skip


def _batch_page(
    request: Request, db: Session, staff: SignedIn, seen: Sites, of: tuple[VoucherBatch, int],
    problem: Problem | None = None,
) -> Response:  # fmt: skip
    (one, first), language, now_ms = of, pages.language_of(request), clock.now_ms()
    numbers = batches.numbers(db, one, now_ms)
    return pages.render(
        request, "hotspot/voucher_batch.html", problem.status if problem else 200,
        village=villages.village(db, seen.village), batch=one, told=voucher_page.told(db, one, language),
        states=[(language.say(voucher_page.STATES[state]), number) for state, number in numbers.items() if number],
        rows=[voucher_page.row(voucher, one, language, now_ms) for voucher in batches.some_of(db, one, first)],
        first=first, page=batches.PAGE, parts=list(range(1, one.number + 1, batches.IN_ONE_PAPER)),
        in_one=batches.IN_ONE_PAPER, sizes=_SIZES, may_change=_is_staff(staff),
        may_print=_is_staff(staff) and numbers[State.FRESH] > 0, may_end=one.number > numbers[State.REVOKED],
        has_qr=bool(portals.policy(db, place_of(seen)).login), problem=problem.sentence if problem else None,
    )  # fmt: skip


def _voucher_page(
    request: Request, db: Session, staff: SignedIn, seen: Sites, name: tuple[str, str],
    problem: Problem | None = None,
) -> Response:  # fmt: skip
    language = pages.language_of(request)
    one = vouchers.batch(db, place_of(seen), name[0])
    found = batches.voucher(db, one, _number(name[1]))
    return pages.render(
        request, "hotspot/voucher.html", problem.status if problem else 200,
        village=villages.village(db, seen.village), batch=one, told=voucher_page.told(db, one, language),
        voucher=voucher_page.row(found, one, language, clock.now_ms()), revoked=found.revoked_ms is not None,
        may_change=_is_staff(staff), problem=problem.sentence if problem else None,
    )  # fmt: skip
