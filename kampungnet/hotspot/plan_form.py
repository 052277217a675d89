"""The form of a plan: what staff type becomes limits, and limits become what stands in the form. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from kampungnet.core.errors import Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.shared.wanted import OpenHours, WantedPlan

DAYS: Final = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip
MIDNIGHT: Final = 1440
MOST_HOURS: Final = 14
_SPAN: Final = re.compile(r"(\d{1,2})[.:](\d{2})\s*(?:-|–|sampai|to)\s*(\d{1,2})[.:](\d{2})")
_MB: Final = 1_000_000


def read(fields: Mapping[str, str], name: str) -> tuple[str, WantedPlan]:
    """Return title and limits as typed. Raises ``Unprocessable`` with one sentence."""
    devices, priority = _whole(fields, "devices"), _whole(fields, "priority")
    if not 1 <= devices <= 100:
        raise Unprocessable(N_("One to a hundred devices may be online at once."))
    if not 1 <= priority <= 8:
        raise Unprocessable(N_("The priority is 1 to 8; 1 goes first."))
    week = [fields.get(f"open{day}", "") for day in range(7)]
    return fields.get("title", ""), WantedPlan(
        name=name, down_kbps=_whole(fields, "down"), up_kbps=_whole(fields, "up"),
        slow_down_kbps=_whole(fields, "slow_down"), slow_up_kbps=_whole(fields, "slow_up"),
        day_seconds=_whole(fields, "day_minutes") * 60, day_bytes=_whole(fields, "day_mb") * _MB,
        month_bytes=_whole(fields, "month_mb") * _MB, devices=devices, idle_seconds=_whole(fields, "idle") * 60,
        session_seconds=_whole(fields, "session") * 60, hours=hours_of(week),
        priority=priority,
    )  # fmt: skip


def shown(title: str, plan: WantedPlan) -> dict[str, str]:
    """Return what stands in the form of a plan."""
    numbers = {
        "down": plan.down_kbps, "up": plan.up_kbps, "slow_down": plan.slow_down_kbps, "slow_up": plan.slow_up_kbps,
        "day_minutes": plan.day_seconds // 60, "day_mb": plan.day_bytes // _MB, "month_mb": plan.month_bytes // _MB,
        "devices": plan.devices, "idle": plan.idle_seconds // 60, "session": plan.session_seconds // 60,
        "priority": plan.priority,
    }  # fmt: skip
    week = {f"open{day}": text for day, text in enumerate(week_of(plan.hours))}
    return {"name": plan.name, "title": title} | {key: str(value) for key, value in numbers.items()} | week


def hours_of(week: list[str]) -> list[OpenHours]:
    """Return the opening hours of seven lines, Monday first; seven empty ones are always open.

    Hours over midnight end on the next day: the wire knows hours of one day only.
    """
    spans: dict[tuple[int, int], list[int]] = {}
    for day, text in enumerate(week):
        for opens, closes in _spans(text):
            parts = [(day, opens, closes)] if opens < closes else [(day, opens, MIDNIGHT), ((day + 1) % 7, 0, closes)]
            for where, first, last in parts:
                if first < last:
                    spans.setdefault((first, last), []).append(where)
    if len(spans) > MOST_HOURS:
        raise Unprocessable(N_("The week has more than fourteen different hours. Make some of them alike."))
    return [OpenHours(sorted(set(days)), *span) for span, days in sorted(spans.items())]


def week_of(hours: Iterable[OpenHours]) -> list[str]:
    """Return the seven lines of opening hours."""
    week: list[list[str]] = [[] for _ in range(7)]
    for one in sorted(hours, key=lambda each: each.opens):
        for day in one.weekdays:
            week[day].append(f"{_clock(one.opens)}-{_clock(one.closes)}")
    return [", ".join(day) for day in week]


def words(plan: WantedPlan, say: Language) -> list[str]:
    """Return what a plan gives, a sentence each."""
    speed = (
        say.say("%(down)s Mbps down, %(up)s up", down=_mbps(plan.down_kbps, say), up=_mbps(plan.up_kbps, say))
        if plan.down_kbps or plan.up_kbps
        else say.say("as fast as the line")
    )
    quota = [say.duration(plan.day_seconds)] if plan.day_seconds else []
    quota += [say.size(plan.day_bytes)] if plan.day_bytes else []
    found = [speed]
    if quota:
        either = say.say("or")
        found.append(say.say("%(what)s a day, then slower", what=f" {either} ".join(quota)))
    if plan.month_bytes:
        found.append(say.say("%(size)s a month, then slower", size=say.size(plan.month_bytes)))
    found.append(say.say_many("%(n)s device at once", "%(n)s devices at once", plan.devices))
    found.append(say.say("open at certain hours") if plan.hours else say.say("open day and night"))
    return found


def _spans(text: str) -> list[tuple[int, int]]:
    found = []
    for part in text.split(","):
        if not part.strip():
            continue
        span = _SPAN.fullmatch(part.strip())
        if span is None:
            raise Unprocessable(N_("Write hours like 07.00-21.00; several with a comma between."))
        opens, closes = int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])
        if not (
            opens < MIDNIGHT and closes <= MIDNIGHT and int(span[2]) < 60 and int(span[4]) < 60 and opens != closes
        ):
            raise Unprocessable(N_("Write hours like 07.00-21.00; several with a comma between."))
        found.append((opens, closes))
    return found


def _whole(fields: Mapping[str, str], name: str) -> int:
    typed = fields.get(name, "").strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) < 9):
        raise Unprocessable(N_("Please write a whole number."))
    return int(typed)


def _mbps(kbps: int, say: Language) -> str:
    return say.number(kbps / 1000, 1 if kbps % 1000 else 0) if kbps else say.say("unlimited")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}.{minute % 60:02}"
