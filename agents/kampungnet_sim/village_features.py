"""What one village office has and another has not: a dialled line, RADIUS, access points, odd names.

Each village draws its own; a run may instead give every village exactly the features it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kampungnet_sim.chance import key_of, unit


@dataclass(frozen=True, slots=True)
class Feature:
    """``share`` is the share of villages that draw it; 0 comes only when it is asked for."""

    meaning: str
    share: float = 0.0


FEATURES: dict[str, Feature] = {
    "fasttrack": Feature("the default FastTrack rule is on: simple queues count too little", 0.6),
    "radius": Feature("the hotspot also asks a RADIUS server", 0.25),
    "hotspot-log": Feature("a logging rule writes hotspot logins into the log", 0.5),
    "latin-names": Feature("names in Latin-1, with emoji, a NUL, or that read as a number or a boolean", 0.25),
    "update-known": Feature("the router looked for updates and found a newer version", 0.5),
    "old-firmware": Feature("RouterBOOT was not upgraded with the last update", 0.3),
    "second-hotspot": Feature("a second, disabled hotspot server", 0.2),
    "pppoe": Feature("the line is dialled: pppoe-out1 carries it and starts anew at each redial"),
    "pppoe-server": Feature("the village sells lines: dynamic <pppoe-USER> interfaces, new ids at each dial"),
    "capsman": Feature("two access points are controlled by the router (CAPsMAN)"),
    "hotspot-forbidden": Feature("device-mode forbids the hotspot (version 7): nobody is on it"),
    "level-3": Feature("the licence is level 3: one hotspot guest at most"),
    "bad-cable": Feature("port ether2 counts errors and drops"),
    "no-ddm": Feature("the optical module measures nothing"),
    "odd-stick": Feature("the optical module gives nonsense without light, as some GPON sticks do"),
    "sfp-units": Feature("optical values carry their unit, as version 6 is said to print them"),
    "no-hotspot-package": Feature("version 6 without the package hotspot: its menus are missing"),
    "tag-last": Feature(".tag stands at the end of a sentence, as in 5.x and 6.1"),
}


# Rows a village's lists can be told to have: ids of rows have room for so many at one instant.
MOST_ROWS = 4_000


@dataclass(frozen=True, slots=True)
class Scale:
    """How much a router holds, for benchmarks; None leaves it to the village.

    ``guests`` devices are logged in at any instant, the user list has ``users`` rows besides
    ``default-trial``, the lease table ``leases`` rows in all.
    """

    guests: int | None = None
    users: int | None = None
    leases: int | None = None

    @property
    def steady(self) -> bool:
        """Is the number of guests fixed?"""
        return self.guests is not None or self.leases is not None


NO_SCALE = Scale()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run wants of its villages. ``features`` None: each draws its own.

    By village code: the ONTs in ``silent_onts`` answer nothing, and a connector in each of ``ageing``
    has been losing light since the instant given there (Unix seconds). The fibre of each of ``cuts`` was
    cut from the first to the second instant given there.
    """

    features: frozenset[str] | None = None
    scale: Scale = NO_SCALE
    silent_onts: frozenset[str] = frozenset()
    ageing: Mapping[str, float] = field(default_factory=dict)
    cuts: Mapping[str, tuple[float, float]] = field(default_factory=dict)


NO_WISH = Wish()


def draw_features(seed: int, code: str) -> frozenset[str]:
    """The features of one village; each is drawn alone, so a new one changes no other."""
    return frozenset(
        name for name, feature in FEATURES.items() if unit(key_of(seed, code, "feature", name), 0) < feature.share
    )
