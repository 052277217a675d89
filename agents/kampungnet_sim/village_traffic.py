"""Bytes through the WAN port as a closed form of time, so that any counter costs one look-up.

The rate of an hour is the day's shape times chance; inside the hour it swings by a few sine
waves of whole periods, so that no rhythm shows. Their integral is known, so the sum up to any
instant is the sum of whole hours (kept in a list) plus a formula. The swing stays below the
rate, hence the sum never falls.
"""

from math import cos, pi
from typing import NamedTuple

from kampungnet_sim.chance import key_of, unit
from kampungnet_sim.village_day import guest_weight, local_hour, office_weight
from kampungnet_sim.village_events import SILENCING, WINDOW_SECONDS, Calendar, Event, Segment

_HOUR = 3_600
# (amplitude, whole periods per hour); the amplitudes add up to less than 1.
_SWINGS = ((0.13, 1), (0.12, 2), (0.11, 3), (0.10, 5), (0.26, 11))


class _Hour(NamedTuple):
    """What one hour needs: bytes before it, bytes in it, and its swings."""

    key: tuple[int, int]
    before: float
    bytes: float
    swings: tuple[tuple[float, float, float, float], ...]


class Flow:
    """Downloaded bytes of one village since the start of a window of 30 days."""

    def __init__(self, seed: int, code: str, *, contract_mbps: int, load: float) -> None:
        self._key = key_of(seed, code, "traffic")
        self._full_hour = contract_mbps * 125_000.0 * _HOUR
        self._load = load
        self._market_day = key_of(seed, code, "market") % 5
        self._sums: dict[int, list[float]] = {}
        self._last: _Hour | None = None

    @property
    def market_day(self) -> int:
        """Which day of the five-day week is market day."""
        return self._market_day

    def hour_bytes(self, hour: int) -> float:
        """Bytes wanted in one hour counted from 1970, never more than 97 % of the contract."""
        day, local = local_hour(hour * _HOUR)
        weight = 0.45 * office_weight(day, local) + 0.55 * guest_weight(day, local, self._market_day)
        share = self._load * weight * (0.65 + 0.7 * unit(self._key, hour)) + 0.004
        return self._full_hour * min(share, 0.97 / (1 + sum(a for a, _ in _SWINGS)))

    def _sum_to_hour(self, anchor: int, hour: int) -> float:
        sums = self._sums.get(anchor)
        if sums is None:
            if len(self._sums) > 4:
                self._sums.pop(next(iter(self._sums)))
            sums = self._sums[anchor] = [0.0]
        first = anchor * WINDOW_SECONDS // _HOUR
        while len(sums) <= hour - first:
            sums.append(sums[-1] + self.hour_bytes(first + len(sums) - 1))
        return sums[hour - first]

    def _hour(self, anchor: int, hour: int) -> _Hour:
        known = self._last
        if known is None or known.key != (anchor, hour):
            swings = []
            for order, (amplitude, periods) in enumerate(_SWINGS):
                phase = 2 * pi * unit(self._key ^ (order + 1), hour)
                turn = 2 * pi * periods
                swings.append((amplitude / turn, turn, phase, cos(phase)))
            known = self._last = _Hour(
                (anchor, hour), self._sum_to_hour(anchor, hour), self.hour_bytes(hour), tuple(swings)
            )
        return known

    def since_anchor(self, anchor: int, when: float) -> float:
        """Bytes wanted from the start of window ``anchor`` until ``when``."""
        hour = int(when // _HOUR)
        now = self._hour(anchor, hour)
        done = when / _HOUR - hour
        part = done
        for scale, turn, phase, start in now.swings:
            part += scale * (start - cos(turn * done + phase))
        return now.before + now.bytes * part

    def between(self, start: float, end: float) -> float:
        """Bytes wanted between two instants at most a few windows apart."""
        anchor = int(start // WINDOW_SECONDS)
        return self.since_anchor(anchor, end) - self.since_anchor(anchor, start)


def silent_spans(calendar: Calendar, start: float, end: float) -> list[tuple[float, float]]:
    """Spans without traffic between two instants, overlaps merged."""
    events: list[Event] = [e for e in calendar.between(start, end) if e.kind in SILENCING]
    spans: list[tuple[float, float]] = []
    for event in events:
        low, high = max(event.start, start), min(event.end, end)
        if spans and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], high))
        else:
            spans.append((low, high))
    return spans


class Meter:
    """Bytes that really went through since a start, in one segment of the calendar."""

    def __init__(self, flow: Flow, calendar: Calendar, start: float, segment: Segment) -> None:
        self._flow = flow
        self._start = start
        self._anchor = int(start // WINDOW_SECONDS)
        self._until = segment.start if segment.kinds & SILENCING else None
        silent = silent_spans(calendar, start, segment.start)
        self._base = flow.since_anchor(self._anchor, start)
        self._base += sum(flow.between(low, high) for low, high in silent)

    def read(self, when: float) -> float:
        """Bytes from the start until ``when``."""
        until = when if self._until is None else min(when, self._until)
        return max(self._flow.since_anchor(self._anchor, max(until, self._start)) - self._base, 0.0)
