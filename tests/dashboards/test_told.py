"""From the rules to the people, all of it real: server, Prometheus, Alertmanager, each with what we ship.

What happens is put into the database and reported by boxes; Alertmanager hands in what it decides at our own door.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pytest
from sqlalchemy import select, update

from kampungnet.alerts import pump, recipients, webhook
from kampungnet.alerts.facts import Alarm, Group
from kampungnet.alerts.models import AlertGroup, AlertMessage
from kampungnet.alerts.recipients import NewRecipient
from kampungnet.alerts.words import Speaker
from kampungnet.core import clock, pages
from kampungnet.core.database import Database
from kampungnet.measurement.outage_models import LoggedIncident, LoggedOutage
from kampungnet.shared import wire
from tests.support import monitoring
from tests.support.server import REGENCY, Box, Running, neighbours, prepared_database, router_body, serving

WAIT_SECONDS: Final = 60
MINUTE_MS: Final = 60_000
MEMBERS: Final = 12
RULES: Final = ("recording.yml", "alerts-villages.yml", "alerts-platform.yml")
OPTIONS: Final = ("--web.enable-remote-write-receiver", "--rules.alert.resend-delay=5s")
"""It drops what fires before it knows its Alertmanager, and says it again after a minute if nobody hurries it."""
REFUSED: Final = 'alertmanager_notifications_failed_total{integration="webhook"'
SPEAKER: Final = Speaker(pages.all_languages()["id"], "https://kn.example")

Held = dict[tuple[str, str, str], str]
"""The state of each alert, by its name, village and device."""


def _village(number: int) -> str:
    return f"35.10.25.{2001 + number}"


CUT: Final = [_village(number) for number in range(MEMBERS)]
DARK, LIT = _village(MEMBERS), _village(MEMBERS + 1)
"""A village without power, and one where only the ONT does not answer."""


@dataclass(frozen=True)
class Story:
    """What was seen while a trunk cable was cut and one village had no power, and after both were over."""

    stored_with_wrong_token: int
    held: Held
    groups: list[Group]
    """What Alertmanager had handed in meanwhile, its watchdog left out."""
    told: list[str]
    told_after: list[str]
    started: list[int]
    ended: list[int | None]


@dataclass(frozen=True)
class _Stage:
    database: Database
    server: Running
    boxes: list[Box]
    alertmanager: str
    token_file: Path


def _until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stage]:
    folder = tmp_path_factory.mktemp("told")
    database = prepared_database(f"sqlite:///{folder / 'kampungnet.db'}")
    boxes = neighbours(database, MEMBERS + 2)
    for file in RULES:
        (folder / file).write_text(monitoring.quick((monitoring.RULES / file).read_text(), waits="platform" in file))
    with serving(database) as server, _alertmanager(folder, server) as alertmanager:
        config = monitoring.quick((monitoring.RULES / "prometheus.yml").read_text())
        for shipped, here in (("8080", str(server.port)), ("9093", alertmanager.rpartition(":")[2])):
            config = config.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{here}")
        with (
            monitoring.prometheus(folder, config, *OPTIONS) as prometheus,
            monitoring.pushing(database, f"{prometheus}/api/v1/write"),
        ):
            yield _Stage(database, server, boxes, alertmanager, folder / "alerts.token")
    database.close()


@contextmanager
def _alertmanager(folder: Path, server: Running) -> Iterator[str]:
    """Run it as shipped, only quicker, with a token that opens nothing."""
    (folder / "alerts.token").write_text("guessed")
    config = monitoring.ALERTMANAGER.read_text()
    for shipped, here in (
        ("127.0.0.1:8080", f"127.0.0.1:{server.port}"), ("group_wait: 30s", "group_wait: 2s"),
        ("group_interval: 5m", "group_interval: 1s"), ("group_interval: 1m", "group_interval: 1s"),
        ("repeat_interval: 5m", "repeat_interval: 2s"),
    ):  # fmt: skip
        assert shipped in config
        config = config.replace(shipped, here)
    with monitoring.alertmanager(folder, config) as url:
        yield url


@pytest.fixture(scope="module")
def story(stage: _Stage) -> Story:
    """Let it all happen once."""
    _all_well(stage)
    _until(lambda: _failures(stage.alertmanager) > 0)
    with_wrong_token = len(_stored(stage.database))
    with stage.database.writes() as db:
        stage.token_file.write_text(webhook.make_token(db, REGENCY, clock.now_ms()))
        new = NewRecipient("Sari", "json://127.0.0.1:1/x", REGENCY)
        recipients.enter(db, REGENCY, "Sari", new, clock.now_ms() - clock.DAY_MS)
    _until(lambda: any(one.is_watchdog for one in _stored(stage.database)))
    held, groups, started = _cut(stage)
    told = _told(stage.database, clock.now_ms())
    _all_well(stage)
    over = {"end_ms": clock.now_ms(), "provisional": False}
    with stage.database.writes() as db:
        db.execute(update(LoggedOutage).values(over))
        db.execute(update(LoggedIncident).values(over))
    _until(lambda: all(one.end_ms for one in _stored(stage.database) if not one.is_watchdog))
    ended = [one.end_ms for one in _stored(stage.database) if not one.is_watchdog]
    told_after = _told(stage.database, clock.now_ms() + 6 * MINUTE_MS)
    return Story(with_wrong_token, held, groups, told, told_after[len(told) :], started, ended)


def _all_well(stage: _Stage) -> None:
    for box in stage.boxes:
        ont = wire.OntBody(model="F660", serial="Z1", version="V6", link_up=True, rx_power_dbm=-20.0)
        assert stage.server.report(box, box.reading(router_body()), box.reading(ont, device="ont")).status == 200


def _cut(stage: _Stage) -> tuple[Held, list[Group], list[int]]:
    """Cut the cable of many villages and the power of one; return what is held back and what was handed in."""
    start_ms = clock.now_ms() - 15 * MINUTE_MS
    with stage.database.writes() as db:
        db.add_all(_outage(village, "fiber", start_ms) for village in CUT)
        db.add(_outage(DARK, "listrik", start_ms))
        db.add_all([_incident("trunk", CUT, "fiber", start_ms), _incident("power", [DARK], "listrik", start_ms)])
    # The server knows why before ten minutes are over: so what holds back is there before what is held.
    _until(lambda: {("VillageInIncident", one, "") for one in CUT} | {("PowerCut", DARK, "")} <= _alerts(stage).keys())
    for box in stage.boxes[:-1]:
        lost = [box.reading(outcome=wire.Outcome.UNREACHABLE, device=device) for device in ("router", "ont")]
        assert stage.server.report(box, *lost).status == 200
    box = stage.boxes[-1]
    ont = box.reading(outcome=wire.Outcome.UNREACHABLE, device="ont")
    assert stage.server.report(box, box.reading(router_body()), ont).status == 200
    _until(lambda: len([name for name, _, _ in _alerts(stage) if name == "DeviceDown"]) == 2 * (MEMBERS + 1) + 1)
    _until(lambda: len([name for name, _, _ in _alerts(stage) if name == "LineDown"]) == MEMBERS + 1)
    _until(lambda: len(_stored(stage.database)) == 4)
    stored = [one for one in _stored(stage.database) if not one.is_watchdog]
    groups = [msgspec.json.decode(one.content, type=Group) for one in stored]
    return _alerts(stage), groups, [one.start_ms for one in stored]


def _alerts(stage: _Stage) -> Held:
    return {
        (one["labels"]["alertname"], one["labels"].get("village", ""), one["labels"].get("device", "")):
        one["status"]["state"] for one in monitoring.get(f"{stage.alertmanager}/api/v2/alerts")
    }  # fmt: skip


def _failures(alertmanager: str) -> float:
    lines = monitoring.text_at(f"{alertmanager}/metrics").splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(REFUSED))


def _stored(database: Database) -> list[AlertGroup]:
    with database.reads() as db:
        return list(db.scalars(select(AlertGroup)))


def _told(database: Database, now_ms: int) -> list[str]:
    pump.decide(database, SPEAKER, now_ms)
    with database.reads() as db:
        return [one.text for one in db.scalars(select(AlertMessage).order_by(AlertMessage.made_ms)) if one.text]


def _outage(village: str, cause: str, start_ms: int) -> LoggedOutage:
    return LoggedOutage(
        regency=REGENCY, site=f"{village}-1", start_ms=start_ms, end_ms=None, cause=cause, confidence=0.9,
        evidence="[]", provisional=True,
    )  # fmt: skip


def _incident(name: str, villages: list[str], cause: str, start_ms: int) -> LoggedIncident:
    return LoggedIncident(
        regency=REGENCY, id=name, start_ms=start_ms, end_ms=None, cause=cause, confidence=0.9,
        place=json.dumps(["FO Utara"] if len(villages) > 1 else [f"{villages[0]}-1"]), sites=len(villages),
        mixed=False, provisional=True, proven=True,
        members=json.dumps([(f"{village}-1", start_ms) for village in villages]),
    )  # fmt: skip


def test_a_wrong_token_stores_nothing_and_alertmanager_counts_it_as_failed(story: Story) -> None:
    assert story.stored_with_wrong_token == 0


def test_a_trunk_cut_holds_the_alerts_of_its_villages_back_and_of_no_other(story: Story) -> None:
    for village in CUT:
        for alert in (("LineDown", village, ""), ("DeviceDown", village, "router"), ("DeviceDown", village, "ont")):
            assert story.held[alert] == "suppressed", alert
    assert story.held["DeviceDown", LIT, "ont"] == "active"


def test_a_power_cut_holds_the_devices_of_its_village_back_and_is_itself_handed_in(story: Story) -> None:
    assert story.held["PowerCut", DARK, ""] == "active"
    for alert in (("LineDown", DARK, ""), ("DeviceDown", DARK, "router"), ("DeviceDown", DARK, "ont")):
        assert story.held[alert] == "suppressed", alert


def test_three_groups_reach_our_door_and_only_what_we_do_not_tell_by_ourselves_is_in_them(story: Story) -> None:
    """Shared incident, power cut and the one device: the first two carry ``told_by: kampungnet``."""
    assert sorted([[(one.name, one.village) for one in group.alarms] for group in story.groups], key=len) == [
        [], [], [("DeviceDown", LIT)]
    ]  # fmt: skip


def test_a_cut_of_many_villages_is_one_message_and_so_is_each_of_the_other_two_troubles(story: Story) -> None:
    assert len(story.told) == 3
    cable = [text for text in story.told if f"{MEMBERS} desa" in text]
    assert len(cable) == 1
    assert "FO Utara" in cable[0]
    (device,) = [text for text in story.told if text.startswith("PERINGATAN: Perangkat ont tidak menjawab")]
    assert f"Desa {LIT}, Blimbingsari ({LIT})" in "\n".join(one.place for one in _alarms(story)), device


def test_all_of_it_is_told_to_be_over_once(story: Story) -> None:
    assert len(story.told_after) == 3
    assert all(text.startswith("PULIH: ") for text in story.told_after)
    assert sum(f"{MEMBERS} desa" in text for text in story.told_after) == 1
    assert all(end and end > start for start, end in zip(story.started, story.ended, strict=True))


def _alarms(story: Story) -> list[Alarm]:
    return [one for group in story.groups for one in group.alarms]
