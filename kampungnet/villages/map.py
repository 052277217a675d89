"""Pure: villages' coordinates in, a map's geometry out. No tiles, no boundaries, no network.

Each village gets the ground that is nearest to it (a Voronoi cell), no farther than its neighbours
are apart; the cells of a kecamatan together make its area. It looks like the regency and claims no
exact border.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LEAST_REACH_KM: Final = 2.2
MOST_REACH_KM: Final = 8.0
_LETTER: Final = 6.6
_LINE: Final = 15.0
"""How wide a letter and how high a line of a kecamatan's name is drawn."""
_KM_PER_DEGREE: Final = 111.2
_CORNERS: Final = 24
_COAST: Final = -1

Point = tuple[float, float]
Edge = tuple[Point, int]
"""A corner, and whose neighbour lies behind the edge that starts there (``_COAST`` for none)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One village to draw."""

    code: str
    district: str
    """Name of its kecamatan: unique within a regency."""
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Map:
    """Everything a template draws, in the units of the view box."""

    width: int
    height: int
    areas: tuple[tuple[str, str], ...]
    """Kecamatan, path of its area."""
    names: tuple[tuple[str, Point], ...]
    """Kecamatan, where its name stands; left out where it would cover another one."""
    borders: str
    dots: dict[str, Point]


@lru_cache(maxsize=8)
def draw(places: tuple[Place, ...], width: int = 640) -> Map:
    """Draw a regency. The answer is kept: villages do not move while people look."""
    if not places:
        return Map(width, width, (), (), "", {})
    spots = _project(places)
    cells = [_cell(n, spots) for n in range(len(spots))]
    corners = [corner for cell in cells for corner, _ in cell]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    scale = width / (max(x for x, _ in corners) - left)
    height = math.ceil((max(y for _, y in corners) - top) * scale)

    def fit(point: Point) -> Point:
        return round((point[0] - left) * scale, 1), round((point[1] - top) * scale, 1)

    dots = {place.code: fit(spot) for place, spot in zip(places, spots, strict=True)}
    fitted = [[(fit(corner), behind) for corner, behind in cell] for cell in cells]
    return Map(width, height, _areas(places, fitted), _names(places, dots), _borders(places, fitted), dots)


def _project(places: Sequence[Place]) -> list[Point]:
    """Return kilometres east and south of nowhere in particular; one regency is small enough to be flat."""
    middle = math.radians(sum(place.latitude for place in places) / len(places))
    return [(place.longitude * math.cos(middle) * _KM_PER_DEGREE, -place.latitude * _KM_PER_DEGREE) for place in places]


def _cell(n: int, spots: Sequence[Point]) -> list[Edge]:
    x, y = spots[n]
    near = sorted((math.dist(spots[n], spot), other) for other, spot in enumerate(spots) if other != n)
    # The fifth nearest: in town a few hundred metres, in the forest many kilometres.
    apart = near[min(4, len(near) - 1)][0] if near else MOST_REACH_KM
    reach = min(MOST_REACH_KM, max(LEAST_REACH_KM, apart))
    angles = [2 * math.pi * corner / _CORNERS for corner in range(_CORNERS)]
    cell: list[Edge] = [((x + reach * math.cos(a), y + reach * math.sin(a)), _COAST) for a in angles]
    for distance, other in near:
        if distance >= 2 * max(math.dist(spots[n], corner) for corner, _ in cell):
            break
        if distance > 0:
            cell = _cut(cell, spots[n], spots[other], other)
    return cell


def _cut(cell: list[Edge], mine: Point, theirs: Point, other: int) -> list[Edge]:
    """Keep the part of a convex cell that is nearer to ``mine`` than to ``theirs``."""
    dx, dy = theirs[0] - mine[0], theirs[1] - mine[1]
    half = (theirs[0] ** 2 + theirs[1] ** 2 - mine[0] ** 2 - mine[1] ** 2) / 2
    beyond = [corner[0] * dx + corner[1] * dy - half for corner, _ in cell]
    kept: list[Edge] = []
    for n, (corner, behind) in enumerate(cell):
        following = (n + 1) % len(cell)
        if beyond[n] <= 0:
            kept.append((corner, behind))
        if (beyond[n] <= 0) != (beyond[following] <= 0):
            share = beyond[n] / (beyond[n] - beyond[following])
            end = cell[following][0]
            crossing = (corner[0] + share * (end[0] - corner[0]), corner[1] + share * (end[1] - corner[1]))
            kept.append((crossing, other if beyond[n] <= 0 else behind))
    return kept


def _areas(places: Sequence[Place], cells: Sequence[list[Edge]]) -> tuple[tuple[str, str], ...]:
    paths: dict[str, str] = defaultdict(str)
    for place, cell in zip(places, cells, strict=True):
        paths[place.district] += "M" + "L".join(f"{x:g} {y:g}" for (x, y), _ in cell) + "Z"
    return tuple(sorted(paths.items()))


def _names(places: Sequence[Place], dots: dict[str, Point]) -> tuple[tuple[str, Point], ...]:
    """Put each kecamatan's name in the middle of its villages, the widest-spread kecamatan first."""
    members: dict[str, list[Point]] = defaultdict(list)
    for place in places:
        members[place.district].append(dots[place.code])
    spread = {
        name: (max(x for x, _ in own) - min(x for x, _ in own)) + (max(y for _, y in own) - min(y for _, y in own))
        for name, own in members.items()
    }
    placed: list[tuple[str, Point]] = []
    for name in sorted(members, key=lambda name: -spread[name]):
        own = members[name]
        spot = (round(sum(x for x, _ in own) / len(own), 1), round(sum(y for _, y in own) / len(own), 1))
        if not any(_touch(name, spot, other, there) for other, there in placed):
            placed.append((name, spot))
    return tuple(placed)


def _touch(name: str, spot: Point, other: str, there: Point) -> bool:
    wide = (len(name) + len(other)) * _LETTER / 2
    return abs(spot[0] - there[0]) < wide and abs(spot[1] - there[1]) < _LINE


def _borders(places: Sequence[Place], cells: Sequence[list[Edge]]) -> str:
    lines = []
    for n, cell in enumerate(cells):
        for place, (start, behind) in enumerate(cell):
            # Each border has two sides; draw it from one.
            if behind > n and places[behind].district != places[n].district:
                end = cell[(place + 1) % len(cell)][0]
                lines.append(f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}")
    return "".join(lines)
