"""Pure: the days, hours and readings behind a sum of traffic, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from kampungnet.core import clock
from kampungnet.core.languages import N_, Language
from kampungnet.measurement import traffic
from kampungnet.measurement.counts import Visit
from kampungnet.measurement.ledger import Flag, Slot, Step
from kampungnet.measurement.percentile import SLOT_SECONDS
from kampungnet.measurement.site_traffic import LineDay
from kampungnet.measurement.slots import SLOT_MS, SLOTS_A_DAY
from kampungnet.shared.wire import Outcome

HOUR_MS: Final = 3_600_000
REMARKS: Final[Mapping[Flag, str]] = {
    Flag.LOWER_BOUND: N_("at least so much"),
    Flag.NEW_LIFE: N_("a counter began anew"),
    Flag.PARTLY: N_("seen in part"),
    Flag.GAP: N_("no readings in between"),
    Flag.IMPOSSIBLE: N_("more than the line can carry was set aside"),
    Flag.CONFLICT: N_("two readings that contradict each other were set aside"),
}
ENDINGS: Final[Mapping[Outcome, str]] = {
    Outcome.OK: N_("answered"),
    Outcome.UNREACHABLE: N_("did not answer"),
    Outcome.LOGIN_REFUSED: N_("refused the box's login"),
    Outcome.UNREADABLE: N_("answered what nobody understands"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch of time: a day, an hour or five minutes."""

    name: str
    address: str
    """What its name leads to, relative to the village; empty for five minutes."""
    received: str
    sent: str
    measured: str
    highest: str
    """The highest five minutes received; empty where the row is one of five minutes."""
    remarks: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One visit to the router."""

    time: str
    ending: str
    received: str
    sent: str
    more_received: str
    more_sent: str
    remark: str


def days(language: Language, asked: Sequence[date], found: Iterable[LineDay]) -> list[Row]:
    """Return a row for each day that was asked for, measured or not; a day of several lines has one for each."""
    of_day = {one.day: one for one in found}
    rows: list[Row] = []
    for day in asked:
        one = of_day.get(day)
        if one is None:
            rows.append(Row(_day(language, day), day.isoformat(), "", "", "", "", language.say("not measured")))
            continue
        for (device, interface), line in one.lines.items():
            name = f" {device}/{interface}" if len(one.lines) > 1 else ""
            more = [language.say("%(size)s known in sum only", size=language.size(gap.rx_bytes + gap.tx_bytes))
                    for gap in traffic.unpack_gaps(line.gaps)]  # fmt: skip
            rows.append(
                Row(
                    _day(language, day) + name, day.isoformat(), language.size(line.rx_bytes),
                    language.size(line.tx_bytes), _of(language, line.samples, SLOTS_A_DAY),
                    rate(language, traffic.highest_bytes(line.peaks)) if line.samples else "",
                    "; ".join([*_remarks(language, Flag(line.flags)), *more]),
                )
            )  # fmt: skip
    return rows


def hours(language: Language, day: date, zone: str, slots: Mapping[int, Slot]) -> list[Row]:
    """Return a row for each hour of a day of which anything is known."""
    start_ms = clock.day_start_ms(day, zone)
    rows = []
    for hour, total in traffic.hours(slots, start_ms):
        first_ms = start_ms + hour * HOUR_MS
        inside = [slot for at_ms, slot in slots.items() if first_ms <= at_ms < first_ms + HOUR_MS and slot.is_sample]
        rows.append(
            Row(
                from_to(language, first_ms, HOUR_MS, zone), f"{day.isoformat()}/{hour}",
                language.size(total.rx_bytes), language.size(total.tx_bytes),
                _of(language, len(inside), traffic.SLOTS_AN_HOUR),
                rate(language, max(slot.rx_bytes for slot in inside)) if inside else "",
                "; ".join(_remarks(language, total.flags)),
            )
        )  # fmt: skip
    return rows


def fives(language: Language, zone: str, slots: Mapping[int, Slot]) -> list[Row]:
    """Return a row for each five minutes, their bytes to the last one."""
    return [
        Row(
            from_to(language, at_ms, SLOT_MS, zone), "", language.number(slot.rx_bytes),
            language.number(slot.tx_bytes), _of(language, slot.covered_ms // 1000, SLOT_SECONDS),
            rate(language, slot.rx_bytes) if slot.is_sample else "", "; ".join(_remarks(language, slot.flags)),
        )
        for at_ms, slot in sorted(slots.items())
    ]  # fmt: skip


def gaps(language: Language, zone: str, found: Iterable[Step]) -> list[str]:
    """Return what is known of stretches without readings, in sentences."""
    return [
        language.say(
            "%(first)s to %(last)s: %(down)s received, %(up)s sent, known in sum only and in no five minutes.",
            first=_second(language, gap.first_ms, zone), last=_second(language, gap.last_ms, zone),
            down=language.size(gap.rx_bytes), up=language.size(gap.tx_bytes),
        )
        for gap in found
    ]  # fmt: skip


def readings(language: Language, zone: str, found: Sequence[Visit]) -> list[Reading]:
    """Return visits in words, each with what its counters grew by since the one before; the newest last."""
    before = {now.at_ms: old for old, now in pairwise([one for one in found if one.rx_bytes is not None])}
    return [
        Reading(
            _second(language, one.at_ms, zone), language.say(ENDINGS[one.outcome]),
            _number(language, one.rx_bytes), _number(language, one.tx_bytes),
            _growth(language, before.get(one.at_ms), one.rx_bytes, received=True),
            _growth(language, before.get(one.at_ms), one.tx_bytes, received=False),
            "" if one.is_sure else language.say("by the box's own clock"),
        )
        for one in found
    ]  # fmt: skip


def rate(language: Language, slot_bytes: int) -> str:
    """Return the bytes of five minutes as a mean rate."""
    return f"{language.number(slot_bytes * 8 / SLOT_SECONDS / 1e6, 2)} Mbps"


def _day(language: Language, day: date) -> str:
    return language.day(day).replace(" ", "\N{NO-BREAK SPACE}")


def from_to(language: Language, first_ms: int, length_ms: int, zone: str) -> str:
    """Return a stretch within a day: 23.00–24.00."""
    end = language.time(first_ms + length_ms, zone)
    end = f"24{language.time_mark}00" if end == f"00{language.time_mark}00" else end
    return f"{language.time(first_ms, zone)}–{end}"


def _growth(language: Language, before: Visit | None, now: int | None, *, received: bool) -> str:
    old = None if before is None else before.rx_bytes if received else before.tx_bytes
    if old is None or now is None:
        return ""
    return f"+{language.number(now - old)}" if now >= old else language.say("began anew")


def _number(language: Language, value: int | None) -> str:
    return "" if value is None else language.number(value)


def _of(language: Language, seen: int, whole: int) -> str:
    return language.say("%(seen)s of %(whole)s", seen=language.number(seen), whole=language.number(whole))


def _remarks(language: Language, flags: Flag) -> list[str]:
    return [language.say(words) for flag, words in REMARKS.items() if flag in flags]


def _second(language: Language, at_ms: int, zone: str) -> str:
    return f"{language.time(at_ms, zone)}{language.time_mark}{clock.local(at_ms, zone).second:02}"
