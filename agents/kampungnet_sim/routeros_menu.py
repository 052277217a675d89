"""What a menu is: where its rows come from, who has it, and what else it can do."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.village import VillageProfile

RowsOf = Callable[[Moment], list[Row]]
Owners = Callable[[VillageProfile], bool]


def everyone(_: VillageProfile) -> bool:
    """A menu that every router has."""
    return True


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu.

    ``steady`` rows change only with a reboot or with a list an API user changed, rows made ``each_second``
    are the same for everybody who asks within a second: a real router counts no faster.
    """

    rows: RowsOf
    steady: bool = False
    each_second: bool = False
    owners: Owners = everyone
    # A number known without making the rows, for ``count-only``.
    count: Callable[[Moment], int] | None = None
    table: bool = False


def numbered(rows: Iterable[Row], first: int = 1) -> list[Row]:
    """Give rows ids in order."""
    return [{".id": f"*{index:X}", **row} for index, row in enumerate(rows, first)]


def nothing(_: Moment) -> list[Row]:
    """A list that is empty in a village."""
    return []
