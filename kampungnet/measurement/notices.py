"""Pure: what a router says of itself that somebody should act on, each as one sentence that says what to do."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from kampungnet.core.languages import Language
from kampungnet.shared import wire

ONE_GUEST_LEVELS: Final = {"1", "3"}
"""RouterOS licence levels whose hotspot lets one guest in (MikroTik manual, Licensing)."""
_RIGHT: Final = re.compile(r"\(right: ([a-z-]{1,20})\)")
_NO_PACKAGE: Final = "hotspot: the package is"
Rule = Callable[[wire.RouterBody, Language], Iterator[str]]


def notices(body: wire.RouterBody, language: Language) -> list[str]:
    """Return the sentences, the most important first; nothing for a router that is as it should be."""
    return [sentence for rule in _RULES for sentence in rule(body, language)]


def _licence(body: wire.RouterBody, language: Language) -> Iterator[str]:
    if body.licence_level in ONE_GUEST_LEVELS:
        yield language.say(
            "The router's licence (level %(level)s) lets one guest at a time into the wifi: buy level 4 or higher.",
            level=body.licence_level,
        )


def _device_mode(body: wire.RouterBody, language: Language) -> Iterator[str]:
    if body.hotspot_allowed is False:
        yield language.say(
            "The router's device-mode forbids the hotspot: allow it with /system/device-mode/update hotspot=yes and "
            "press the button on the router when it asks."
        )


def _hotspot(body: wire.RouterBody, language: Language) -> Iterator[str]:
    if any(entry.startswith(_NO_PACKAGE) for entry in body.missing):
        yield language.say("The router has no hotspot package in use: install or enable it.")
    for server in body.hotspots:
        if server.invalid:
            yield language.say(
                "Hotspot %(name)s does not run: the router calls it invalid. Check its interface %(interface)s.",
                name=server.name, interface=server.interface or "?",
            )  # fmt: skip
        elif server.disabled:
            yield language.say(
                "Hotspot %(name)s is switched off: enable it on the router if guests should get in.", name=server.name
            )


def _fasttrack(body: wire.RouterBody, language: Language) -> Iterator[str]:
    if body.fasttrack and any(not queue.disabled for queue in body.queues):
        yield language.say(
            "FastTrack is on, so the router's speed limits (simple queues) do not hold: switch its firewall rule off."
        )


def _rights(body: wire.RouterBody, language: Language) -> Iterator[str]:
    rights = sorted({right for entry in body.missing for right in _RIGHT.findall(entry)})
    if rights:
        yield language.say_many(
            "The box's user on the router lacks a right: give its group %(rights)s.",
            "The box's user on the router lacks rights: give its group %(rights)s.",
            len(rights), rights=", ".join(rights),
        )  # fmt: skip


def _updates(body: wire.RouterBody, language: Language) -> Iterator[str]:
    if body.installed_version and body.latest_version and body.installed_version != body.latest_version:
        yield language.say(
            "RouterOS %(new)s is available, %(old)s is running: update it at a quiet hour.",
            new=body.latest_version, old=body.installed_version,
        )  # fmt: skip
    if body.firmware and body.firmware_available and body.firmware != body.firmware_available:
        yield language.say(
            "Firmware %(new)s waits (now %(old)s): run /system/routerboard/upgrade and restart at a quiet hour.",
            new=body.firmware_available, old=body.firmware,
        )  # fmt: skip


_RULES: Final[tuple[Rule, ...]] = (_licence, _device_mode, _hotspot, _fasttrack, _rights, _updates)
