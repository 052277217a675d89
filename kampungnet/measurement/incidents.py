"""Pure: outages of many sites in, incidents out: what went dark together is one, named by the likely place.

A site's place is a path from the coarse to the fine, such as (kecamatan,) or (kecamatan, trunk, PON, ODP). Facts
on ONTs 13.2: all of a PON is its feeder, all of an ODP that leg, all ports of a card the card, mostly dying gasps
is power; an OLT that is silent says nothing (its villages then have no outage at all).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kampungnet.measurement.outage_words import Cause, Finding, Outage

Place = tuple[str, ...]
"""A node of the tree: the path to it. The whole tree is ()."""

OWN: Final = frozenset({Cause.PERANGKAT, Cause.ORANG, Cause.TERENCANA})
"""Causes that are one village's own, whatever its neighbours do in that minute."""


@dataclass(frozen=True, slots=True)
class Member:
    """One site's outage."""

    site: str
    outage: Outage


@dataclass(frozen=True, slots=True)
class Grouping:
    """Settings. The facts give the rules and leave these numbers open where no source is named."""

    together_ms: int = 120_000
    """From the first start to the last one of an incident (issue "ledger": dark within 2 minutes)."""
    least: int = 2
    """Facts on ONTs 13.2: at least two."""
    most_percent: int = 60
    """So many of a place's sites are the place itself."""
    least_percent: int = 25
    """Fewer than ``most_percent`` scattered over a place are still one incident from here on: by chance two of
    twenty villages go dark in the same minutes, five do not."""
    power_percent: int = 60
    """So many of those whose cause is known lost power: power (facts on ONTs 13.2: 60 to 70 % gasped)."""


HOUSE: Final = Grouping()


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened at one place at one time, to one site or many."""

    place: Place
    """Where the cause is likely to be looked for; of a single site its own code at the end of its path."""
    start_ms: int
    end_ms: int | None
    """When the last site came back; ``None`` while any is without service."""
    cause: Cause
    confidence: float
    members: tuple[Member, ...]
    sites: int
    """Sites that there are at the place."""
    is_mixed: bool
    """Its sites tell of different causes: both cables on one pole, or power with modems that do not gasp."""

    @property
    def is_whole(self) -> bool:
        """Tell whether every site of the place is in it."""
        return len(self.members) >= self.sites


@dataclass(slots=True)
class _Tree:
    """How many sites lie under each place, and where each site is."""

    place_of: Mapping[str, Place]
    sites: Counter[Place] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for path in self.place_of.values():
            self.sites.update(path[:depth] for depth in range(len(path) + 1))

    def path(self, member: Member) -> Place:
        return self.place_of.get(member.site, ())


def incidents(
    members: Iterable[Member], place_of: Mapping[str, Place], settings: Grouping = HOUSE
) -> tuple[Incident, ...]:
    """Return all incidents, oldest first; each outage is in exactly one, alone where nothing joins it to others.

    ``place_of`` names the place of every site of the regency, those with service too: what is "all of a PON" depends
    on it.
    """
    tree = _Tree(place_of)
    ordered = sorted(members, key=lambda one: (one.outage.start_ms, one.site))
    found = [_alone(one, tree) for one in ordered if one.outage.cause in OWN]
    shared = (one for one in ordered if one.outage.cause not in OWN)
    for root, of_root in _by(shared, tree, 1).items():
        for cluster in _clusters(of_root, settings.together_ms):
            groups, left = _grouped(cluster, root, tree, settings)
            found += groups
            found += [_alone(one, tree) for one in left]
    return tuple(sorted(found, key=lambda one: (one.start_ms, one.place)))


def _by(members: Iterable[Member], tree: _Tree, depth: int) -> dict[Place, list[Member]]:
    found: dict[Place, list[Member]] = defaultdict(list)
    for one in members:
        found[tree.path(one)[:depth]].append(one)
    return found


def _clusters(ordered: Iterable[Member], together_ms: int) -> list[list[Member]]:
    """Cut where an outage begins too late after its cluster's first: no chain of neighbours grows for ever."""
    found: list[list[Member]] = []
    for one in ordered:
        if found and one.outage.start_ms - found[-1][0].outage.start_ms <= together_ms:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _grouped(
    members: list[Member], place: Place, tree: _Tree, settings: Grouping
) -> tuple[list[Incident], list[Member]]:
    """Return the incidents at a place and below it, and who belongs to none.

    The finest place that holds all of them comes first, then this one if most of its sites are dark, then the
    places below, each by itself; what they leave may still be too many for chance.
    """
    deeper = _by(members, tree, len(place) + 1)
    children = {child: of_child for child, of_child in deeper.items() if len(child) > len(place)}
    if len(children) == 1 and len(deeper) == 1:
        return _grouped(members, next(iter(children)), tree, settings)
    if _is_enough(members, place, tree, settings.least, settings.most_percent):
        return [_incident(members, place, tree, settings)], []
    found: list[Incident] = []
    left = list(deeper.get(place, ()))
    for child, of_child in sorted(children.items()):
        groups, rest = _grouped(of_child, child, tree, settings)
        found += groups
        left += rest
    if _is_enough(left, place, tree, settings.least, settings.least_percent):
        return [*found, _incident(left, place, tree, settings)], []
    return found, left


def _is_enough(members: Sequence[Member], place: Place, tree: _Tree, least: int, per_cent: int) -> bool:
    sites = len({one.site for one in members})
    # Without a place in the register nothing is common to them.
    return bool(place) and sites >= least and 100 * sites >= per_cent * tree.sites[place]


def _incident(members: Iterable[Member], place: Place, tree: _Tree, settings: Grouping) -> Incident:
    ordered = tuple(sorted(members, key=lambda one: (one.outage.start_ms, one.site)))
    cause, confidence, is_mixed = _verdict(ordered, settings)
    ends = [one.outage.end_ms for one in ordered]
    return Incident(
        place=place,
        start_ms=ordered[0].outage.start_ms,
        end_ms=None if None in ends else max(end for end in ends if end is not None),
        cause=cause,
        confidence=confidence,
        members=ordered,
        sites=tree.sites[place],
        is_mixed=is_mixed,
    )


def _alone(member: Member, tree: _Tree) -> Incident:
    outage = member.outage
    place = (*tree.path(member), member.site)
    return Incident(
        place, outage.start_ms, outage.end_ms, outage.cause, outage.confidence, (member,), 1, is_mixed=False
    )


def _verdict(members: Sequence[Member], settings: Grouping) -> tuple[Cause, float, bool]:
    """Return the common cause, how sure it is, and whether the members differ."""
    votes = Counter(_vote(one.outage) for one in members)
    del votes[Cause.UNKNOWN]
    known = votes.total()
    if not known:
        return Cause.UNKNOWN, max(one.outage.confidence for one in members), False
    if 100 * votes[Cause.LISTRIK] >= settings.power_percent * known:
        cause = Cause.LISTRIK
    else:
        # Half gasps and half lost light: a pole or cabinet with both cables. The cable is what must be mended.
        cause = max((Cause.FIBER, Cause.PENYEDIA, Cause.LISTRIK), key=lambda one: votes[one])
        cause = Cause.FIBER if votes[Cause.FIBER] and cause is Cause.LISTRIK else cause
    surest = max(one.outage.confidence for one in members if _vote(one.outage) is cause)
    return cause, surest * votes[cause] / known, len([one for one in votes if votes[one]]) > 1


def _vote(outage: Outage) -> Cause:
    """A gasp is power, whatever else was concluded from it."""
    return Cause.LISTRIK if any(one.what is Finding.OLT_GASP for one in outage.evidence) else outage.cause
