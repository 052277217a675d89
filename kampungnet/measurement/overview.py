"""Pure: the states of all villages in, the first page's contents out, with every text ready."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kampungnet.core.languages import Language
from kampungnet.devices.service import VillageState
from kampungnet.devices.status import Status
from kampungnet.measurement import states
from kampungnet.villages.map import Map, Place, draw

MOST_PROBLEMS: Final = 10
_ORDER: Final = (Status.UP, Status.DOWN, Status.SILENT, Status.NEVER)
_ON_TOP: Final = {Status.NEVER: 0, Status.UP: 1, Status.SILENT: 2, Status.DOWN: 3}


@dataclass(frozen=True, slots=True)
class Row:
    """One village in the list. ``*_old`` marks numbers that are not of now."""

    code: str
    name: str
    status: str
    words: str
    people: str
    people_old: bool
    light: str
    light_grade: str
    age: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One kecamatan of the list."""

    code: str
    name: str
    up: int
    installed: int
    problems: int
    is_open: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of what needs attention."""

    code: str
    name: str
    district: str
    status: str
    words: str
    age: str


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the four counts."""

    status: str
    words: str
    count: str
    share: float


@dataclass(frozen=True, slots=True)
class Dot:
    """One village on the map."""

    code: str
    status: str
    title: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    headline: str
    not_installed: str
    tiles: tuple[Tile, ...]
    problems: tuple[Problem, ...]
    more_problems: str
    groups: tuple[Group, ...]
    map: Map
    dots: tuple[Dot, ...]


def overview(villages: Sequence[VillageState], language: Language, now_ms: int, only: Status | None) -> Overview:
    """Build the first page; ``only`` leaves just the villages of one status in the list."""
    counts = Counter(state.status for state in villages)
    installed = len(villages) - counts[Status.NEVER]
    problems = _problems(villages, language, now_ms)
    left_out = len(problems) - MOST_PROBLEMS
    drawn = draw(_places(villages))
    return Overview(
        headline=_headline(counts[Status.UP], installed, len(villages), language),
        not_installed=_not_installed(counts[Status.NEVER], installed, language),
        tiles=tuple(_tile(status, counts, len(villages), language) for status in _ORDER),
        problems=tuple(problems[:MOST_PROBLEMS]),
        more_problems=language.say_many("and %(n)s more", "and %(n)s more", left_out) if left_out > 0 else "",
        groups=_groups(villages, {one.code for one in problems}, language, now_ms, only),
        map=drawn,
        dots=_dots(villages, drawn, language, now_ms),
    )


def _headline(up: int, installed: int, everything: int, language: Language) -> str:
    if not installed:
        return language.say("No village is installed yet")
    numbers = {"up": language.number(up), "all": language.number(installed)}
    if installed == everything:
        return language.say("%(up)s of %(all)s villages are connected", **numbers)
    return language.say("%(up)s of %(all)s installed villages are connected", **numbers)


def _not_installed(missing: int, installed: int, language: Language) -> str:
    if not missing or not installed:
        return ""
    return language.say_many("%(n)s village is not installed yet.", "%(n)s villages are not installed yet.", missing)


def _tile(status: Status, counts: Counter[Status], everything: int, language: Language) -> Tile:
    share = round(100 * counts[status] / everything, 2) if everything else 0.0
    return Tile(status, language.say(states.STATUS_WORDS[status]), language.number(counts[status]), share)


def _problems(villages: Iterable[VillageState], language: Language, now_ms: int) -> list[Problem]:
    """Return what needs somebody: those in trouble, then the silent, each fresh first; then light, weakest first."""
    found: list[tuple[int, float, Problem]] = []
    for state in villages:
        rank, words = _problem(state, language, now_ms)
        if words:
            urgent = (state.light.rx_power_dbm or 0.0) if rank == 2 and state.light else -(state.last_reading_ms or 0)
            line = Problem(
                state.village.code, state.village.name, state.district_name,
                "weak" if rank == 2 else state.status, words, language.age(state.last_reading_ms, now_ms),
            )  # fmt: skip
            found.append((rank, urgent, line))
    return [line for _, _, line in sorted(found, key=lambda entry: entry[:2])]


def _problem(state: VillageState, language: Language, now_ms: int) -> tuple[int, str]:
    if state.status is Status.DOWN:
        return 0, states.trouble(state, language)
    if state.status is Status.SILENT:
        return 1, language.say("No report")
    return 2, states.light_warning(state, language, now_ms)


def _groups(
    villages: Iterable[VillageState], in_need: Collection[str], language: Language, now_ms: int, only: Status | None
) -> tuple[Group, ...]:
    by_district: dict[str, list[VillageState]] = defaultdict(list)
    for state in villages:
        by_district[state.village.district].append(state)
    groups = []
    for code, members in by_district.items():
        shown = [state for state in members if only in {None, state.status}]
        if not shown:
            continue
        counts = Counter(state.status for state in members)
        groups.append(
            Group(
                code=code, name=members[0].district_name, up=counts[Status.UP],
                installed=len(members) - counts[Status.NEVER],
                problems=sum(state.village.code in in_need for state in members),
                is_open=only is not None, rows=tuple(_row(state, language, now_ms) for state in shown),
            )
        )  # fmt: skip
    return tuple(groups)


def _row(state: VillageState, language: Language, now_ms: int) -> Row:
    router, source = states.device_of(state, "router"), state.light
    words = language.say(states.STATUS_WORDS[state.status])
    if state.status is Status.DOWN:
        words = states.trouble(state, language)
    people_old = states.is_stale(router.last_ok_ms if router else None, now_ms)
    light_old = states.is_stale(source.last_ok_ms if source else None, now_ms)
    grade = states.light_grade(state.rx_power_dbm, no_light=state.no_light)
    light = language.say("no light") if state.no_light else ""
    if state.rx_power_dbm is not None:
        light = states.decibels(language, state.rx_power_dbm)
    if light and light_old and state.status is not Status.SILENT and source:
        light = f"{light} ({language.age(source.last_ok_ms, now_ms)})"
    return Row(
        code=state.village.code, name=state.village.name, status=state.status, words=words,
        people="" if state.hotspot_sessions is None else language.number(state.hotspot_sessions),
        people_old=people_old, light=light, light_grade="old" if light_old else grade,
        age="" if state.last_reading_ms is None else language.age(state.last_reading_ms, now_ms),
        stale=state.status in {Status.SILENT, Status.NEVER},
    )  # fmt: skip


def _places(villages: Iterable[VillageState]) -> tuple[Place, ...]:
    return tuple(
        Place(state.village.code, state.district_name, state.village.latitude, state.village.longitude)
        for state in villages
        if state.village.latitude is not None and state.village.longitude is not None
    )


def _dots(villages: Iterable[VillageState], drawn: Map, language: Language, now_ms: int) -> tuple[Dot, ...]:
    dots = []
    for state in sorted(villages, key=lambda state: _ON_TOP[state.status]):
        place = drawn.dots.get(state.village.code)
        if place is None:
            continue
        title = f"{state.village.name}: {language.say(states.STATUS_WORDS[state.status])}"
        if state.last_reading_ms is not None:
            title += f", {language.age(state.last_reading_ms, now_ms)}"
        dots.append(Dot(state.village.code, state.status, title, *place))
    return tuple(dots)
