"""Where our reading of a walk and LibreNMS' differ, who is wrong, and why.

A difference that stands nowhere here fails the test, and so does a line here that no recording needs any more.
The page on devices prints this table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.conformance.librenms import Contradiction


@dataclass(frozen=True, slots=True)
class Documented:
    """One kind of difference."""

    files: str
    """Pattern of the recordings' names."""
    field: str
    """Pattern of the fields."""
    ours: str
    theirs: str
    wrong: str
    why: str
    holds: Callable[[Any, Any], bool]
    """Whether (ours, theirs) is this difference; another one in the same field is not covered."""

    def covers(self, file: str, difference: Contradiction) -> bool:
        """Tell whether this line speaks of ``difference`` in ``file``."""
        matches = fnmatchcase(file, self.files) and fnmatchcase(difference.field, self.field)
        return matches and self.holds(difference.ours, difference.theirs)


def _none_for_zero(ours: Any, theirs: Any) -> bool:
    return ours is None and theirs == 0


DOCUMENTED: Final = (
    Documented(
        "routeros/*",
        "light *",
        "no value",
        "0",
        "LibreNMS",
        "a cage without a module answers 0 in every column (facts 4); 0 dBm would be a dazzling light",
        _none_for_zero,
    ),
    Documented(
        "ont/*/vsolution*",
        "light * rx_power_dbm",
        "the number beside dBm",
        "the milliwatts in front of it",
        "LibreNMS",
        "the text is `0.03 mW (-14.61 dBm)` and LibreNMS takes the first number (facts 2.4)",
        lambda ours, theirs: ours is not None and -50 < ours < -8 and 0 <= theirs < 0.2,
    ),
    Documented(
        "ont/*/edgeosolt*",
        "light * [rt]x_power_dbm",
        "no value",
        "0",
        "LibreNMS",
        "an ONU that is off answers 0 (facts 2.2)",
        _none_for_zero,
    ),
    Documented(
        "ont/*/edgeosolt*",
        "port * beyond IF-MIB",
        "IF-MIB",
        "UFiber's own port table",
        "nobody",
        "LibreNMS takes the ports of 41112.1.5.7 in place of IF-MIB's; a village's ONU needs neither",
        lambda ours, _theirs: ours is None,
    ),
)


@dataclass(frozen=True, slots=True)
class NotRead:
    """A table of light levels that LibreNMS reads and we do not."""

    table: str
    why: str


NOT_READ: Final = (
    NotRead(
        "1.3.6.1.4.1.2011.6.128.1.1.2.23.1", "Huawei's own PON modules: the provider's sender, not a village's light"
    ),
    NotRead(
        "1.3.6.1.4.1.37950.1.1.5.10.13.1.1", "V-SOL's own PON modules: the provider's sender, not a village's light"
    ),
)


def undocumented(file: str, differences: list[Contradiction]) -> list[Contradiction]:
    """Return the differences nobody explained."""
    return [one for one in differences if not any(line.covers(file, one) for line in DOCUMENTED)]
