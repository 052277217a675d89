"""Facts, readers and a memory for the stories of messages."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from kampungnet.alerts import decide, words
from kampungnet.alerts.facts import Act, Alarm, Draft, Fact, Group, Kind, Quiet, Reader, Said, Severity, Work
from kampungnet.alerts.words import Voice
from kampungnet.core import clock, pages
from kampungnet.measurement.incident_words import Told
from kampungnet.measurement.outage_words import Cause
from kampungnet.staff.service import Scope

REGENCY = "35.10"
MINUTE = 60_000
HOUR = 60 * MINUTE
VILLAGES = {f"35.10.15.20{n:02}": f"Desa {n}" for n in range(1, 61)}
CODES = tuple(VILLAGES)


def at(text: str) -> int:
    """Return an instant of WIB, such as 2026-11-29 22:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(clock.WIB)).timestamp() * 1000)


NOON = at("2026-11-29 12:00")


def reader(**more: Any) -> Reader:
    """Return an engineer of the kabupaten who hears of everything since last month."""
    usual = Reader("A1", Kind.ENGINEER, Scope(REGENCY), clock.WIB, at("2026-10-29 00:00"))
    return replace(usual, **more)


def quiet(first: str, end: str, passes: int = Severity.CRITICAL) -> Quiet:
    """Return quiet hours written as times of the day."""
    minutes = [60 * int(text[:2]) + int(text[3:]) for text in (first, end)]
    return Quiet(minutes[0], minutes[1], passes)


def incident(
    one_id: str = "i1", codes: Sequence[str] = CODES[:1], start_ms: int = NOON - HOUR, end_ms: int | None = None,
    cause: Cause = Cause.FIBER, **more: Any,
) -> Fact:  # fmt: skip
    """Return an incident of villages on the cable FO Utara."""
    names = more.pop("names", VILLAGES)
    villages = [(code, names[code]) for code in codes]
    place = (codes[0],) if len(codes) == 1 else ("FO Utara",)
    is_silence = more.pop("is_silence", False)
    about = Told(one_id, start_ms, end_ms, cause, 0.8, is_silence, place, max(1, len(codes)), False, False, villages)  # noqa: FBT003 -- as the page's own words are made
    fact = Fact(
        f"incident:{one_id}", Severity.CRITICAL if len(codes) >= 5 else Severity.WARNING, start_ms, end_ms,
        frozenset(codes), "silence" if is_silence else cause.value, "/".join(place), about,
    )  # fmt: skip
    return replace(fact, **more)


def work(start_ms: int, end_ms: int, *, withdrawn: bool = False, reason: str = "Ganti tiang") -> Fact:
    """Return planned work for the whole kabupaten."""
    about = Work([REGENCY], "PT Serat", reason, start_ms - 2 * clock.DAY_MS, withdrawn)
    return Fact("work:w1", Severity.INFO, start_ms, end_ms, frozenset(), "", "", about)


def group(number: int = 3, start_ms: int = NOON, end_ms: int | None = None, **more: Any) -> Fact:
    """Return a group of alerts as Alertmanager hands it in."""
    alarms = tuple(
        Alarm(f"f{n}", "RouterHot", CODES[n], f"Desa {n}", "Router panas di Kec. Glagah", "75 °C sejak lama", "")
        for n in range(number)
    )
    fact = Fact("group:g1", Severity.WARNING, start_ms, end_ms, frozenset(one.fingerprint for one in alarms),
                "RouterHot", "group:g1", Group(alarms, 0))  # fmt: skip
    return replace(fact, **more)


class Ear:
    """One reader over time: what was decided is remembered as the outbox does, and heard where it is loud."""

    def __init__(self, who: Reader | None = None) -> None:
        self.reader = who or reader()
        self.history: list[Said] = []

    def listen(self, now_ms: int, *facts: Fact) -> list[Draft]:
        """Decide, remember, and check that deciding again says nothing; return what is sent."""
        drafted = decide.drafts(facts, self.history, self.reader, now_ms)
        self.history += [_said(one, now_ms) for one in drafted]
        assert decide.drafts(facts, self.history, self.reader, now_ms) == [], "asked twice, said once"
        return [one for one in drafted if one.is_loud]

    def acts(self, now_ms: int, *facts: Fact) -> list[Act]:
        """Return the same as acts."""
        return [one.act for one in self.listen(now_ms, *facts)]


def _said(one: Draft, now_ms: int) -> Said:
    return Said(
        one.topic, one.number, one.act, now_ms, one.start_ms, one.members, one.sign, one.spot, one.is_loud
    )  # fmt: skip


@cache
def _indonesian() -> Any:
    return pages.all_languages()["id"]


def voice(now_ms: int, kind: Kind = Kind.ENGINEER, **names: str) -> Voice:
    """Return how a reader is spoken to."""
    known = {REGENCY: "Kabupaten Banyuwangi", **VILLAGES, **names}
    return Voice(_indonesian(), kind, clock.WIB, now_ms, known, "https://kn.example")


def texts(drafts: Iterable[Draft], now_ms: int, kind: Kind = Kind.ENGINEER) -> list[str]:
    """Return what drafts say."""
    return [words.text_of(one, voice(now_ms, kind)) for one in drafts]
