"""The newest state of every device: what of a reading becomes its row."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy.orm import Session

from kampungnet.core.rows import Columns, upsert
from kampungnet.devices.bodies import internet_up, kind_of, light_of
from kampungnet.devices.models import Device
from kampungnet.shared import wire

DEVICE_KEY: Final = ("regency", "site", "name")
STATE_COLUMNS: Final = (
    "kind", "outcome", "detail", "last_reading_ms", "last_ok_ms", "uptime_seconds", "internet_up",
    "hotspot_sessions", "rx_power_dbm", "no_light", "body",
)  # fmt: skip


_OK: Final = wire.Outcome.OK
_OK_TEXT: Final = _OK.value
_NAMES: Final = (*DEVICE_KEY, *STATE_COLUMNS)
_FAILED: Final = ("outcome", "detail", "last_reading_ms")


class NewState(msgspec.Struct, frozen=True, gc=False):
    """One reading as the state of its device sees it."""

    regency: str
    site: str
    taken_ms: int
    reading: wire.Reading


def record(db: Session, states: Iterable[NewState]) -> list[NewState]:
    """Let the newest reading of each device become its state; return the newest good one of each."""
    newest: dict[tuple[str, str, str], NewState] = {}
    newest_ok: dict[tuple[str, str, str], NewState] = {}
    for state in states:
        key = (state.regency, state.site, state.reading.device)
        if (best := newest.get(key)) is None or best.taken_ms < state.taken_ms:
            newest[key] = state
        if state.reading.outcome is _OK and ((best := newest_ok.get(key)) is None or best.taken_ms < state.taken_ms):
            newest_ok[key] = state
    if rows := [_ok_row(state) for state in newest_ok.values()]:
        upsert(db, Device, Columns(_NAMES, rows), DEVICE_KEY, STATE_COLUMNS, newer="last_reading_ms")
    if rows := [_failed_row(state) for state in newest.values() if state.reading.outcome is not _OK]:
        upsert(db, Device, Columns(_NAMES, rows), DEVICE_KEY, _FAILED, newer="last_reading_ms")
    return list(newest_ok.values())


def clean(text: str) -> str:
    """Return a device's or a box's own words without control characters: PostgreSQL refuses NUL in text."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _ok_row(state: NewState) -> tuple[Any, ...]:
    reading, body = state.reading, state.reading.body
    if body is None:  # a good reading has one; ingest refuses others
        return _failed_row(state)
    rx_power_dbm, no_light = light_of(body)
    is_up, sessions = (internet_up(body), body.hotspot_sessions) if isinstance(body, wire.RouterBody) else (None, None)
    return (
        state.regency, state.site, reading.device,
        kind_of(body), _OK_TEXT, "", state.taken_ms, state.taken_ms, reading.device_uptime_seconds,
        is_up, sessions, rx_power_dbm, no_light, msgspec.json.encode(body),
    )  # fmt: skip


def _failed_row(state: NewState) -> tuple[Any, ...]:
    reading = state.reading
    return (
        state.regency, state.site, reading.device,
        "", reading.outcome.value, clean(reading.detail), state.taken_ms, None, reading.device_uptime_seconds,
        None, None, None, None, None,
    )  # fmt: skip
