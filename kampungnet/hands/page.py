"""What of remote hands a person sees on a village's page: what they may ask for, and what became of what was asked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.devices.models import Device
from kampungnet.hands import bundles, service, words
from kampungnet.hands.words import OrderLine
from kampungnet.shared.orders import OrderKind
from kampungnet.staff.service import Role, SignedIn

BESIDE_MS: Final = 2 * 60_000
"""A poll before the restart may be the last that was good."""
SHOWN_MS: Final = 14 * clock.DAY_MS
"""As long as bundles are kept."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something this person may ask for."""

    title: str
    address: str


@dataclass(frozen=True, slots=True)
class HandsCard:
    """Everything from afar of one village."""

    offers: list[Offer]
    lines: list[OrderLine]
    no_ont: bool
    """There is an ONT, and no way is known to start it anew from afar."""
    too_old: bool
    """The box says nothing of what it can do: it was installed before this was possible."""


def card(
    db: Session, by: SignedIn, place: tuple[str, str], devices: Iterable[Device], language: Language
) -> HandsCard | None:
    """Return what to show of a site; ``None`` when this person has nothing to do with it."""
    kinds = {one.name: one.kind for one in devices}
    can = service.abilities(db, place)
    offers = [_offer(kind, device, kinds, place, language) for kind, device in can if service.may(by, kind)]
    lines = recent_lines(db, place, kinds, language)
    if not offers and not lines and by.role is not Role.ENGINEER:
        return None
    restarted = {device for kind, device in can if kind is OrderKind.RESTART}
    no_ont = by.role is Role.ENGINEER and words.onts_out_of_reach(kinds, restarted)
    return HandsCard(offers, lines, no_ont, too_old=not can)


def recent_lines(db: Session, place: tuple[str, str], kinds: Mapping[str, str], language: Language) -> list[OrderLine]:
    """Return the newest orders of a site in words."""
    now_ms = clock.now_ms()
    found = service.recent(db, place[0], [place[1]], now_ms - SHOWN_MS)
    kept = bundles.kept(db, place[0], [one.id for one in found])
    return [words.line(one, kinds.get(one.device, ""), language, now_ms, has_bundle=one.id in kept) for one in found]


def restarted(db: Session, place: tuple[str, str], since_ms: int, language: Language) -> Callable[[int, str], str]:
    """Return what adds to the note of an interruption that a restart from afar lies beside it.

    It stands beside what was measured and changes nothing of it: no cause, and no minute that a provider answers for.
    """
    known = [
        (one.taken_ms or 0, one.ended_ms or (one.taken_ms or 0) + service.LIFE_MS, one.asked_name)
        for one in service.restarts(db, place, since_ms)
    ]

    def note(start_ms: int, before: str) -> str:
        names = [name for begun, ended, name in known if begun - BESIDE_MS <= start_ms <= ended]
        said = [language.say("Restarted from afar by %(name)s at that time.", name=name) for name in names[:1]]
        return " ".join([before, *said]).strip()

    return note


def _offer(kind: OrderKind, device: str, kinds: Mapping[str, str], place: tuple[str, str], language: Language) -> Offer:
    village = place[1].rpartition("-")[0]
    which = f"?perangkat={quote(device, safe='')}" if device else ""
    name = words.title(kind, device, kinds.get(device, ""), language)
    return Offer(name, f"/desa/{village}/jauh/{words.ADDRESS[kind]}{which}")
