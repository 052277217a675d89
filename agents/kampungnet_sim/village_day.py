"""The shape of a day in a village office: office hours, evenings, market days, Friday prayer.

Local time is WIB (UTC+7), the time zone of East and Central Java.
"""

WIB_SECONDS = 7 * 3_600

# Share of the busiest hour, by local hour, for the office and for the free wifi.
_OFFICE = (
    0.03, 0.03, 0.03, 0.03, 0.04, 0.06, 0.10, 0.35, 0.75, 0.95, 1.00, 0.90,
    0.55, 0.80, 0.70, 0.40, 0.18, 0.10, 0.08, 0.08, 0.06, 0.05, 0.04, 0.03,
)  # fmt: skip
_GUESTS = (
    0.10, 0.05, 0.03, 0.02, 0.03, 0.06, 0.10, 0.16, 0.24, 0.30, 0.33, 0.30,
    0.34, 0.40, 0.42, 0.45, 0.52, 0.60, 0.74, 0.94, 1.00, 0.90, 0.60, 0.28,
)  # fmt: skip
_MARKET = (0, 0, 0, 0, 0.1, 0.3, 0.45, 0.5, 0.5, 0.4, 0.25, 0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

_FRIDAY = 4


def local_hour(when: float) -> tuple[int, int]:
    """Days since 1970-01-01 and hour of the day, both local."""
    local = int(when + WIB_SECONDS)
    return local // 86_400, local // 3_600 % 24


def weekday(local_day: int) -> int:
    """0 is Monday; 1970-01-01 was a Thursday."""
    return (local_day + 3) % 7


def is_market_day(local_day: int, market_day: int) -> bool:
    """Village markets follow the five-day Javanese week (pasaran)."""
    return local_day % 5 == market_day


def office_weight(local_day: int, hour: int) -> float:
    """How busy the office is, 0 to 1."""
    day = weekday(local_day)
    if day >= 5:
        return 0.25 * _OFFICE[hour]
    if day == _FRIDAY and hour in (11, 12):
        return 0.2
    return _OFFICE[hour]


def guest_weight(local_day: int, hour: int, market_day: int) -> float:
    """How many people use the free wifi, 0 to about 1.2."""
    weight = _GUESTS[hour]
    if weekday(local_day) >= 5:
        weight *= 1.15
    if is_market_day(local_day, market_day):
        weight += _MARKET[hour]
    return weight
