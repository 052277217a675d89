"""Every query of every board as Grafana would send it: with values in the place of variables and macros."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.grafana import build

SQL_MACRO: Final = re.compile(r"\$(__[a-zA-Z]+)\(([^\)]*)\)")
"""Grafana's own (pkg/tsdb/grafana-postgresql-datasource/macros.go): an argument ends at the first closing bracket."""
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
FIXED: Final = {"__rate_interval": "5m", "__interval": "1m", "__range": "1h"}


@dataclass(frozen=True)
class Asked:
    """One query and where it stands."""

    board: str
    panel: str
    text: str
    is_sql: bool
    is_series: bool


def boards() -> dict[str, dict[str, Any]]:
    """Return every committed board by the name of its file."""
    return {path.name: json.loads(path.read_text()) for path in sorted(build.FOLDER.glob("*.json"))}


def queries() -> Iterator[Asked]:
    """Yield the queries of panels, variables and annotations of all boards."""
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield _of_target(name, f"{panel['title']} {target['refId']}", target)
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield Asked(name, f"variable {variable['name']}", variable["query"], is_sql=True, is_series=False)
        for note in board["annotations"]["list"]:
            yield _of_target(name, f"annotation {note['name']}", note["target"])


def following() -> dict[str, str]:
    """Return the queries of the variables that nobody chooses: they follow from the others."""
    return {
        one["name"]: one["query"]
        for board in boards().values()
        for one in board["templating"]["list"]
        if one.get("hide")
    }


def _of_target(board: str, panel: str, target: Mapping[str, Any]) -> Asked:
    if "rawSql" in target:
        return Asked(board, panel, target["rawSql"], is_sql=True, is_series=target["format"] == "time_series")
    return Asked(board, panel, target["expr"], is_sql=False, is_series=bool(target.get("range")))


def as_promql(text: str, values: Mapping[str, Sequence[str]]) -> str:
    """Return a PromQL query with the values of variables: several become alternatives."""

    def value(name: str, _format: str | None) -> str:
        if name in FIXED:
            return FIXED[name]
        escaped = [one.replace(".", r"\\.") for one in values[name]]
        return values[name][0] if len(escaped) == 1 and f'=~"${name}"' not in text else "|".join(escaped)

    return _filled(text, value)


def as_sql(text: str, values: Mapping[str, Sequence[str]], first: str, last: str) -> str:
    """Return a SQL query with the values of variables, between two instants."""

    def value(name: str, form: str | None) -> str:
        assert form == "sqlstring", f"{name} would stand in the query without quotes"
        return ",".join("'" + one.replace("'", "''") + "'" for one in values[name])

    def macro(found: re.Match[str]) -> str:
        name, argument = found.groups()
        if name == "__timeFilter":
            return f"{argument} BETWEEN '{first}' AND '{last}'"
        return {"__timeFrom": f"'{first}'", "__timeTo": f"'{last}'"}[name]

    return _filled(SQL_MACRO.sub(macro, text), value)


def _filled(text: str, value: Callable[[str, str | None], str]) -> str:
    return VARIABLE.sub(lambda found: value(found[1] or found[3], found[2]), text)
