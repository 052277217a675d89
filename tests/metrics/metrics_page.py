"""Writes `docs/metrics.md` from the catalogue and the recording rules: `make metrics`."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kampungnet.metrics.catalogue import FAMILIES, OF_BOX, Family, Source
from tests.conftest import ROOT

PAGE: Final = ROOT / "docs" / "metrics.md"
RECORDING: Final = ROOT / "dashboards" / "prometheus" / "recording.yml"
_HEAD: Final = """\
# Metrics

*Written by `make metrics` from `kampungnet/metrics/catalogue.py` and the recording rules; do not edit.*

Labels are codes of Kemendagri as text and names of devices; names of places stand in `…_info` alone, and no person,
MAC, address or voucher is ever a label. A village has at most 60 series. What is not known is absent, never 0. Bills,
availability and coverage never come from here: they come from the database.
"""
_PARTS: Final = {
    Source.READING: """\
## From readings

Pushed by remote write with the time of the reading, so that an outage fills in afterwards; also on the live page
`/metrics`, where a device that was not heard of for five minutes is absent.

The store has to take them late and twice. Prometheus: `--web.enable-remote-write-receiver`, and in its configuration
`storage: {tsdb: {out_of_order_time_window: 7d}}`. VictoriaMetrics: `-dedup.minScrapeInterval=1ms`; without it what is
sent again stands twice, and sums and counts over time are wrong. Then `KAMPUNGNET_REMOTE_WRITE_URL` and
`kampungnet push` beside `kampungnet serve`.
""",
    Source.STATE: """\
## Judged and counted by the server

As of now, on `/metrics`; `/metrics?only=state` has these alone, and that is what `dashboards/prometheus/prometheus.yml`
scrapes.
""",
    Source.BOX: """\
## From a box about itself

On the agent's own page, on its loopback, where `[metrics]` is set in `agent.toml`. The server tells some of it too,
with the codes of the village.
""",
}
_RULE: Final = re.compile(r"- record: (\S+)\n +expr: (?:>-\n)?(.*?)(?=\n +(?:- record|#)|\Z)", re.DOTALL)


def recorded() -> list[tuple[str, str]]:
    """Return name and expression of each recorded series."""
    found = re.findall(
        r"- record: (\S+)\n +expr: (?:>-\n)?(.*?)(?=\n +(?:- record|#)|\Z)", RECORDING.read_text(), re.DOTALL
    )
    return [(name, " ".join(expression.split())) for name, expression in found]


def page() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for source, text in _PARTS.items():
        known = [one for one in (*FAMILIES.values(), *OF_BOX.values()) if one.source is source]
        parts.append("\n".join([f"\n{text}", *_table(known)]))
    rows = (f"| `{name}` | `{expression}` |" for name, expression in recorded())
    parts.append("\n".join(["\n## Recorded by rules\n", "| name | expression |", "|---|---|", *rows]))
    return "\n".join(parts) + "\n"


def _table(families: Iterable[Family]) -> Iterator[str]:
    yield "| name | kind | unit | labels | what |"
    yield "|---|---|---|---|---|"
    for one in sorted(families, key=lambda one: one.name):
        labels = ", ".join([*one.labels, *one.facts])
        yield f"| `{one.name}` | {one.kind} | {one.unit} | {labels} | {one.help} |"


if __name__ == "__main__":
    PAGE.write_text(page())
