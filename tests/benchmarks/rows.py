"""What a benchmark found, as a line of the table."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("what", "ours", "peer", "ratio", "must", "aim", "met?")


@dataclass(frozen=True)
class Goal:
    """``must`` and ``aim`` of one figure; ``least`` says that more is better."""

    must: float | None
    aim: float | None
    unit: str = ""
    least: bool = False

    def text(self, value: float | None) -> str:
        """Return one border as people read it."""
        if value is None:
            return "–"
        sign = "≥" if self.least else "≤"
        return f"{sign} {number(value)}{self.unit}"

    def verdict(self, value: float | None) -> str:
        """Say whether a value reaches the aim, the must, or nothing."""
        if value is None or (self.must is None and self.aim is None):
            return "–"
        for border, word in ((self.aim, "aim"), (self.must, "yes")):
            if border is not None and (value >= border if self.least else value <= border):
                return word
        return "**no**" if self.must is not None else "–"


@dataclass(frozen=True)
class Row:
    """One line. ``value`` is what the goal is compared with: the ratio, or our own figure where no peer counts."""

    what: str
    ours: str
    peer: str
    ratio: str
    goal: Goal
    value: float | None

    def cells(self) -> tuple[str, ...]:
        """Return the cells in the order of ``HEAD``."""
        goal = self.goal
        verdict = goal.verdict(self.value)
        return (self.what, self.ours, self.peer, self.ratio, goal.text(goal.must), goal.text(goal.aim), verdict)


def less(what: str, ours: Sequence[float], peer: Sequence[float], unit: str, goal: tuple[float, float | None]) -> Row:
    """Compare a cost, measured turn by turn: how many times less ours is than the peer's."""
    ratios = [theirs / own for own, theirs in zip(ours, peer, strict=False)]
    return _compared(what, (ours, peer), unit, ratios, goal)


def more(what: str, ours: Sequence[float], peer: Sequence[float], unit: str, goal: tuple[float, float | None]) -> Row:
    """Compare a speed, measured turn by turn: how many times the peer's ours is."""
    ratios = [own / theirs for own, theirs in zip(ours, peer, strict=False)]
    return _compared(what, (ours, peer), unit, ratios, goal)


def at_most(what: str, ours: float, unit: str, goal: tuple[float, float | None], peer: str = "–") -> Row:
    """Compare our figure with fixed borders."""
    return Row(what, f"{number(ours)} {unit}", peer, "–", Goal(goal[0], goal[1], f" {unit}"), ours)


def missing(what: str, ours: str, why: str) -> Row:
    """Say that there was nothing to compare with, and why."""
    return Row(what, ours, why, "–", Goal(None, None), None)


def broken(name: str, error: BaseException) -> Row:
    """Say that a benchmark did not come to its end."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return Row(name, f"did not end: {reason}", "–", "–", Goal(0.0, None), 1.0)


def _compared(
    what: str,
    values: tuple[Sequence[float], Sequence[float]],
    unit: str,
    ratios: Sequence[float],
    goal: tuple[float, float | None],
) -> Row:
    # The median of each turn's own ratio: a machine that others slow down for a minute slows down both.
    ratio = median(ratios) if ratios else None
    ours, peer = (f"{number(median(found))} {unit}" if found else "not here" for found in values)
    ratio_text = "–" if ratio is None else f"{number(ratio)}x"
    return Row(what, ours, peer, ratio_text, Goal(goal[0], goal[1], "x", least=True), ratio)


def number(value: float) -> str:
    """Return a number with three figures that count, thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(statistics.median(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered) + 0.5) - 1))]


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        cells = (" ".join(cell.replace("|", "\\|").split()) for cell in row.cells())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
