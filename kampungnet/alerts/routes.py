"""The page of messages: who gets them and what became of them. Engineers of the kabupaten change who."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from kampungnet.alerts import recipients
from kampungnet.alerts.facts import Kind
from kampungnet.alerts.models import AlertMessage, AlertRecipient
from kampungnet.alerts.outbox import PROBLEMS
from kampungnet.alerts.recipients import NewRecipient
from kampungnet.alerts.words import Speaker
from kampungnet.core import clock, languages, pages
from kampungnet.core.address import public_address
from kampungnet.core.errors import NotFound, Problem
from kampungnet.core.languages import N_, Language
from kampungnet.core.web import Reads, database_of, texts_of
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Role, SignedIn
from kampungnet.villages import service as villages
from kampungnet.villages.models import Regency

MOST_FIELDS: Final = 12
MOST_SHOWN: Final = 50
FIELDS: Final = ("name", "place", "kind", "quiet_first", "quiet_end", "passes", "digest")
"""What is shown again when something is wrong with it. The address never is."""
USUAL: Final = {"kind": Kind.ENGINEER.value, "passes": "critical", "digest": "06:30"}
KINDS: Final = {Kind.ENGINEER: N_("Engineers"), Kind.OPERATOR: N_("Operators")}
PASSES: Final = {
    "critical": N_("only what is urgent (many villages at once)"),
    "warning": N_("every interruption"),
    "none": N_("nothing"),
}
SERVICES: Final = {
    "tgram": "Telegram", "whatsapp": "WhatsApp", "mailto": "e-mail", "mailtos": "e-mail", "json": "JSON",
    "jsons": "JSON",
}  # fmt: skip

router = APIRouter(prefix="/pemberitahuan", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One recipient as people read it."""

    one: AlertRecipient
    kind: str
    service: str
    where: str
    when: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as people read it."""

    to: str
    made: str
    state: str
    is_bad: bool
    first: str
    rest: str


async def _sent(request: Request, _staff: CurrentStaff) -> dict[str, str]:
    return await texts_of(request, MOST_FIELDS)


def speaker() -> Speaker:
    """Return in which language messages are, and the address of the pages."""
    return Speaker(pages.all_languages()[languages.DEFAULT], public_address())


@router.get("")
def shown(request: Request, db: Reads, staff: CurrentStaff) -> Response:
    """Show who gets messages, and the newest ones."""
    _check(staff)
    return _page(request, db, staff, {})


@router.post("")
def done(request: Request, staff: CurrentStaff, sent: Annotated[dict[str, str], Depends(_sent)]) -> Response:
    """Change who gets messages, or show the page again with what is wrong."""
    _check(staff)
    database = database_of(request)
    try:
        with database.writes() as db:
            _do(db, staff, sent, clock.now_ms())
    except Problem as problem:
        with database.reads() as db:
            return _page(request, db, staff, sent, problem)
    return RedirectResponse("/pemberitahuan", 303)


def _check(staff: SignedIn) -> None:
    if staff.role is Role.BUDGET:
        raise NotFound(N_("There is no such page here. Go back to the first page."))


def _do(db: Session, by: SignedIn, sent: Mapping[str, str], now_ms: int) -> None:
    act, key = sent.get("act", ""), sent.get("one", "")
    if act == "add":
        new = NewRecipient(address=sent.get("address", ""), **{name: sent.get(name, "") for name in FIELDS})
        recipients.add(db, by, new, now_ms)
    elif act == "test":
        recipients.test(db, by, key, speaker(), now_ms)
    elif act == "end":
        recipients.end(db, by, key, now_ms)
    else:
        raise NotFound(N_("This page cannot do that. Go back and try again."))


def _page(
    request: Request, db: Session, staff: SignedIn, sent: Mapping[str, str], problem: Problem | None = None
) -> Response:
    language, now_ms, regency = pages.language_of(request), clock.now_ms(), db.get_one(Regency, staff.scope.regency)
    districts, names = villages.districts(db, regency.code), villages.names(db, regency.code)
    where = {regency.code: regency.name, **{code: f"Kecamatan {name}" for code, name in districts.items()}, **names}
    lately = recipients.lately(db, staff.scope, MOST_SHOWN)
    return pages.render(
        request, "alerts/messages.html", problem.status if problem else 200, regency=regency,
        lines=[_line(one, where.get(one.place, one.place), language) for one in recipients.listed(db, staff.scope)],
        messages=[_message(*one, language, regency.time_zone, now_ms) for one in lately],
        places=_places(districts, names), kinds=KINDS, passes=PASSES, has_address=public_address() is not None,
        typed={name: sent.get(name, "") if sent.get("act") == "add" else USUAL.get(name, "") for name in FIELDS},
        zone=clock.abbreviation(regency.time_zone), problem=problem.sentence if problem else None,
        may_change=staff.role is Role.ENGINEER and staff.scope.is_whole,
    )  # fmt: skip


def _places(districts: Mapping[str, str], names: Mapping[str, str]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return code, name and villages of each kecamatan."""
    return [
        (code, name, sorted((one for one in names.items() if one[0].startswith(f"{code}.")), key=lambda one: one[1]))
        for code, name in districts.items()
    ]


def _line(one: AlertRecipient, where: str, language: Language) -> Line:
    said = []
    if one.quiet_first is not None and one.quiet_end is not None:
        hours = (_clock(one.quiet_first, language), _clock(one.quiet_end, language))
        out = next((text for key, text in PASSES.items() if recipients.PASSES[key] == one.passes), "")
        said.append(language.say("Quiet from %(first)s to %(end)s; then goes out: %(what)s.", first=hours[0],
                                 end=hours[1], what=language.say(out)))  # fmt: skip
    if one.digest_minute is not None:
        said.append(language.say("Digest at %(time)s.", time=_clock(one.digest_minute, language)))
    service = SERVICES.get(one.service, one.service)
    return Line(one, language.say(KINDS[Kind(one.kind)]), service, where, " ".join(said))


def _message(
    message: AlertMessage, recipient: AlertRecipient, language: Language, zone: str, now_ms: int
) -> Sent:  # fmt: skip
    first, _, rest = message.text.partition("\n")
    why = language.say(PROBLEMS[message.problem]) if message.problem in PROBLEMS else ""
    if message.sent_ms is not None:
        state, is_bad = language.say("sent %(moment)s", moment=language.moment(message.sent_ms, zone, now_ms)), False
    elif message.next_ms is None:
        state, is_bad = language.say("given up after %(n)s tries: %(why)s", n=message.tries, why=why), True
    elif message.tries:
        next_at = language.time(message.next_ms, zone)
        state = language.say("not sent yet: %(why)s Tried again at %(time)s.", why=why, time=next_at)
        is_bad = True
    else:
        state, is_bad = language.say("waits to be sent"), False
    made = language.moment(message.made_ms, zone, now_ms)
    return Sent(recipient.name, made, state, is_bad, first, rest)


def _clock(minute: int, language: Language) -> str:
    return f"{minute // 60:02}{language.time_mark}{minute % 60:02}"
