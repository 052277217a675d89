"""Panels as all boards have them: title, a sentence that explains it, unit, queries, thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
)
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.common import (
    DataSourceRef,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VisibilityMode,
    VizOrientation,
)

from dashboards.grafana.sources import Prom, Query, Sql

Step = tuple[float | None, str]
"""From which value on (``None``: from the lowest), and the colour."""

GOOD, POOR, BAD, CALM = "green", "orange", "red", "text"
STATES: Final = (("up", "Terhubung", GOOD), ("down", "Gangguan", BAD), ("silent", "Tidak ada kabar", POOR),
                 ("never", "Belum dipasang", "gray"))  # fmt: skip
"""A village's state as the server calls it, in the words of its pages."""
_REFS: Final = "ABCDEF"
_LABELS: Final = {"kind": "Jenis", "model": "Model", "version": "Versi", "board": "Papan", "name": "Desa",
                  "regency": "Kabupaten", "district": "Kecamatan", "village": "Kode", "Value": "Nilai"}  # fmt: skip
"""Labels as columns of a table."""


class Common(Protocol):
    """What the builders of all panels have in common."""

    def title(self, title: str) -> Self:
        """Say what is shown."""

    def description(self, description: str) -> Self:
        """Explain it."""

    def datasource(self, datasource: DataSourceRef) -> Self:
        """Say where it comes from."""

    def unit(self, unit: str) -> Self:
        """Say in which unit."""

    def height(self, h: int) -> Self:
        """Say how high it is, in lines of the grid."""

    def span(self, w: int) -> Self:
        """Say how wide it is; the grid has 24 columns."""

    def no_value(self, no_value: str) -> Self:
        """Say what stands where nothing is known."""

    def with_target(self, target: Builder[Dataquery]) -> Self:
        """Add a query."""

    def thresholds(self, thresholds: Builder[dashboard.ThresholdsConfig]) -> Self:
        """Colour values."""

    def mappings(self, mappings: list[dashboard.ValueMapping]) -> Self:
        """Put words in the place of values."""


Panel = TypeVar("Panel", bound=Common)


@dataclass(frozen=True, slots=True)
class Tile:
    """What every panel needs."""

    title: str
    about: str
    unit: str = "none"
    span: int = 12
    height: int = 8
    steps: Sequence[Step] = ((None, CALM),)
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of values: the text in their place, and its colour."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a table shows a column that is not as the others."""

    unit: str = ""
    link: str = ""
    """Where a click leads."""
    hint: str = ""
    steps: Sequence[Step] = ()
    """Colour it from these values on."""


def common(panel: Panel, tile: Tile, queries: Sequence[Query]) -> Panel:
    """Give a panel what every panel has."""
    for ref, query in zip(_REFS, queries, strict=False):
        panel = panel.with_target(query.target(ref))
    steps = [dashboard.Threshold(value=value, color=colour) for value, colour in tile.steps]
    panel = (
        panel.title(tile.title)
        .description(tile.about)
        .datasource(queries[0].source)
        .unit(tile.unit)
        .span(tile.span)
        .height(tile.height)
        .no_value("–")
        .thresholds(ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps))
    )
    return panel.mappings([words(tile.words)]) if tile.words else panel


def words(texts: Mapping[str, tuple[str, str]]) -> dashboard.ValueMap:
    """Return what puts words and colours in the place of values."""
    return dashboard.ValueMap(
        {
            value: dashboard.ValueMappingResult(text=text, color=colour, index=number)
            for number, (value, (text, colour)) in enumerate(texts.items())
        }
    )


def state_words() -> dict[str, tuple[str, str]]:
    """Return the words for the states of villages."""
    return {value: (text, colour) for value, text, colour in STATES}


def number(tile: Tile, *queries: Query) -> stat.Panel:
    """Return one number, or one for each row."""
    newest = ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/").values(False)
    return common(stat.Panel(), tile, queries).reduce_options(newest)


def lines(tile: Tile, *queries: Query) -> timeseries.Panel:
    """Return lines over time; thresholds other than the first are drawn as dashed lines."""
    style = GraphThresholdsStyleMode.DASHED if len(tile.steps) > 1 else GraphThresholdsStyleMode.OFF
    legend = VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    return (
        common(timeseries.Panel(), tile, queries)
        .thresholds_style(GraphThresholdsStyleConfig().mode(style))
        .show_points(VisibilityMode.AUTO)
        .fill_opacity(8)
        .legend(legend.placement(LegendPlacement.BOTTOM).calcs([]))
    )


def bars(tile: Tile, *queries: Query) -> timeseries.Panel:
    """Return bars over time, one on the other."""
    return lines(tile, *queries).draw_style(GraphDrawStyle.BARS).stacking(StackingConfig().mode(StackingMode.NORMAL))


def ranking(tile: Tile, query: Query) -> bargauge.Panel:
    """Return one bar for each row of a table, or for each series."""
    rows = ReduceDataOptions().values(isinstance(query, Sql)).calcs(["lastNotNull"])
    return common(bargauge.Panel(), tile, [query]).orientation(VizOrientation.HORIZONTAL).reduce_options(rows)


def rows(tile: Tile, query: Query, columns: Mapping[str, Column] | None = None) -> table.Panel:
    """Return a table; ``columns`` says by name how some are shown."""
    panel = common(table.Panel(), tile, [query]).filterable(True)
    if isinstance(query, Prom):
        shown: dict[str, object] = {"excludeByName": {"Time": True}, "renameByName": _LABELS}
        panel = panel.with_transformation(dashboard.DataTransformerConfig("organize", options=shown))
    for name, column in (columns or {}).items():
        panel = panel.override_by_name(name, _properties(column))
    return panel


def _properties(column: Column) -> list[dashboard.DynamicConfigValue]:
    found = []
    if column.unit:
        found.append(dashboard.DynamicConfigValue("unit", column.unit))
    if column.steps:
        steps = [{"value": value, "color": colour} for value, colour in column.steps]
        found.append(dashboard.DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps}))
        found.append(dashboard.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    if column.link:
        link = {"title": column.hint, "url": column.link}
        found.append(dashboard.DynamicConfigValue("links", [link]))
    return found
