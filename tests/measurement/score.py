"""Pure: what the classifier said of many villages against what truly happened there. Times in ms since 1970.

A *claim* is a stretch of downtime with a cause; the truth's and the classifier's are the same kind of thing. A claim
of the truth also says whether what arrived could tell its cause (``evident``): set before anything is judged, from
what stands in the village and what was heard, never from what the classifier said.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

NONE, UNSEEN = "no outage", "unseen"


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """From ``start_ms`` (included) to ``end_ms`` (excluded) there was no service, because of ``cause``."""

    start_ms: int
    end_ms: int
    cause: str
    evident: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One village: what happened, what was said. ``group`` is what its evidence comes from."""

    group: str
    truth: Sequence[Claim]
    said: Sequence[Claim]
    unseen: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class Score:
    """Sums over villages."""

    minutes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By cause in truth and as said; ``NONE`` and ``UNSEEN`` where there was or was said to be no outage."""
    evident: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Minutes down whose cause could be told, by cause: told rightly or not."""
    outages: int = 0
    missed: int = 0
    invented: int = 0
    invented_where_none: int = 0
    off_by_s: list[float] = field(default_factory=list)
    """How far start and end of each found outage are from the truth."""

    @property
    def truly_down(self) -> float:
        """Minutes."""
        return sum(minutes for (true, _), minutes in self.minutes.items() if true != NONE)

    @property
    def said_down(self) -> float:
        """Minutes."""
        return sum(minutes for (_, said), minutes in self.minutes.items() if said not in {NONE, UNSEEN})

    @property
    def error_percent(self) -> float:
        """How much more downtime was said than was; nothing is left out, unseen outages count as missed."""
        return 100 * (self.said_down / self.truly_down - 1) if self.truly_down else 0.0

    @property
    def right_percent(self) -> float:
        """Share of the minutes down whose cause could be told, missed ones among them, that have the right one."""
        both = self.evident.total()
        right = sum(minutes for (_, is_right), minutes in self.evident.items() if is_right)
        return 100 * right / both if both else 100.0

    def right_percent_of(self, cause: str) -> float | None:
        """Return the same of one cause; ``None`` where none of its minutes could be told."""
        right, wrong = self.evident[cause, True], self.evident[cause, False]
        return 100 * right / (right + wrong) if right + wrong else None

    @property
    def evident_percent(self) -> float:
        """Share of the minutes down whose cause could be told."""
        return 100 * self.evident.total() / self.truly_down if self.truly_down else 0.0

    @property
    def off_median_s(self) -> float:
        """How far starts and ends are off, in the middle."""
        return float(median(self.off_by_s)) if self.off_by_s else 0.0

    @property
    def off_p95_s(self) -> float:
        """Nearest rank."""
        ordered = sorted(self.off_by_s)
        return ordered[max(0, -(-95 * len(ordered) // 100) - 1)] if ordered else 0.0


def score(cases: Sequence[Case]) -> Score:
    """Compare village by village."""
    total = Score()
    for case in cases:
        _minutes(case, total)
        _events(case, total)
    return total


def _minutes(case: Case, total: Score) -> None:
    edges = {edge for one in (*case.truth, *case.said) for edge in (one.start_ms, one.end_ms)}
    borders = sorted(edges | {edge for span in case.unseen for edge in span})
    for start_ms, end_ms in itertools.pairwise(borders):
        true, said = _at(case.truth, start_ms), _at(case.said, start_ms)
        if true is None and said is None:
            continue
        minutes = (end_ms - start_ms) / 60_000
        nothing = UNSEEN if any(first <= start_ms < last for first, last in case.unseen) else NONE
        total.minutes[true.cause if true else NONE, said.cause if said else nothing] += minutes  # type: ignore[assignment]  # a Counter may hold fractions
        if true and true.evident:
            total.evident[true.cause, bool(said and said.cause == true.cause)] += minutes  # type: ignore[assignment]  # as above


def _at(claims: Sequence[Claim], at_ms: int) -> Claim | None:
    return next((one for one in claims if one.start_ms <= at_ms < one.end_ms), None)


def _events(case: Case, total: Score) -> None:
    truth, said = list(_whole(case.truth)), list(_whole(case.said))
    total.outages += len(truth)
    for start_ms, end_ms in truth:
        met = [one for one in said if one[0] < end_ms and one[1] > start_ms]
        if not met:
            total.missed += 1
            continue
        total.off_by_s += [abs(met[0][0] - start_ms) / 1000, abs(met[-1][1] - end_ms) / 1000]
    wrong = [one for one in said if not any(one[0] < end and one[1] > start for start, end in truth)]
    total.invented += len(wrong)
    total.invented_where_none += 0 if truth else len(wrong)


def _whole(claims: Sequence[Claim]) -> Iterator[tuple[int, int]]:
    """Join what touches: one outage with several causes is one."""
    last: tuple[int, int] | None = None
    for one in sorted(claims):
        if last and one.start_ms <= last[1]:
            last = last[0], max(last[1], one.end_ms)
            continue
        if last:
            yield last
        last = one.start_ms, one.end_ms
    if last:
        yield last
