"""The classifier's score and its time: a quarter year of 217 villages with known outages, of two seeds.

The readings are those of the first and the last minute of every stretch in which nothing changes; the fold of the
minutes between is bridged (tests/measurement/told_quarter.py, held against every single minute by a test). Folding
itself is measured apart, from every reading of some days.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context

from kampungnet.measurement.evidence import timeline
from kampungnet.measurement.slots import Timed
from kampungnet_sim.history import Span
from kampungnet_sim.quarter import midnight_wib, story
from kampungnet_sim.register import RegisteredVillage
from tests.benchmarks import marked
from tests.benchmarks.context import Context
from tests.benchmarks.process import ROOT
from tests.benchmarks.rows import Goal, Row, at_most, missing, number
from tests.measurement.score import NONE, UNSEEN, Case, Score, score
from tests.measurement.told_quarter import DAY, FIRST_DAY, STEP, Polls, Told, case_of, judge_all, tell, villages

VILLAGES, DAYS = 217, 92
KNOWN_SEED, UNSEEN_SEED = 7, 20_261_129
"""The rules were mended with the first; the second was chosen once and nothing was ever mended by it."""
FOLDED = 12
"""Village-days folded from every reading."""
PAGE = ROOT / "docs" / "outages.md"
CAUSES = ("listrik", "fiber", "perangkat", "penyedia", "terencana", "orang", "unknown")
GROUPS = {
    "ONT": "ONT terbaca",
    "ONT and OLT": "ONT dan OLT terbaca",
    "no ONT": "tanpa ONT",
    "no ONT and OLT": "tanpa ONT, OLT terbaca",
}
_WORDS = {"unknown": "belum diketahui", NONE: "(tidak ada gangguan)", UNSEEN: "(tidak terlihat)"}


@dataclass(frozen=True)
class Trial:
    """A quarter of one seed, judged."""

    seed: int
    seconds: float
    """Of judging alone, one core."""
    cases: Sequence[Case]
    told: Sequence[Told]

    @property
    def score(self) -> Score:
        """Of all villages."""
        return score(self.cases)


def classify(context: Context) -> list[Row]:
    """Judge both quarters, print and (if asked) keep the tables."""
    trials = [_trial(context, seed) for seed in (KNOWN_SEED, UNSEEN_SEED)]
    page = _page(trials)
    context.say(page.replace("\n", "\n    "))
    if context.writes:
        marked.write(PAGE, page)
    what = f"classify a quarter year of {VILLAGES} villages from kept days"
    rows = [at_most(what, max(one.seconds for one in trials), "s", (120, 20)), _folding()]
    for one in trials:
        rows += _goals(one)
    return rows


def _trial(context: Context, seed: int) -> Trial:
    with get_context("fork").Pool() as pool:
        told = pool.map(partial(_tell, seed), villages(VILLAGES), chunksize=4)
    context.say(f"seed {seed}: told")
    began = time.perf_counter()
    said = judge_all(told, DAYS)
    seconds = time.perf_counter() - began
    cases = [case_of(one, outages, DAYS) for one, outages in zip(told, said, strict=True)]
    return Trial(seed, seconds, cases, told)


def _tell(seed: int, found: tuple[int, RegisteredVillage]) -> Told:
    place, village = found
    return tell(village, place, seed, DAYS)


def _folding() -> Row:
    start = midnight_wib(FIRST_DAY)
    readings = 0
    seconds = 0.0
    for place, found in villages(FOLDED):
        polls = Polls(story(found, place, KNOWN_SEED, start, 1), Span(start, start + DAY, STEP))
        timed = [Timed(one.taken_at_ms, one) for one in polls.every_poll()]
        began = time.perf_counter()
        timeline(timed)
        seconds += time.perf_counter() - began
        readings += len(timed)
    a_day = seconds / FOLDED * VILLAGES
    what = (
        f"the same, folding apart: a day of {VILLAGES} villages, a reading a minute (reckoned from {FOLDED} villages)"
    )
    return missing(what, f"{number(a_day)} s", f"{readings / seconds:,.0f} readings/s; once a day, no goal")


def _goals(trial: Trial) -> list[Row]:
    total, name = trial.score, "tuning seed" if trial.seed == KNOWN_SEED else "unseen seed"
    share = Goal(95, None, " %", least=True)
    right = total.right_percent
    return [
        at_most(f"downtime against the truth, {name}: error", abs(total.error_percent), "%", (1, None)),
        Row(f"minutes down with the right cause, {name}", f"{right:.2f} %", "–", "–", share, right),
        at_most(f"outages invented in villages that had none, {name}", total.invented_where_none, "", (0, None)),
    ]


def _page(trials: Sequence[Trial]) -> str:
    day = datetime.now(UTC).date().isoformat()
    what = f"{VILLAGES} desa selama {DAYS} hari, setiap menit satu bacaan"
    parts = [f"Diukur {day}: {what}; benih {KNOWN_SEED} dan {UNSEEN_SEED}."]
    for one in trials:
        kind = "dipakai saat memperbaiki aturan" if one.seed == KNOWN_SEED else "tidak pernah dipakai untuk memperbaiki"
        parts += [f"### Benih {one.seed} ({kind})", _summary(one), _confusion(one.score)]
    return "\n\n".join(parts)


def _summary(trial: Trial) -> str:
    head = ("bukti", "desa", "gangguan", "selisih lama gangguan", "sebab benar", "menit yang sebabnya dapat diketahui",
            "terlewat", "dikarang", "meleset: tengah / p95")  # fmt: skip
    calm = sum(one.story.calm for one in trial.told)
    rows = [("**semua**", trial.cases), *((word, _of(trial, group)) for group, word in GROUPS.items())]
    cells = []
    for word, cases in rows:
        one = score(cases)
        cells.append((
            word, str(len(cases)), str(one.outages), f"{one.error_percent:+.2f} %", f"{one.right_percent:.1f} %",
            f"{one.evident_percent:.1f} %", str(one.missed), str(one.invented),
            f"{one.off_median_s:.0f} / {one.off_p95_s:.0f} detik",
        ))  # fmt: skip
    none = trial.score.invented_where_none
    return f"{_table(head, cells)}\n\nDi {calm} desa tanpa gangguan dikarang {none} gangguan."


def _of(trial: Trial, group: str) -> list[Case]:
    return [one for one in trial.cases if one.group == group]


def _confusion(found: Score) -> str:
    said = [*CAUSES, NONE]
    head = (
        "menit: sebenarnya ↓, kata sistem →",
        *(_WORDS.get(one, one) for one in said),
        "benar, dari yang dapat diketahui",
    )
    true = [*CAUSES[:-1], NONE]
    rights = {one: found.right_percent_of(one) for one in true}
    told = {one: "" if right is None else f"{right:.1f} %" for one, right in rights.items()}
    return _table(
        head, [(_WORDS.get(row, row), *(f"{found.minutes[row, one]:,.0f}" for one in said), told[row]) for row in true]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
