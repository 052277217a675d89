"""Pure: villages' coordinates in, a map's geometry out. No tiles, no boundaries, no network.

Each village gets the ground that is nearest to it (a Voronoi cell, cut at ``REACH_KM``); the cells of
a kecamatan together make its area. It looks like the regency and claims no exact border.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

REACH_KM: Final = 5.5
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
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Map:
    """Everything a template draws, in the units of the view box."""

    width: int
    height: int
    areas: tuple[tuple[str, str, Point], ...]
    """Kecamatan code, path of its area, where its name stands."""
    borders: str
    dots: dict[str, Point]


@lru_cache(maxsize=8)
def draw(places: tuple[Place, ...], width: int = 640) -> Map:
    """Draw a regency. The answer is kept: villages do not move while people look."""
    if not places:
        return Map(width, width, (), "", {})
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
    return Map(width, height, _areas(places, fitted, dots), _borders(places, fitted), dots)


def _project(places: Sequence[Place]) -> list[Point]:
    """Return kilometres east and south of nowhere in particular; one regency is small enough to be flat."""
    middle = math.radians(sum(place.latitude for place in places) / len(places))
    return [(place.longitude * math.cos(middle) * _KM_PER_DEGREE, -place.latitude * _KM_PER_DEGREE) for place in places]


def _cell(n: int, spots: Sequence[Point]) -> list[Edge]:
    x, y = spots[n]
    angles = [2 * math.pi * corner / _CORNERS for corner in range(_CORNERS)]
    cell: list[Edge] = [((x + REACH_KM * math.cos(a), y + REACH_KM * math.sin(a)), _COAST) for a in angles]
    near = sorted((math.dist(spots[n], spot), other) for other, spot in enumerate(spots) if other != n)
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


def _areas(
    places: Sequence[Place], cells: Sequence[list[Edge]], dots: dict[str, Point]
) -> tuple[tuple[str, str, Point], ...]:
    members: dict[str, list[int]] = defaultdict(list)
    for n, place in enumerate(places):
        members[place.district].append(n)
    areas = []
    for district, own in sorted(members.items()):
        path = "".join("M" + "L".join(f"{x:g} {y:g}" for (x, y), _ in cells[n]) + "Z" for n in own)
        spots = [dots[places[n].code] for n in own]
        middle = (sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots))
        areas.append((district, path, (round(middle[0], 1), round(middle[1], 1))))
    return tuple(areas)


def _borders(places: Sequence[Place], cells: Sequence[list[Edge]]) -> str:
    lines = []
    for n, cell in enumerate(cells):
        for place, (start, behind) in enumerate(cell):
            # Each border has two sides; draw it from one.
            if behind > n and places[behind].district != places[n].district:
                end = cell[(place + 1) % len(cell)][0]
                lines.append(f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}")
    return "".join(lines)
