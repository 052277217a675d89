"""Pure: a village's state in plain words. Says what is known, and no more."""

from typing import Final

from kampungnet.core.languages import N_, Language
from kampungnet.devices.models import Device
from kampungnet.devices.service import VillageState
from kampungnet.devices.status import SILENT_AFTER_MS, Status
from kampungnet.shared.wire import Outcome

# Facts, ont-snmp 12.3: where the projects seen there begin to worry. A class B+ receiver is specified to -27.
WEAK_LIGHT_DBM: Final = -25.0
CRITICAL_LIGHT_DBM: Final = -27.0
BLINDING_LIGHT_DBM: Final = -8.0

STATUS_WORDS: Final = {
    Status.UP: N_("Connected"),
    Status.DOWN: N_("Trouble"),
    Status.SILENT: N_("No report"),
    Status.NEVER: N_("Not installed yet"),
}
OUTCOME_WORDS: Final = {
    Outcome.OK: N_("answers"),
    Outcome.UNREACHABLE: N_("does not answer"),
    Outcome.LOGIN_REFUSED: N_("refuses the agent's password"),
    Outcome.UNREADABLE: N_("answers with something unreadable"),
}
OUTAGE_WORDS: Final = {
    "silent": N_("The box did not report"),
    "router": N_("The router did not answer"),
    "internet": N_("The internet was cut"),
}
LIGHT_WORDS: Final = {
    "good": N_("good"),
    "weak": N_("weak"),
    "critical": N_("very weak"),
    "blinding": N_("too strong"),
    "dark": N_("no light"),
    "": "",
}


def is_stale(seen_ms: int | None, now_ms: int) -> bool:
    """Tell whether a number is too old to be shown as if it were true now."""
    return seen_ms is None or now_ms - seen_ms > SILENT_AFTER_MS


def light_grade(dbm: float | None, *, no_light: bool = False) -> str:
    """Return ``good``, ``weak``, ``critical``, ``blinding``, ``dark``, or nothing when it is not known."""
    if no_light:
        return "dark"
    if dbm is None:
        return ""
    if dbm > BLINDING_LIGHT_DBM:
        return "blinding"
    if dbm <= CRITICAL_LIGHT_DBM:
        return "critical"
    return "weak" if dbm <= WEAK_LIGHT_DBM else "good"


def decibels(language: Language, dbm: float) -> str:
    """Return a light level as people write it, with a real minus sign."""
    return language.number(dbm, 1).replace("-", "\N{MINUS SIGN}") + "\N{NO-BREAK SPACE}dBm"


def device_of(state: VillageState, kind: str) -> Device | None:
    """Return the village's router or ONT. A router that never answered is known by its name only."""
    return next((d for d in state.devices if kind in {d.kind, d.name}), None)


def trouble(state: VillageState, language: Language) -> str:
    """Return in a few words why a reporting village is not connected."""
    router = device_of(state, "router")
    if router is None:
        return language.say("No router has answered yet")
    if router.outcome != Outcome.OK:
        return language.say("The router %(does)s", does=outcome_words(router.outcome, language))
    if state.no_light:
        return language.say("No light in the fibre")
    return language.say("The internet is cut")


def outcome_words(outcome: str, language: Language) -> str:
    """Return what a device's newest poll came to."""
    return language.say(OUTCOME_WORDS[Outcome(outcome)])


def light_warning(state: VillageState, language: Language, now_ms: int) -> str:
    """Return a sentence when the light is known to be bad now, else nothing."""
    ont = device_of(state, "ont")
    if ont is None or is_stale(ont.last_ok_ms, now_ms) or state.rx_power_dbm is None:
        return ""
    grade = light_grade(state.rx_power_dbm)
    if grade in {"good", ""}:
        return ""
    words = language.say(LIGHT_WORDS[grade])
    return language.say("The light is %(grade)s (%(dbm)s)", grade=words, dbm=decibels(language, state.rx_power_dbm))


def sentence(state: VillageState, language: Language, zone: str, now_ms: int) -> str:
    """Return the one sentence at the top of a village's page."""
    if state.status is Status.NEVER or state.last_reading_ms is None:
        if state.agent is None:
            return language.say("No box is installed in this village yet.")
        return language.say("The box is registered and has not reported yet.")
    if state.status is Status.SILENT:
        since = language.moment(state.last_reading_ms, zone, now_ms)
        return language.say("No report since %(since)s: the power, the box or its line is off.", since=since)
    if state.status is Status.DOWN:
        return language.say("Trouble: %(why)s.", why=trouble(state, language).lower())
    router = device_of(state, "router")
    if state.hotspot_sessions is None or router is None or is_stale(router.last_ok_ms, now_ms):
        return language.say("Connected.")
    if state.hotspot_sessions == 0:
        return language.say("Connected. Nobody is using the wifi.")
    return language.say_many(
        "Connected. %(n)s person is using the wifi.",
        "Connected. %(n)s people are using the wifi.",
        state.hotspot_sessions,
    )
