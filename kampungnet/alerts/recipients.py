"""Who gets messages: engineers of the kabupaten enter, test and end them. Addresses are sealed, never shown again."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.alerts import outbox
from kampungnet.alerts.facts import NOTHING, Kind, Severity
from kampungnet.alerts.models import AlertMessage, AlertRecipient
from kampungnet.alerts.outbox import PURPOSE, add_test
from kampungnet.alerts.sender import LOCAL, service_of
from kampungnet.alerts.words import Speaker
from kampungnet.core.errors import Conflict, NotAllowed, NotFound, Unprocessable
from kampungnet.core.keys import keys_of
from kampungnet.core.languages import N_
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages

MOST: Final = 100
MOST_LETTERS: Final = 100
LONGEST_ADDRESS: Final = 1000
PASSES: Final = {"critical": int(Severity.CRITICAL), "warning": int(Severity.WARNING), "none": NOTHING}
_TIME: Final = re.compile(r"([01]?\d|2[0-3])[.:]([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewRecipient:
    """What somebody typed. Times are local, like 22:00; empty: none."""

    name: str
    address: str
    place: str
    kind: str = Kind.ENGINEER
    quiet_first: str = ""
    quiet_end: str = ""
    passes: str = "critical"
    digest: str = ""

    def __repr__(self) -> str:
        """Return nothing of the address: it is a secret."""
        return f"NewRecipient({self.name!r}, …)"


def listed(db: Session, scope: Scope) -> list[AlertRecipient]:
    """Return the recipients that somebody may know of, by name."""
    asked = select(AlertRecipient).where(AlertRecipient.regency == scope.regency, AlertRecipient.ended_ms.is_(None))
    asked = asked.where(scope.where(AlertRecipient.place)).order_by(AlertRecipient.name, AlertRecipient.id)
    return list(db.scalars(asked))


def lately(db: Session, scope: Scope, most: int) -> Sequence[tuple[AlertMessage, AlertRecipient]]:
    """Return the newest messages to recipients that somebody may know of."""
    same = (AlertRecipient.regency == AlertMessage.regency) & (AlertRecipient.id == AlertMessage.recipient)
    asked = select(AlertMessage, AlertRecipient).join(AlertRecipient, same).where(AlertMessage.text != "")
    asked = asked.where(AlertMessage.regency == scope.regency, scope.where(AlertRecipient.place))
    rows = db.execute(asked.order_by(AlertMessage.made_ms.desc(), AlertMessage.topic, AlertMessage.number).limit(most))
    return [(message, recipient) for message, recipient in rows]


def add(db: Session, by: SignedIn, new: NewRecipient, now_ms: int) -> AlertRecipient:
    """Enter a recipient. Raises ``Unprocessable`` or ``Conflict`` with one sentence."""
    _check_editor(by)
    one = enter(db, by.scope.regency, by.name, new, now_ms)
    told = {"name": one.name, "place": one.place, "kind": one.kind, "service": one.service}
    audit.record(db, by, Act("alerts.add", one.id, "", None, told), now_ms)
    return one


def enter(db: Session, regency: str, made_by: str, new: NewRecipient, now_ms: int) -> AlertRecipient:
    """Store a recipient; who may do so was asked before."""
    if len(listed(db, Scope(regency))) >= MOST:
        raise Conflict(N_("There are a hundred recipients already. End one that nobody needs first."))
    address = new.address.strip()
    service = service_of(address)
    if not service or service in LOCAL or len(address) > LONGEST_ADDRESS or not address.isprintable():
        raise Unprocessable(N_("Type an address of apprise, like tgram://TOKEN/CHAT or mailtos://NAME:PASSWORD@HOST."))
    if new.kind not in set(Kind) or new.passes not in PASSES:
        raise Unprocessable(N_("Choose for whom the words are, and what goes out in quiet hours."))
    quiet = (_minute(new.quiet_first), _minute(new.quiet_end))
    if (quiet[0] is None) is not (quiet[1] is None) or (quiet[0] is not None and quiet[0] == quiet[1]):
        raise Unprocessable(N_("Quiet hours need a beginning and another end; leave both empty for none."))
    one_id = f"A{secrets.token_hex(6)}"
    one = AlertRecipient(
        regency=regency, id=one_id, name=_name(new.name), place=_place(db, regency, new.place), kind=new.kind,
        service=service, address=keys_of(db).seal(PURPOSE, address.encode(), f"{regency}/{one_id}"),
        quiet_first=quiet[0], quiet_end=quiet[1], passes=PASSES[new.passes], digest_minute=_minute(new.digest),
        since_ms=now_ms, made_by=made_by, ended_ms=None,
    )  # fmt: skip
    db.add(one)
    db.flush()
    return one


def end(db: Session, by: SignedIn, key: str, now_ms: int) -> str:
    """Send somebody nothing more, forget the address, and return the name. Raises ``NotFound``."""
    _check_editor(by)
    one = found(db, by.scope, key)
    outbox.end(one, now_ms)
    audit.record(db, by, Act("alerts.end", key, "", {"name": one.name, "place": one.place}), now_ms)
    return one.name


def test(db: Session, by: SignedIn, key: str, speaker: Speaker, now_ms: int) -> None:
    """Send somebody a message that only shows that messages arrive. Raises ``NotFound``."""
    _check_editor(by)
    add_test(db, found(db, by.scope, key), speaker, now_ms)


def found(db: Session, scope: Scope, key: str) -> AlertRecipient:
    """Return a recipient that still gets messages. Raises ``NotFound``."""
    one = db.get(AlertRecipient, (scope.regency, key)) if key.isalnum() and key.isascii() else None
    if one is None or one.ended_ms is not None or not scope.covers(one.place):
        raise NotFound(N_("There is no such recipient any more. Look at the list again."))
    return one


def _check_editor(by: SignedIn) -> None:
    by.check_role(Role.ENGINEER)
    if not by.scope.is_whole:
        raise NotAllowed(N_("This list is the kabupaten's. Ask an engineer of Kominfo."))


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > MOST_LETTERS or not name.isprintable():
        raise Unprocessable(N_("Give the recipient a name of up to 100 letters that people can read."))
    return name


def _place(db: Session, regency: str, code: str) -> str:
    place = code.strip() or regency
    if place not in {regency, *villages.districts(db, regency), *villages.names(db, regency)}:
        raise Unprocessable(N_("This place is not in this kabupaten. Please choose again."))
    return place


def _minute(typed: str) -> int | None:
    if not typed.strip():
        return None
    read = _TIME.fullmatch(typed.strip())
    if read is None:
        raise Unprocessable(N_("Type times like 22:00, or leave them empty."))
    return 60 * int(read[1]) + int(read[2])
