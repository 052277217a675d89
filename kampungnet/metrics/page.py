"""The families of one scrape, each described once, by the catalogue."""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from kampungnet.metrics.catalogue import BY_BASE, Kind, family
from kampungnet.metrics.samples import SERIES_A_VILLAGE, Labels

LONGEST: Final = 300
"""Letters of a fact: Prometheus refuses a whole page on which one label value is longer than its limit."""


class Page:
    """Takes samples; leaves out what is there already, and what goes beyond a village's room."""

    def __init__(self) -> None:
        self._gauges: dict[str, GaugeMetricFamily] = {}
        self._counters: dict[str, CounterMetricFamily] = {}
        self._infos: dict[str, InfoMetricFamily] = {}
        self._histograms: list[HistogramMetricFamily] = []
        self._room = 0
        self._shown: set[tuple[str, ...]] = set()

    def next_village(self, room: int = SERIES_A_VILLAGE) -> None:
        """Give the next village its room: what a lying box says beyond it, or twice, is left out."""
        self._room = room
        self._shown.clear()

    def _has_room(self, name: str, labels: Labels) -> bool:
        series = (name, *labels.values())
        if series in self._shown or len(self._shown) >= self._room:
            return False
        self._shown.add(series)
        return True

    def gauge(self, name: str, labels: Labels, value: float | None) -> None:
        """Add one sample, unless nothing is known."""
        if value is not None and self._has_room(name, labels):
            found = self._gauges.get(name)
            if found is None:
                known = family(name, Kind.GAUGE, tuple(labels))
                found = self._gauges[name] = GaugeMetricFamily(name, known.help, labels=known.labels)
            found.add_metric(list(labels.values()), value)

    def counter(self, name: str, labels: Labels, value: float | None) -> None:
        """Add one cumulative value exactly as the device gave it; the name has no ``_total`` yet."""
        if value is not None and self._has_room(name, labels):
            found = self._counters.get(name)
            if found is None:
                known = family(name, Kind.COUNTER, tuple(labels))
                found = self._counters[name] = CounterMetricFamily(name, known.help, labels=known.labels)
            found.add_metric(list(labels.values()), value)

    def info(self, name: str, labels: Labels, facts: Labels) -> None:
        """Add one constant 1 with facts as labels; the name has no ``_info`` yet."""
        if self._has_room(name, labels):
            found = self._infos.get(name)
            if found is None:
                known = family(name, Kind.INFO, tuple(labels))
                found = self._infos[name] = InfoMetricFamily(name, known.help, labels=known.labels)
            found.add_metric(list(labels.values()), {fact: told[:LONGEST] for fact, told in facts.items()})

    def histogram(self, name: str, buckets: Sequence[tuple[str, int]], total: float) -> None:
        """Add a distribution: how many were at most so long, by upper edge, and the sum of all."""
        self._histograms.append(HistogramMetricFamily(name, BY_BASE[name].help, buckets=buckets, sum_value=total))

    def families(self) -> Iterator[Metric]:
        """Yield what was gathered."""
        yield from self._infos.values()
        yield from self._gauges.values()
        yield from self._counters.values()
        yield from self._histograms
