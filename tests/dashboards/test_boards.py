"""The committed boards: what the builder makes, what Grafana's models read, what its linter asks for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana import build, frame
from dashboards.grafana.panels import STATES
from dashboards.grafana.sources import POSTGRESQL
from kampungnet.core.languages import read_catalogue
from kampungnet.devices.status import Status
from kampungnet.measurement.states import STATUS_WORDS
from kampungnet.metrics.catalogue import FAMILIES
from tests.architecture.sources import ROOT, expect_none
from tests.dashboards.asked import boards
from tests.dashboards.typed import misfits

BOARDS: Final = boards()
SCHEMA_VERSION: Final = 42
PROVISIONING: Final = build.FOLDER.parents[1] / "provisioning"
COUNTER: Final = re.compile(r"(\w*\()?(kampungnet_\w+(?:_total|_bucket|_count|_sum))\b[^\[)]*(\[[^\]]*\])?")
SELECTED: Final = re.compile(r"(?<![:\w])(kampungnet_\w+)(?:\{([^}]*)\})?( @ end\(\))?")
FEW_VILLAGES: Final = re.compile(r'village="\$desa"|village=~"\$(ramai|redup)"')
LAST_KNOWN: Final = {("kn-desa", "Cahaya diterima"): "of a village that is silent now it shows the light before that"}
EXCLUDED: Final = {
    "template-job-rule": "samples come by remote write with their own time: they carry village, and no job",
    "template-instance-rule": "as above: no instance; what a scrape adds is aggregated away",
    "target-job-rule": "as above",
    "target-instance-rule": "as above",
    "template-label-promql-rule": "places are chosen by name, and names are asked of the register in PostgreSQL",
    "template-datasource-rule of PostgreSQL": "the name it asks for, grafana-postgresql-datasource_datasource, is none"
    " that Grafana's variables may have",
}
"""Rules of grafana/dashboard-linter that do not hold here, and why. All others are tests below."""


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> dict[str, Any]:
    return BOARDS[request.param]


def test_what_is_committed_is_what_the_builder_makes_and_makes_again() -> None:
    made = build.texts()
    assert made == build.texts()
    assert {path.name: path.read_text() for path in build.FOLDER.glob("*.json")} == made, "run make dashboards"


def test_another_server_gets_its_own_addresses_and_time_zone(tmp_path: Path) -> None:
    (tmp_path / "old.json").touch()
    build.write(tmp_path, "https://kampung.example.go.id", "Asia/Makassar")
    assert {path.name for path in tmp_path.iterdir()} == set(BOARDS)
    for path in tmp_path.iterdir():
        text = path.read_text()
        assert frame.CONSOLE not in text
        assert '"timezone": "Asia/Makassar"' in text


def test_grafanas_own_models_read_every_board_and_lose_nothing_of_it(board: dict[str, Any]) -> None:
    register_default_plugins()
    read = Dashboard.from_json(json.loads(json.dumps(board)))
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == board
    assert board["schemaVersion"] == SCHEMA_VERSION


def test_every_value_is_of_the_type_that_grafanas_schema_gives_it(board: dict[str, Any]) -> None:
    register_default_plugins()
    expect_none(misfits(Dashboard.from_json(json.loads(json.dumps(board))), board["uid"]))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("refresh",), 60), (("editable",), "no"), (("panels", 0, "gridPos", "h"), "8"), (("graphTooltip",), 7),
        (("panels", 0, "fieldConfig", "defaults", "thresholds", "mode"), "sometimes"), (("tags",), [1]),
        (("panels", 0, "transformations"), [{"id": 3, "options": {}}]), (("time", "from"), None),
        (("templating", "list", 0, "refresh"), 9), (("panels", 0, "options", "colorMode"), "rainbow"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_found(path: tuple[str | int, ...], value: object) -> None:
    register_default_plugins()
    board = json.loads(json.dumps(BOARDS["kabupaten.json"]))
    inner: Any = board
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert len(list(misfits(Dashboard.from_json(board), ""))) == 1


def test_boards_have_fixed_names_of_their_own_and_nobody_edits_them_in_the_browser(board: dict[str, Any]) -> None:
    assert [one["uid"] for one in BOARDS.values()] == sorted({one["uid"] for one in BOARDS.values()})
    assert "id" not in board
    assert board["editable"] is False
    assert board["timezone"] == "Asia/Jakarta"
    assert board["description"].endswith(".")
    assert [panel["id"] for panel in board["panels"]] == list(range(1, len(board["panels"]) + 1))


def test_no_panel_lies_on_another_and_all_fit_on_the_grid(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert max(x for x, _ in own) < 24, panel["title"]
        assert not own & taken, panel["title"]
        taken |= own


def test_every_panel_says_what_it_is_and_in_which_unit(board: dict[str, Any]) -> None:
    known = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("__")}
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        used = {panel["fieldConfig"]["defaults"]["unit"]} | set(_units(panel))
        assert used <= known | {"string"}, panel["title"]
        assert panel["targets"], panel["title"]


def test_data_sources_are_variables_and_every_panel_uses_them(board: dict[str, Any]) -> None:
    sources = [one for one in board["templating"]["list"] if one["type"] == "datasource"]
    assert [(one["name"], one["label"], one["query"]) for one in sources] == [
        ("prometheus_datasource", "Prometheus data source", "prometheus"),
        ("postgresql_datasource", "Postgresql data source", POSTGRESQL.type_val),
    ]
    allowed = {f"${{{one['name']}}}" for one in sources}
    for panel in board["panels"]:
        assert {panel["datasource"]["uid"]} | {one["datasource"]["uid"] for one in panel["targets"]} <= allowed


def test_variables_are_asked_for_again_when_the_time_changes(board: dict[str, Any]) -> None:
    asked = [one for one in board["templating"]["list"] if one["type"] == "query"]
    assert all(one["refresh"] == 2 and one["label"] for one in asked)


def test_counters_stand_only_within_rates_over_the_interval_that_fits_the_graph(board: dict[str, Any]) -> None:
    wrong = [
        f"{panel['title']}: {found[0]}"
        for panel in board["panels"]
        for target in panel["targets"]
        for found in COUNTER.finditer(target.get("expr", ""))
        if found[1] not in {"rate(", "irate(", "increase("} or found[3] != "[$__rate_interval]"
    ]
    expect_none(wrong)


def test_numbers_bars_and_tables_ask_for_one_instant_and_not_for_all_points_of_a_graph(board: dict[str, Any]) -> None:
    wrong = [
        f"{panel['title']}: {target['expr']}"
        for panel in board["panels"] if panel["type"] in {"stat", "bargauge", "table"}
        for target in panel["targets"] if target.get("range") and (board["uid"], panel["title"]) not in LAST_KNOWN
    ]  # fmt: skip
    expect_none(wrong)


def test_lines_are_drawn_of_recorded_series_or_of_few_villages(board: dict[str, Any]) -> None:
    """Each point of each village costs: the sum of 401 villages over 30 days took Prometheus 14 seconds."""
    wrong = [
        f"{panel['title']}: {name}{{{where}}}"
        for panel in board["panels"] for target in panel["targets"] if target.get("range")
        for name, where, at in SELECTED.findall(target["expr"])
        if "village" in FAMILIES[name.removesuffix("_bucket")].labels and not at and not FEW_VILLAGES.search(where)
    ]  # fmt: skip
    expect_none(wrong)


def test_links_lead_to_boards_that_exist_with_variables_that_they_have() -> None:
    known = {board["uid"]: {one["name"] for one in board["templating"]["list"]} for board in BOARDS.values()}
    links = {link for board in BOARDS.values() for link in _links(board)}
    to_boards = [re.fullmatch(r"/d/([\w-]+)\?\$\{__url_time_range\}(.*)", link) for link in links]
    wrong = [
        found[0] for found in to_boards if found
        and not (found[1] in known and set(re.findall(r"&var-(\w+)=", found[2])) <= known[found[1]])
    ]  # fmt: skip
    expect_none(wrong)
    assert any(to_boards)
    assert all(link.startswith(("/d/", f"{frame.CONSOLE}/")) for link in links)


def test_a_link_from_a_row_uses_columns_that_the_row_has(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        text = json.dumps(panel["fieldConfig"]["overrides"])
        used = set(re.findall(r"__data\.fields\.(\w+)", text)) | {
            one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]
        }
        renamed = [one["options"]["renameByName"].values() for one in panel.get("transformations", [])]
        columns = {name for names in renamed for name in names} | {
            name for target in panel["targets"] for name in re.findall(r'AS "([^"]+)"', target.get("rawSql", ""))
        }
        assert used <= columns, panel["title"]


def test_nothing_is_fetched_from_the_internet(board: dict[str, Any]) -> None:
    assert not re.findall(r"https?://(?!127\.0\.0\.1)", json.dumps(board))
    maps = [panel for panel in board["panels"] if panel["type"] == "geomap"]
    assert all(one["options"]["basemap"]["config"]["src"].startswith("public/") for one in maps)


def test_states_have_the_words_of_the_servers_own_pages() -> None:
    said = read_catalogue((ROOT / "kampungnet/locale/id/LC_MESSAGES/messages.po").read_text())
    assert {state: (word,) for state, word, _ in STATES} == {state.value: said[STATUS_WORDS[state]] for state in Status}


def test_provisioning_names_the_sources_and_lets_nobody_change_boards_in_the_browser() -> None:
    sources = (PROVISIONING / "datasources/kampungnet.yaml").read_text()
    folders = (PROVISIONING / "dashboards/kampungnet.yaml").read_text()
    for text in (sources, folders):
        assert "\napiVersion: 1\n" in text
        assert "\t" not in text
    assert re.findall(r"^    uid: (.+)$", sources, re.M) == ["kampungnet-prometheus", "kampungnet-postgresql"]
    chosen = {one["current"]["value"] for board in BOARDS.values() for one in board["templating"]["list"]
              if one["type"] == "datasource"}  # fmt: skip
    assert chosen == set(re.findall(r"^    uid: (.+)$", sources, re.M))
    assert re.findall(r"password: (.+)$", sources, re.M) == ["$KAMPUNGNET_READER_PASSWORD"]
    assert not re.search(r"\$(?!KAMPUNGNET_[A-Z_]+$)", "\n".join(_values(sources + folders)), re.M)
    for line in ("type: file", "allowUiUpdates: false", "disableDeletion: true", "foldersFromFilesStructure: true"):
        assert re.search(rf"^ +{line}$", folders, re.M)


def _values(text: str) -> list[str]:
    return [
        line.partition(": ")[2].replace("$$", "") for line in text.splitlines() if not line.lstrip().startswith("#")
    ]


def _units(panel: dict[str, Any]) -> Iterator[str]:
    for override in panel["fieldConfig"]["overrides"]:
        yield from (one["value"] for one in override["properties"] if one["id"] == "unit")


def _links(board: dict[str, Any]) -> Iterator[str]:
    yield from (one["url"] for one in board["links"] if one["type"] == "link")
    for panel in board["panels"]:
        for override in panel["fieldConfig"]["overrides"]:
            for one in override["properties"]:
                if one["id"] == "links":
                    yield from (link["url"] for link in one["value"])
