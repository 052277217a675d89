"""Pure: a village's state in plain words. Says what is known, and no more."""

from typing import Final

from kampungnet.core.languages import N_, Language
from kampungnet.devices.bodies import Body, OnuSeen, is_onu
from kampungnet.devices.models import Device
from kampungnet.devices.service import VillageState
from kampungnet.devices.status import SILENT_AFTER_MS, Status
from kampungnet.measurement.light import judge
from kampungnet.shared.wire import Grade, OnuState, Outcome

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
ONU_WORDS: Final = {
    OnuState.ONLINE: N_("the modem is at work"),
    OnuState.LOS: N_("no light comes from the modem: the fibre is cut, or the modem has no power"),
    OnuState.DYING_GASP: N_("the modem lost its power and said so with its last breath"),
    OnuState.OFFLINE: N_("the modem is off, or its fibre is cut"),
    OnuState.REGISTERING: N_("the modem is just signing in"),
    OnuState.REFUSED: N_("the provider's OLT does not accept the modem: ask the provider"),
    OnuState.DISABLED: N_("the provider has switched the modem off: ask the provider"),
    OnuState.UNKNOWN: N_("the OLT does not know how the modem is"),
}
GRADE_WORDS: Final = {
    Grade.RECORDED: (N_("recorded"), N_("checked against a recording of a real device of this kind")),
    Grade.FROM_MIB: (N_("from the MIB"), N_("written by the maker's manual (MIB), not yet seen on a real device")),
    Grade.NOT_TRIED: (N_("not tried yet"), N_("written by what others report: compare it with the device itself")),
}
OUTAGE_WORDS: Final = {
    "silent": N_("The box did not report"),
    "router": N_("The router did not answer"),
    "internet": N_("The internet was cut"),
}
ONU_OUTAGE_WORDS: Final = {
    "silent": N_("The OLT did not report"),
    "internet": N_("The modem was off or its fibre was cut"),
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
    return judge(dbm, no_light=no_light) or ""


def decibels(language: Language, dbm: float) -> str:
    """Return a light level as people write it, with a real minus sign."""
    return language.number(dbm, 1).replace("-", "\N{MINUS SIGN}") + "\N{NO-BREAK SPACE}dBm"


def device_of(state: VillageState, kind: str) -> Device | None:
    """Return the village's own router or ONT. One that never answered is known by its name only."""
    own = (device for device in state.devices if not is_onu(device.name))
    return next((device for device in own if kind in {device.kind, device.name}), None)


def trouble(state: VillageState, language: Language) -> str:
    """Return in a few words why a reporting village is not connected."""
    router = device_of(state, "router")
    if router is None:
        if any(is_onu(device.name) for device in state.devices):
            return language.say("The provider's OLT says that the village's modem is not at work")
        return language.say("No router has answered yet")
    if router.outcome != Outcome.OK:
        return language.say("The router %(does)s", does=outcome_words(router.outcome, language))
    if state.no_light and not is_stale(state.light.last_ok_ms if state.light else None, state.last_reading_ms or 0):
        return language.say("No light in the fibre")
    return language.say("The internet is cut")


def outcome_words(outcome: str, language: Language) -> str:
    """Return what a device's newest poll came to."""
    return language.say(OUTCOME_WORDS[Outcome(outcome)])


def word_of_olt(state: VillageState, body: Body | None, language: Language, now_ms: int) -> str:
    """Return what an OLT adds about a village that is not connected, while it is fresh; else nothing."""
    onu = next((device for device in state.devices if is_onu(device.name)), None)
    if state.status is Status.UP or onu is None or not isinstance(body, OnuSeen) or is_stale(onu.last_ok_ms, now_ms):
        return ""
    return language.say("The provider's OLT says: %(what)s.", what=language.say(ONU_WORDS[body.onu.state]))


def light_warning(state: VillageState, language: Language, now_ms: int) -> str:
    """Return a sentence when the light is known to be bad now, else nothing."""
    if state.light is None or is_stale(state.light.last_ok_ms, now_ms) or state.rx_power_dbm is None:
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
        if all(is_onu(device.name) for device in state.devices):
            return language.say("The provider's OLT has said nothing of this village since %(since)s.", since=since)
        return language.say("No report since %(since)s: the power, the box or its line is off.", since=since)
    if state.status is Status.DOWN:
        why = trouble(state, language)
        return language.say("Trouble: %(why)s.", why=why[:1].lower() + why[1:])
    return _connected(state, language, now_ms)


def _connected(state: VillageState, language: Language, now_ms: int) -> str:
    router = device_of(state, "router")
    if router is None and any(is_onu(device.name) for device in state.devices):
        return language.say("Connected, as far as the provider's OLT can see.")
    if state.hotspot_sessions is None or router is None or is_stale(router.last_ok_ms, now_ms):
        return language.say("Connected.")
    if state.hotspot_sessions == 0:
        return language.say("Connected. Nobody is using the wifi.")
    return language.say_many(
        "Connected. %(n)s person is using the wifi.",
        "Connected. %(n)s people are using the wifi.",
        state.hotspot_sessions,
    )
