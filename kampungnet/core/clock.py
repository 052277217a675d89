"""The only place the server learns the time from.

Every stored instant is UTC. Days and months are cut in the zone of the regency: WIB, WITA
or WIT (no daylight saving in any of them).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

WIB: Final = "Asia/Jakarta"
WITA: Final = "Asia/Makassar"
WIT: Final = "Asia/Jayapura"

_ABBREVIATIONS: Final = {WIB: "WIB", WITA: "WITA", WIT: "WIT"}
_WITA_PROVINCES: Final = {"51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"}
_WIT_PROVINCES: Final = {"81", "82", "91", "92", "93", "94", "95", "96"}

DAY_MS: Final = 86_400_000
EARLIEST_DAY: Final = date(2000, 1, 1)
LATEST_DAY: Final = date(2099, 12, 31)
"""What people may ask for or enter: the calendar ends in the year 9999, and a sum beyond its end is an error."""


def now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Return this instant in milliseconds since 1970-01-01 UTC."""
    return int(now().timestamp() * 1000)


def zone_of(regency: str) -> str:
    """Return the IANA zone of a regency by its province (Keputusan Presiden 41/1987)."""
    province = regency[:2]
    if province in _WITA_PROVINCES:
        return WITA
    return WIT if province in _WIT_PROVINCES else WIB


def abbreviation(zone: str) -> str:
    """Return WIB, WITA or WIT for a zone, as Indonesians write it."""
    return _ABBREVIATIONS.get(zone, zone)


def local(instant_ms: int, zone: str) -> datetime:
    """Return an instant as local wall time."""
    return datetime.fromtimestamp(instant_ms / 1000, ZoneInfo(zone))


def local_day(instant_ms: int, zone: str) -> date:
    """Return the local calendar day an instant falls on."""
    return local(instant_ms, zone).date()


class LocalDays:
    """The local days of many instants: the border of a day is looked up once."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._first_ms = self._end_ms = 0
        self._day = date.min

    def of(self, instant_ms: int) -> date:
        """Return the local calendar day an instant falls on, see :func:`local_day`."""
        if not self._first_ms <= instant_ms < self._end_ms:
            self._day = local_day(instant_ms, self._zone)
            self._first_ms = day_start_ms(self._day, self._zone)
            self._end_ms = self._first_ms + DAY_MS
        return self._day


def day_start_ms(day: date, zone: str) -> int:
    """Return the instant a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def days_between(first: date, last: date) -> list[date]:
    """Return the days from ``first`` to ``last``, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def month_of(text: str) -> date | None:
    """Return the first day of a month of this century that was written as ``2026-07``; ``None`` for anything else."""
    try:
        first = date.fromisoformat(f"{text}-01") if len(text) == 7 else date.min
    except ValueError:
        return None
    return first if EARLIEST_DAY <= first <= LATEST_DAY else None
