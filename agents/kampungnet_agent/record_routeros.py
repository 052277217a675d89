"""A tape of RouterOS sentences as JSON: what was asked, what came, with names hidden."""

import json
from collections.abc import Iterable
from typing import Final

from kampungnet_agent.record_mask import Mask
from kampungnet_agent.record_tape import Exchange

KEPT: Final = frozenset(
    ".id .nextid uptime version cpu cpu-load cpu-count cpu-frequency architecture-name platform board-name model "
    "free-memory total-memory free-hdd-space total-hdd-space current-firmware upgrade-firmware factory-firmware "
    "firmware-type nlevel level mode channel installed-version latest-version status type value default-name "
    "running disabled dynamic invalid active slave inactive default authorized bypassed radius blocked "
    "rx-byte tx-byte rx-packet tx-packet rx-error tx-error rx-drop tx-drop link-downs last-link-down-time "
    "last-link-up-time mtu actual-mtu distance scope target-scope since interval time topics login-by idle-time "
    "limit-uptime limit-bytes-in limit-bytes-out limit-bytes-total bytes bytes-in bytes-out packets packets-in "
    "packets-out max-limit limit-at dropped rate signal signal-strength signal-to-noise rx-signal tx-signal tx-rate "
    "rx-rate band seq size ttl sent received packet-loss min-rtt avg-rtt max-rtt pending requests accepts rejects "
    "resends timeouts bad-replies last-request-rtt sfp-module-present sfp-rx-loss sfp-tx-fault sfp-type "
    "sfp-connector-type sfp-vendor-name sfp-vendor-part-number sfp-vendor-revision sfp-wavelength sfp-temperature "
    "sfp-supply-voltage sfp-tx-bias-current sfp-tx-power sfp-rx-power eeprom-checksum auto-negotiation full-duplex "
    "voltage temperature cpu-temperature board-temperature board-temperature1 board-temperature2 power-consumption "
    "current fan1-speed fan2-speed fan3-speed fan4-speed psu1-voltage psu2-voltage psu1-current psu2-current "
    "expires-after last-seen hotspot encoding routing-table".split()
)
"""Properties that say what a device is and does, never whose it is. Every other one is hidden."""
_KEPT_IN: Final = {"/system/health": {"name"}, "/system/package": {"name"}}
_KEPT_ARGUMENTS: Final = KEPT | {
    ".proplist",
    "count-only",
    "once",
    "count",
    "interval",
    "detail",
    "action",
    "dst-address",
}


def answers_of(exchanges: Iterable[Exchange], mask: Mask) -> bytes:
    """Return the exchanges as JSON; bytes that are no UTF-8 stand as lone surrogates."""
    told = [
        {"ask": [_question(word, mask) for word in _words(one.command)], "answer": _answer(one, mask)}
        for one in exchanges
    ]
    return (json.dumps({"kind": "routeros", "exchanges": told}, indent=1) + "\n").encode()


def _answer(one: Exchange, mask: Mask) -> list[list[str]]:
    menu = _words(one.command)[0].decode().rpartition("/")[0]
    kept = KEPT | _KEPT_IN.get(menu, set())
    sentences = [["!re", *(_attribute(name, value, kept, mask) for name, value in row.items())] for row in one.rows]
    for message, category in one.traps:
        words = [] if category is None else [f"=category={category}"]
        sentences.append(["!trap", *words, f"=message={mask.sentence(message)}"])
    counted = b"=count-only=" in _words(one.command)
    ret = [] if one.ret is None else [f"=ret={_text(one.ret if counted else mask.raw(one.ret))}"]
    return [*sentences, ["!done", *ret]]


def _attribute(name: bytes, value: bytes, kept: frozenset[str], mask: Mask) -> str:
    shown = _text(name)
    return f"={shown}={_text(value if shown in kept else mask.raw(value))}"


def _question(word: bytes, mask: Mask) -> str:
    """Hide what stands behind the name in ``=name=value`` and ``?name=value``."""
    shown = _text(word)
    sign, (name, equals, value) = shown[:1], shown[1:].partition("=")
    if sign not in "=?" or not equals or name.lstrip("<>=-") in _KEPT_ARGUMENTS or value.startswith("*"):
        return shown
    return f"{sign}{name}={mask.text(value)}"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _words(command: bytes) -> list[bytes]:
    """Take an encoded command apart (facts on RouterOS 1.3); ours are shorter than two megabytes."""
    words, at = [], 0
    while at < len(command):
        size = command[at]
        more = 0 if size < 0x80 else 1 if size < 0xC0 else 2
        if more:
            size = int.from_bytes(command[at : at + more + 1], "big") & (0x3FFF if more == 1 else 0x1FFFFF)
        start = at + more + 1
        words.append(command[start : start + size])
        at = start + size
    return words
