"""The newest state of every device: what of a reading becomes its row."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy.orm import Session

from kampungnet.core.rows import upsert
from kampungnet.devices.bodies import internet_up, kind_of, light_of
from kampungnet.devices.models import Device
from kampungnet.shared import wire

DEVICE_KEY: Final = ("regency", "site", "name")
STATE_COLUMNS: Final = (
    "kind", "outcome", "detail", "last_reading_ms", "last_ok_ms", "uptime_seconds", "internet_up",
    "hotspot_sessions", "rx_power_dbm", "no_light", "body",
)  # fmt: skip


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
        for best in (newest, newest_ok) if state.reading.outcome is wire.Outcome.OK else (newest,):
            if key not in best or best[key].taken_ms < state.taken_ms:
                best[key] = state
    if rows := [_ok_row(state) for state in newest_ok.values()]:
        upsert(db, Device, rows, DEVICE_KEY, STATE_COLUMNS, newer="last_reading_ms")
    if rows := [_failed_row(s) for s in newest.values() if s.reading.outcome is not wire.Outcome.OK]:
        upsert(db, Device, rows, DEVICE_KEY, ("outcome", "detail", "last_reading_ms"), newer="last_reading_ms")
    return list(newest_ok.values())


def clean(text: str) -> str:
    """Return a device's or a box's own words without control characters: PostgreSQL refuses NUL in text."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _ok_row(state: NewState) -> dict[str, Any]:
    body = state.reading.body
    if body is None:  # a good reading has one; ingest refuses others
        return _row(state)
    rx_power_dbm, no_light = light_of(body)
    row = {
        "last_ok_ms": state.taken_ms, "body": msgspec.json.encode(body), "kind": kind_of(body),
        "rx_power_dbm": rx_power_dbm, "no_light": no_light,
    }  # fmt: skip
    if isinstance(body, wire.RouterBody):
        row |= {"hotspot_sessions": body.hotspot_sessions, "internet_up": internet_up(body)}
    return _row(state) | row


def _failed_row(state: NewState) -> dict[str, Any]:
    return _row(state) | {"detail": clean(state.reading.detail)}


def _row(state: NewState) -> dict[str, Any]:
    reading = state.reading
    return {
        "regency": state.regency, "site": state.site, "name": reading.device, "kind": "",
        "outcome": reading.outcome.value, "detail": "", "last_reading_ms": state.taken_ms, "last_ok_ms": None,
        "uptime_seconds": reading.device_uptime_seconds, "internet_up": None, "hotspot_sessions": None,
        "rx_power_dbm": None, "no_light": None, "body": None,
    }  # fmt: skip
