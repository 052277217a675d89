"""The router itself: board, versions, licence, device-mode, sensors. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kampungnet.shared.wire import RouterBody, Sensor

from .fields import boolean, number_and_unit, text
from .mikrotik_answers import Answers
from .mikrotik_questions import FACTS, HEALTH_V6
from .routeros_sentences import Row
from .routeros_wire import Reply

MOST_SENSORS: Final = 60
_FACT_NAMES: Final = tuple(one.name for one in FACTS)


@dataclass(slots=True)
class MadeOfFacts:
    """What the answers to ``FACTS`` say, until the router is asked anew."""

    replies: tuple[Reply | None, ...] = ()
    body: RouterBody = field(default_factory=RouterBody)


def facts_body(answers: Answers, made: MadeOfFacts) -> RouterBody:
    """Return a reading with what is asked rarely; the same as before while the answers are the very same objects."""
    replies = tuple(map(answers.replies.get, _FACT_NAMES))
    if replies != made.replies:
        made.replies, made.body = replies, _facts_body(answers)
    return made.body


def _facts_body(answers: Answers) -> RouterBody:
    board = answers.row("routerboard")
    licence = answers.row("licence")
    mode = answers.row("device-mode")
    update = answers.row("package update")
    rules = answers.number("fasttrack")
    return RouterBody(
        identity=text(answers.row("identity").get(b"name")),
        model=text(board.get(b"model")),
        serial=text(board.get(b"serial-number")),
        licence_level=text(licence.get(b"level") or licence.get(b"nlevel")),
        device_mode=text(mode.get(b"mode")),
        hotspot_allowed=boolean(mode.get(b"hotspot")),
        installed_version=text(update.get(b"installed-version")),
        latest_version=text(update.get(b"latest-version")),
        update_channel=text(update.get(b"channel")),
        firmware=text(board.get(b"current-firmware")),
        firmware_available=text(board.get(b"upgrade-firmware")),
        fasttrack=None if rules is None else rules > 0,
    )


def hotspot_package_problem(packages: Iterable[Row], version: str) -> Iterable[str]:
    """Say when version 6 has no hotspot package, or a disabled one; version 7 has it built in (facts 7.14)."""
    known = {row.get(b"name", b""): row for row in packages}
    if not known or not version.startswith("6."):
        return
    hotspot = known.get(b"hotspot")
    if hotspot is None:
        yield "hotspot: the package is not installed"
    elif boolean(hotspot.get(b"disabled")):
        yield "hotspot: the package is disabled"


def sensors_of(rows: Iterable[Row]) -> list[Sensor]:
    """Return the health sensors: one row of version 6, or a row per sensor of version 7.

    State sensors carry a word. As in MikroTik's own SNMP table a good state is 0, any other 1.
    """
    sensors: list[Sensor | None] = []
    for row in rows:
        if b"name" in row and b"value" in row:
            sensors.append(_sensor(row[b"name"], row[b"value"], text(row.get(b"type"), 10)))
        else:
            sensors.extend(_sensor(name, row[name], unit) for name, unit in HEALTH_V6.items() if name in row)
    return [sensor for sensor in sensors if sensor is not None][:MOST_SENSORS]


def _sensor(name: bytes, value: bytes, unit: str) -> Sensor | None:
    shown = text(name, 100)
    found = number_and_unit(value)
    if not shown:
        return None
    if found:
        return Sensor(shown, found[0], unit or found[1])
    if name.endswith(b"-state") and value:
        return Sensor(shown, 0.0 if value == b"ok" else 1.0)
    return None
