"""The shipped configuration in a real Prometheus beside a real server: scraped, judged, and told with any name."""

import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import update

from kampungnet.core.database import Database
from kampungnet.devices.models import Agent
from kampungnet.villages.models import Village
from tests.support.monitoring import RULES, get, prometheus, quick
from tests.support.server import SITE, VILLAGE, Box, enrolled, prepared_database, router_body, serving

HOSTILE: Final = '"}} {{ template "x" }} <script>alert(1)</script> {a="b"} \\ 🛰️ \' ' + "ḏ" * 300
WAIT_SECONDS: Final = 60


@dataclass(frozen=True)
class Scraped:
    url: str
    database: Database
    box: Box

    def asked(self, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = get(f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": query}))[
            "data"
        ]["result"]
        return found

    def alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = get(f"{self.url}/api/v1/alerts")["data"]["alerts"]
        return found


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder: Path = tmp_path_factory.mktemp("scrape")
    database = prepared_database(f"sqlite:///{folder / 'kampungnet.db'}")
    box = enrolled(database)
    with database.writes() as db:
        db.execute(update(Village).where(Village.code == VILLAGE).values(name=HOSTILE))
    for file in ("recording.yml", "alerts-villages.yml", "alerts-platform.yml"):
        (folder / file).write_text(quick((RULES / file).read_text(), waits="platform" in file))
    with serving(database) as server:
        server.report(box, box.reading(router_body()))
        with database.writes() as db:
            db.execute(update(Agent).where(Agent.site == SITE).values(clock_offset_ms=-3_600_000))
        config = quick((RULES / "prometheus.yml").read_text()).replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
        with prometheus(folder, config, "--web.enable-remote-write-receiver") as url:
            yield Scraped(url, database, box)
    database.close()


def _targets(scraped: Scraped) -> list[dict[str, Any]]:
    targets = get(f"{scraped.url}/api/v1/targets")["data"]["activeTargets"]
    return [one for one in targets if one["labels"]["job"] == "kampungnet"]


def _firing(scraped: Scraped) -> set[str]:
    return {one["labels"]["alertname"] for one in scraped.alerts() if one["state"] == "firing"}


def _until(found: Any) -> Any:
    until = time.monotonic() + WAIT_SECONDS
    while not (told := found()):
        assert time.monotonic() < until
        time.sleep(0.2)
    return told


def test_the_server_is_a_target_that_is_up_and_keeps_within_the_limits(scraped: Scraped) -> None:
    # The very first scrape finds a server that is still starting: on a busy machine it comes too late.
    _until(lambda: [(one["health"], one["lastError"]) for one in _targets(scraped)] == [("up", "")])
    assert _until(lambda: scraped.asked("kampungnet_village_up"))[0]["value"][1] == "1"
    assert scraped.asked("kampungnet_device_up") == [], "what is pushed is not scraped as well"


def test_any_name_reaches_labels_and_texts_as_it_is(scraped: Scraped) -> None:
    (info,) = _until(lambda: scraped.asked(f'kampungnet_village_info{{village="{VILLAGE}"}}'))
    assert info["metric"]["name"] == HOSTILE[:300]
    (alert,) = _until(lambda: [one for one in scraped.alerts() if one["labels"]["alertname"] == "ClockWrong"])
    assert alert["annotations"]["place"] == f"{HOSTILE[:300]}, Glagah ({VILLAGE})"
    assert alert["annotations"]["summary"].startswith("Jam kotak meleset 3600 detik")
    assert {"regency", "district", "village"} <= alert["labels"].keys()
    assert HOSTILE[:20] not in str(alert["labels"])


def test_no_rule_fails_and_none_says_anything_else_of_a_village_that_is_well(scraped: Scraped) -> None:
    _until(lambda: scraped.asked("regency:kampungnet_village_up:ratio"))
    groups = get(f"{scraped.url}/api/v1/rules")["data"]["groups"]
    assert [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")] == []
    # Before the first scrape samples are missing, and with a `for` of a second that fires, too.
    _until(lambda: _firing(scraped) == {"Watchdog", "ClockWrong"})
