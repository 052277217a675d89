"""Planned work in words, beside outages and in its own list."""

from collections.abc import Iterable

from kampungnet.core.languages import Language
from kampungnet.measurement.outage_list import Line
from kampungnet.measurement.outage_models import PlannedWork
from kampungnet.measurement.outage_words import Cause


def work_lines(works: Iterable[PlannedWork], language: Language, zone: str, now_ms: int) -> list[Line]:
    """Return planned work as lines among outages."""
    return [
        Line(
            one.start_ms, Cause.TERENCANA.value, language.say("Planned work"),
            language.stretch(one.start_ms, one.end_ms, zone, now_ms),
            one.reason + (f" ({one.provider})" if one.provider else ""), state_of(one, language) + ".", is_work=True,
        )
        for one in works
    ]  # fmt: skip


def state_of(work: PlannedWork, language: Language) -> str:
    """Return whether work was announced, and so counts as planned."""
    if work.entered_ms <= work.start_ms:
        return language.say("Announced before it began")
    return language.say("Entered afterwards: shown, but it counts only where the contract says so")
