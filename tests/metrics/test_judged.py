"""What alerts stand on: outages and incidents that last, each where it belongs, and nothing that is over."""

from collections.abc import Iterator

import msgspec
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.core.tally import Tally
from kampungnet.measurement.outage_models import LoggedIncident, LoggedOutage
from kampungnet.metrics import live
from kampungnet.shared import wire
from tests.support.server import NEIGHBOUR, REGENCY, SITE, VILLAGE, Box, enrolled, ingested, router_body

FAR = "35.10.01.2001"
DNS = wire.CheckStep("dns", good=True)
START_MS = 1_790_000_000_000


def _series(database: Database) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    text = live.page_text(database, Tally(), only_state=True).decode()
    for sample in _samples(list(text_string_to_metric_families(text))):
        found.setdefault(sample[0], []).append(sample[1:])
    return found


def _samples(families: list[Metric]) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in families:
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def _outage(village: str, cause: str = "fiber", end_ms: int | None = None, start_ms: int = START_MS) -> LoggedOutage:
    return LoggedOutage(
        regency=REGENCY, site=f"{village}-1", start_ms=start_ms, end_ms=end_ms, cause=cause, confidence=0.9,
        evidence="[]", provisional=True,
    )  # fmt: skip


def _incident(name: str, *villages: str, end_ms: int | None = None) -> LoggedIncident:
    members = [(f"{village}-1", START_MS) for village in villages]
    return LoggedIncident(
        regency=REGENCY, id=name, start_ms=START_MS, end_ms=end_ms, cause="fiber", confidence=0.9,
        place='["Jalur \\"Licin\\"","ODP 3"]', sites=3, mixed=False, provisional=True, proven=True,
        members=msgspec.json.encode(members).decode(),
    )  # fmt: skip


@pytest.fixture
def three(database: Database, box: Box) -> Database:
    """Three villages with a box; the first one reports."""
    for village in (NEIGHBOUR, FAR):
        enrolled(database, village)
    ingested(database, box.request(box.report(box.reading(router_body()))))
    return database


def test_a_shared_incident_is_told_once_and_names_its_villages_that_are_still_dark(three: Database) -> None:
    with three.writes() as db:
        db.add_all([_outage(VILLAGE), _outage(NEIGHBOUR), _outage(FAR, end_ms=START_MS + 1)])
        db.add_all([_incident("ab", VILLAGE, NEIGHBOUR, FAR), _incident("alone", FAR)])
        db.add(_incident("over", VILLAGE, NEIGHBOUR, end_ms=START_MS + 2))
    series = _series(three)
    where = {"regency": REGENCY, "district": "35.10.15", "incident": "ab"}
    assert series["kampungnet_incident_villages"] == [(where, 2)]
    assert series["kampungnet_incident_since_timestamp_seconds"] == [(where, START_MS / 1000)]
    assert series["kampungnet_incident_info"] == [(where | {"cause": "fiber", "place": 'Jalur "Licin" / ODP 3'}, 1)]
    assert series["kampungnet_incidents_open"] == [({"regency": REGENCY}, 1)]
    assert series["kampungnet_outages_open"] == [({"regency": REGENCY}, 2)]
    members = {labels["village"]: labels["incident"] for labels, _ in series["kampungnet_village_incident_info"]}
    assert members == {VILLAGE: "ab", NEIGHBOUR: "ab"}


def test_an_outage_that_lasts_says_since_when_and_why_and_one_that_ended_is_gone(three: Database) -> None:
    with three.writes() as db:
        db.add_all([_outage(VILLAGE, "listrik"), _outage(NEIGHBOUR, end_ms=START_MS + 1)])
    ((labels, value),) = _series(three)["kampungnet_outage_since_timestamp_seconds"]
    assert (labels["village"], labels["cause"], value) == (VILLAGE, "listrik", START_MS / 1000)


def test_a_village_is_up_or_down_and_a_silent_one_is_neither(three: Database, box: Box) -> None:
    assert [(labels["village"], value) for labels, value in _series(three)["kampungnet_village_up"]] == [(VILLAGE, 1)]
    lost = router_body(pings=[wire.Ping("internet", "203.0.113.1", sent=3, received=0)])
    ingested(three, box.request(box.report(box.reading(lost))))
    assert [(labels["village"], value) for labels, value in _series(three)["kampungnet_village_up"]] == [(VILLAGE, 0)]


@pytest.mark.parametrize(
    ("body", "usable"),
    [
        (wire.PortalBody(running=True, check=[DNS]), [1.0]),
        (wire.PortalBody(running=True, check=[DNS, wire.CheckStep("pages", good=False)]), [0.0]),
        (wire.PortalBody(running=False), [0.0]),
        (wire.PortalBody(running=True), []),
    ],
)  # fmt: skip
def test_the_wifi_is_usable_when_every_step_of_the_boxs_check_is_good(
    database: Database, box: Box, body: wire.PortalBody, usable: list[float]
) -> None:
    ingested(database, box.request(box.report(box.reading(body, device="portal"))))
    text = live.page_text(database, Tally()).decode()
    found = [
        one for one in _samples(list(text_string_to_metric_families(text))) if one[0] == "kampungnet_hotspot_usable"
    ]
    assert [value for _, _, value in found] == usable
    assert all(labels["device"] == "portal" for _, labels, _ in found)


def test_the_ends_of_money_and_certificate_are_shown_where_they_are_known(three: Database) -> None:
    elsewhere = live.Elsewhere(lambda _db, _regency: {VILLAGE: 5_000}, 7_000)
    text = live.page_text(three, Tally(), elsewhere, only_state=True).decode()
    place = f'district="35.10.15",regency="35.10",village="{VILLAGE}"'
    assert f"kampungnet_budget_end_timestamp_seconds{{{place}}} 5.0" in text
    assert "kampungnet_certificate_end_timestamp_seconds 7.0" in text
    assert SITE not in text
    assert clock.now_ms() > START_MS
