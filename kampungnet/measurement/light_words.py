"""Pure: the light of a village in plain words: how strong it is, where it goes, and when it is likely to fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from kampungnet.core import clock
from kampungnet.core.languages import N_, Language
from kampungnet.devices.bodies import is_onu
from kampungnet.devices.models import Device
from kampungnet.measurement import states
from kampungnet.measurement.light import B_PLUS, Day, Failing, Outlook, Receiver, Step, Trend, judge

DAYS: Final = 90
"""How far back the trend looks."""
RECENT_STEP_DAYS: Final = 30
_SOURCES: Final = {
    "ont": N_("measured by the village's fibre modem (ONT)"),
    "router": N_("measured by the fibre module in the router"),
    "olt": N_("measured by the modem and asked through the provider's OLT"),
}


@dataclass(frozen=True, slots=True)
class LightWords:
    """What stands above the chart of the light."""

    now: str
    level: str
    """A :class:`kampungnet.measurement.light.Level`, or nothing."""
    is_old: bool
    source: str
    trend: str
    failing: str
    steps: tuple[str, ...]
    note: str


def light_words(device: Device, outlook: Outlook, language: Language, zone: str, now_ms: int) -> LightWords:
    """Return what is known of the light that a device measures. Receivers are taken to be of class B+."""
    level = judge(device.rx_power_dbm, no_light=bool(device.no_light))
    today = clock.local_day(now_ms, zone).toordinal()
    measured_by = _SOURCES["olt"] if is_onu(device.name) else _SOURCES.get(device.kind, _SOURCES["ont"])
    source = language.say(measured_by)
    return LightWords(
        now=_now(device, language), level=level or "", is_old=states.is_stale(device.last_ok_ms, now_ms),
        source=f"{source}, {language.age(device.last_ok_ms, now_ms)}",
        trend=_trend(outlook.trend, language),
        failing=_failing(outlook.failing, B_PLUS, language) if outlook.failing else "",
        steps=tuple(_step(step, language) for step in outlook.steps if today - step.day <= RECENT_STEP_DAYS),
        note=language.say("A modem's own meter may be 3 dB off: how the level changes is surer than the level itself."),
    )  # fmt: skip


def millidecibels(days: Sequence[Day]) -> list[Day]:
    """Return daily medians in dBm from those in thousandths."""
    return [(day, level / 1000) for day, level in days]


def _now(device: Device, language: Language) -> str:
    level = judge(device.rx_power_dbm, no_light=bool(device.no_light))
    if device.no_light:
        return language.say("No light arrives.")
    if device.rx_power_dbm is None or level is None:
        return language.say("Its level was not measured just now.")
    words = language.say(states.LIGHT_WORDS[level])
    return f"{states.decibels(language, device.rx_power_dbm)}: {words}"


def _trend(trend: Trend | None, language: Language) -> str:
    if trend is None:
        return language.say("It is too early to tell where it goes: that takes 14 days.")
    if trend.falls:
        change, least, most = -trend.month_db, -trend.highest_month_db, -trend.lowest_month_db
        decimals = 1 if most - least >= 0.1 else 2
        return language.say(
            "It falls slowly: %(change)s dB a month (between %(low)s and %(high)s), seen over %(days)s days.",
            change=language.number(change, decimals), low=language.number(least, decimals),
            high=language.number(most, decimals), days=language.number(trend.days),
        )  # fmt: skip
    return language.say("It does not fall, seen over %(days)s days.", days=language.number(trend.days))


def _failing(failing: Failing, receiver: Receiver, language: Language) -> str:
    words = {
        "days": language.number(failing.days), "early": language.number(failing.earliest),
        "limit": states.decibels(language, receiver.weakest_dbm),
    }  # fmt: skip
    if failing.latest is None:
        return language.say(
            "If that goes on, the line will fail in about %(days)s days (not before %(early)s days; the limit is "
            "%(limit)s). Ask the provider to look at the fibre before that.", **words
        )  # fmt: skip
    return language.say(
        "If that goes on, the line will fail in about %(days)s days (between %(early)s and %(late)s days; the limit is "
        "%(limit)s). Ask the provider to look at the fibre before that.",
        late=language.number(failing.latest), **words,
    )  # fmt: skip


def _step(step: Step, language: Language) -> str:
    words = {"day": language.day(date.fromordinal(step.day)), "change": language.number(abs(step.change_db), 1)}
    if step.change_db > 0:
        return language.say("On %(day)s it became %(change)s dB stronger at once and stayed so.", **words)
    return language.say(
        "On %(day)s it became %(change)s dB weaker at once and stayed so: a bend, a splice or a new splitter. Ask the "
        "provider what was done to the line that day.", **words
    )  # fmt: skip
