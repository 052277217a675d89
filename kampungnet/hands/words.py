"""Orders from afar as people read them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kampungnet.core.languages import N_, Language
from kampungnet.devices.bodies import is_onu
from kampungnet.devices.kit_router import RESTARTING
from kampungnet.hands.models import RemoteOrder
from kampungnet.hands.service import LIFE_MS, State, state_at
from kampungnet.shared.kit import POLLER
from kampungnet.shared.orders import OrderKind, Why

ADDRESS: Final[Mapping[OrderKind, str]] = {
    OrderKind.RESTART: "nyalakan-ulang", OrderKind.PORTAL: "halaman-wifi", OrderKind.BUNDLE: "keterangan",
}  # fmt: skip
"""What each kind is called in an address."""
_TITLES: Final[Mapping[str, str]] = {
    OrderKind.PORTAL: N_("Put the wifi page on anew"),
    OrderKind.BUNDLE: N_("Collect facts for help"),
}
_FAILED: Final[Mapping[str, str]] = {
    Why.UNABLE: N_("Not done: the box cannot do that. Nothing was changed."),
    Why.UNREACHABLE: N_("Not done: the box did not reach the device. Nothing was changed."),
    Why.CUT: N_("Not known: the box itself was cut off meanwhile, and did not see the device start anew."),
    Why.STAYED: N_("Failed: the device took it and did not start anew."),
    Why.GONE: N_("Failed: the device took it and was not seen again. Somebody has to go there and look at it."),
    Why.DEVICE: N_("Not all of it was done."),
}
ALLOW: Final = f"/user group set [find name={POLLER}] policy={RESTARTING}"
"""Lets the box restart its router (facts on RouterOS 11.1)."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order in a list."""

    order: RemoteOrder
    title: str
    asked: str
    sentence: str
    said: str
    """The device's own words, or the way to allow it."""
    is_good: bool
    is_open: bool
    has_bundle: bool


def title(kind: str, device: str, device_kind: str, language: Language) -> str:
    """Return what is to be done."""
    if kind in _TITLES:
        return language.say(_TITLES[kind])
    if kind != OrderKind.RESTART:  # asked for by a later version, of which this server's database is
        return language.say("Something that this server does not know yet: “%(kind)s”", kind=kind)
    if device_kind == "router" or device == "router":
        return language.say("Restart the router")
    if device_kind == "ont":
        return language.say("Restart the ONT")
    return language.say("Restart %(device)s", device=device)


def line(order: RemoteOrder, device_kind: str, language: Language, now_ms: int, *, has_bundle: bool) -> OrderLine:
    """Return an order in words, with its age."""
    state = state_at(order, now_ms)
    is_restart = order.kind == OrderKind.RESTART
    said = ALLOW if order.missing_right and is_restart else order.detail
    return OrderLine(
        order, title(order.kind, order.device, device_kind, language),
        language.say("asked by %(name)s, %(age)s", name=order.asked_name, age=language.age(order.asked_ms, now_ms)),
        _sentence(order, state, language, now_ms), said if state not in {State.DONE, State.EXPIRED} else "",
        is_good=state is State.DONE, is_open=state in {State.ASKED, State.TAKEN}, has_bundle=has_bundle,
    )  # fmt: skip


def onts_out_of_reach(names: Mapping[str, str], restarted: set[str]) -> bool:
    """Tell whether there is an ONT that nobody can start anew from afar; ``names`` has kinds by device."""
    onts = {name for name, kind in names.items() if kind == "ont" or name == "ont" or is_onu(name)}
    return bool(onts - restarted)


def _sentence(order: RemoteOrder, state: State, language: Language, now_ms: int) -> str:
    say = language.say
    if state is State.ASKED:
        left = language.duration((order.expires_ms - now_ms) / 1000)
        return say(
            "Waits for the box, which asks once a minute. Not begun within %(left)s: not done at all.", left=left
        )
    if state is State.TAKEN:
        return say("The box took it %(age)s. What comes of it shows here.", age=language.age(order.taken_ms, now_ms))
    if state is State.EXPIRED:
        return say("Expired: the box did not begin it within %(life)s. Nothing was done.", life=_life(language))
    if state is State.SILENT:
        age = language.age(order.taken_ms, now_ms)
        return say("The box took it %(age)s and has not said what came of it. Look whether the device runs.", age=age)
    return _ended(order, state, language, now_ms)


def _ended(order: RemoteOrder, state: State, language: Language, now_ms: int) -> str:
    say = language.say
    if state is State.REFUSED:
        if order.missing_right:
            right = order.missing_right
            return say("Refused: the right “%(right)s” is missing on the device. Nothing was done.", right=right)
        return say("Refused. Nothing was done.")
    if state is State.FAILED:
        return _failed(order, language)
    if state is State.UNKNOWN:
        return say(
            "This version of the server does not know the state of this order: “%(state)s”. A later one wrote it.",
            state=order.state,
        )
    return _done(order, language, now_ms)


def _failed(order: RemoteOrder, language: Language) -> str:
    if order.why == Why.CUT and order.kind != OrderKind.RESTART:
        return language.say("Interrupted in the middle: some of it may be done. Ask for it again.")
    if order.why and order.why not in _FAILED:  # a later version's word
        return language.say(
            "It did not go as it should. The box gives a reason that this server does not know yet: “%(why)s”.",
            why=order.why,
        )
    return language.say(_FAILED[order.why or Why.DEVICE])


def _done(order: RemoteOrder, language: Language, now_ms: int) -> str:
    age = language.age(order.ended_ms, now_ms)
    if order.kind not in {OrderKind.RESTART, OrderKind.PORTAL}:
        return language.say("Done %(age)s.", age=age)
    if order.kind == OrderKind.PORTAL:
        if not order.changed:
            return language.say("Done %(age)s: all was as it should be.", age=age)
        return language.say_many(
            "Done %(age)s: %(n)s thing was put right.", "Done %(age)s: %(n)s things were put right.",
            order.changed, age=age,
        )  # fmt: skip
    if order.away_seconds is None:
        return language.say("Done %(age)s: it was seen again, started anew.", age=age)
    length = language.duration(order.away_seconds)
    return language.say("Done %(age)s: it was seen again, started anew, within %(length)s.", age=age, length=length)


def _life(language: Language) -> str:
    return language.duration(LIFE_MS / 1000)
