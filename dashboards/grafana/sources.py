"""Where panels get their rows from: a store that speaks PromQL, and the views for people in PostgreSQL."""

from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="${prometheus_datasource}")
POSTGRESQL: Final = DataSourceRef(type_val="grafana-postgresql-datasource", uid="${postgresql_datasource}")

Made = TypeVar("Made")


class SqlQuery(Dataquery):
    """One SQL query as Grafana stores it; the builder knows PostgreSQL's not."""

    def __init__(self, ref_id: str, sql: str, *, is_series: bool) -> None:
        self._ref_id, self._sql, self._is_series = ref_id, sql, is_series

    def to_json(self) -> dict[str, object]:
        """Return the query as a panel's target."""
        return {
            "datasource": POSTGRESQL, "editorMode": "code", "format": "time_series" if self._is_series else "table",
            "rawQuery": True, "rawSql": self._sql, "refId": self._ref_id,
        }  # fmt: skip


class Ready(Builder[Made]):
    """What needs no building any more, for those who take builders only."""

    def __init__(self, made: Made) -> None:
        self._made = made

    def build(self) -> Made:
        """Return it."""
        return self._made


@dataclass(frozen=True, slots=True)
class Prom:
    """A PromQL query; ``legend`` may hold ``{{label}}``."""

    expr: str
    legend: str = ""
    is_instant: bool = False
    """The newest values; otherwise lines over time."""
    is_table: bool = False
    """With labels as columns."""

    source = PROMETHEUS

    def target(self, ref_id: str) -> Builder[Dataquery]:
        """Return it as a panel's target."""
        query = prometheus.Dataquery().ref_id(ref_id).expr(self.expr).datasource(PROMETHEUS)
        if self.legend:
            query = query.legend_format(self.legend)
        if self.is_table:
            query = query.format(PromQueryFormat.TABLE)
        return query.instant() if self.is_instant else query.range()


@dataclass(frozen=True, slots=True)
class Sql:
    """A query to PostgreSQL. Of a series the column ``time`` says when, and ``metric`` names the line."""

    text: str
    is_series: bool = False

    source = POSTGRESQL

    def target(self, ref_id: str) -> Builder[Dataquery]:
        """Return it as a panel's target."""
        return Ready(SqlQuery(ref_id, " ".join(self.text.split()), is_series=self.is_series))


Query = Prom | Sql


def live(metric: str, where: str) -> str:
    """Return a gauge of the chosen places, each once: a scrape adds job and instance, remote write does not."""
    return f"max without (job, instance) ({metric}{{{where}}})"


def rate(metric: str, where: str) -> str:
    """Return how fast a counter of the chosen places grows a second, each once."""
    return f"max without (job, instance) (rate({metric}{{{where}}}[$__rate_interval]))"


def named(expr: str, where: str) -> str:
    """Give values by village the names of the register: those at the end of the graph, looked up once for all of it."""
    names = f"max without (job, instance) (kampungnet_village_info{{{where}}} @ end())"
    return f"{expr} * on (village) group_left (name) {names}"


def now(expr: str, legend: str = "") -> "Prom":
    """Return the newest values only: a number, a bar or a table would throw all other points of a graph away."""
    return Prom(expr, legend, is_instant=True)
