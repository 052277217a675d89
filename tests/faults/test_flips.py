"""Single flipped bits in the spool: noticed when they cost something; nothing wrong is sent, nothing stands still."""

from pathlib import Path

import pytest

from tests.faults.flips import flip_bits
from tests.faults.told import chance, times, told


@pytest.mark.parametrize(
    ("tries", "signpost"),
    [(times(200, 200), False), (times(60, 60), True)],
    ids=["anywhere", "where rows are found"],
)
def test_flipped_bits_cost_no_more_than_what_they_hit_and_the_box_says_so(
    tmp_path: Path, tries: int, signpost: bool
) -> None:
    seed = chance()
    found = flip_bits(tries, seed, tmp_path, signpost=signpost)
    more = f"seed {seed}, {found.noticed} noticed, {found.destroyed} readings destroyed and counted"
    where = " where rows are found" if signpost else ""
    line = told(f"bits flipped in the spool{where}", found.tried, len(found.silent), found.doubled, more)
    assert found.wrong == [], line
    assert found.stuck == [], line
    assert found.silent == [], line
    assert found.doubled == 0, line
    most = (15 if signpost else 10) * tries  # the signpost leads to whole pages: 5 to 11 rows a bit in 40 runs
    assert found.destroyed < most, f"one bit takes its row, or its page: {line}"
