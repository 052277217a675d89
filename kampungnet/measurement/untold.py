"""Pure: what a device or its rights could not give, as people read it; drivers tell it in English sentences.

Drivers write for whoever mends them and stay as they are, also in boxes that nobody updated. What of them is known
here is said in the reader's language; the rest, a device's own words among it, stands in quotes as it came.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from kampungnet.core.languages import N_, Language

ENTRIES: Final[Mapping[str, str]] = {
    "hotspot: the package is not installed": N_("hotspot: its package is not installed on the router"),
    "hotspot: the package is disabled": N_("hotspot: its package is switched off on the router"),
    "ping gateway: no active default route with an address":
        N_("ping of the next router: no way out with an address is in use"),
    "ping server: the router does not resolve {name}":
        N_("ping of the server: the router finds no address for %(name)s"),
    "ping {target}: no answer row": N_("ping %(target)s: the router said nothing"),
    "ping: measured by TCP connect to port {port}, not by ICMP":
        N_("ping: measured by a connection to port %(port)s, because there is no answer to a real one"),
    "ping: measured by one SNMP question, not by ICMP":
        N_("ping: measured by one question over SNMP, because there is no answer to a real one"),
    "log: {new} new lines, the last {kept} reported": N_("log: %(new)s new lines, the last %(kept)s were sent"),
    "radios: {all} with clients, {kept} reported": N_("radios: %(all)s have devices, %(kept)s were sent"),
    "wan_interface: the router has no interface {name}":
        N_("line to the internet: the router has no interface %(name)s; correct wan_interface of the box"),
    "wan_interface: the device has no interface {name}":
        N_("line to the internet: the device has no interface %(name)s; correct wan_interface of the box"),
    "interfaces: none answered": N_("interfaces: none answered"),
    "64-bit counters: only 32-bit ones, which wrap in 34 s at 1 Gbit/s":
        N_("traffic: the device counts only to 4 GB, so fast lines may be counted too low"),
    "light level: this device gives none over SNMP": N_("light: this device does not tell it over SNMP"),
    "light level: no module with measurement (DDM) is plugged in":
        N_("light: no module that measures it (DDM) is plugged in"),
    "light level: {number} ports measure, {port} is reported; set light_port":
        N_("light: %(number)s ports measure it, that of %(port)s was sent; choose with light_port of the box"),
    "onus: an OLT tells only about the ONUs named in the option onus":
        N_("modems: the box asks only for those named in its option onus, and none is"),
    "onus: {number} still searched for, {rows} rows seen: {names}":
        N_("modems: %(number)s are still being looked for (%(rows)s rows seen): %(names)s"),
    "onus: {number} not on this OLT: {names}": N_("modems: %(number)s are not on this OLT: %(names)s"),
    "onus: at {port} stands {found}, not {serial}": N_("modems: at %(port)s is %(found)s, not %(serial)s"),
    "onus: {serial} is not told at {port}": N_("modems: the OLT does not tell of %(serial)s at %(port)s"),
    "{what}: no such menu on this router": N_("%(what)s: this router does not have it"),
    "{what}: {all} on the router, {kept} reported": N_("%(what)s: %(all)s on the router, %(kept)s were sent"),
    "{what}: {all} on the device, {kept} reported": N_("%(what)s: %(all)s on the device, %(kept)s were sent"),
    "{what}: {all} rows on the router, more than {most} are not read":
        N_("%(what)s: %(all)s on the router, more than %(most)s are not read"),
    "{what}: the reading would be too large, {kept} of {all} reported":
        N_("%(what)s: too much for one message, %(kept)s of %(all)s were sent"),
    "{what}: no value in the answer": N_("%(what)s: the answer holds no value"),
    "{what}: {words} (right: {right})":
        N_("%(what)s: the box's user on the router lacks the right %(right)s"),
    "{what}: no answer in time": N_("%(what)s: no answer in time"),
    "{what}: no answer within {seconds} s": N_("%(what)s: no answer within %(seconds)s seconds"),
    "{what}: no answer: device off, wrong address, or SNMP not allowed from here":
        N_("%(what)s: no answer; the device is off, has another address, or does not allow SNMP from the box"),
    "{what}: something answers that is not {name}": N_("%(what)s: something answers that is not %(name)s"),
    "{what}: not reachable: {words}": N_("%(what)s: cannot be reached (“%(words)s”)"),
    "{what}: SNMP access refused: {words}": N_("%(what)s: the device refuses SNMP (“%(words)s”)"),
    "{what}: answer not understood: {words}": N_("%(what)s: the answer was not understood (“%(words)s”)"),
    "{what}: no such command": N_("%(what)s: this router does not have it"),
    "{what}: no such command prefix": N_("%(what)s: this router does not have it"),
}  # fmt: skip
"""What drivers write, with names for what changes, and what is said; the first that fits counts."""


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL)


_PATTERNS: Final = tuple((_pattern(sentence), said) for sentence, said in ENTRIES.items())


def words(entry: str, language: Language) -> str:
    """Return one entry in a language, or as it came and in quotes where nobody put it into words."""
    for pattern, said in _PATTERNS:
        if found := pattern.fullmatch(entry):
            values = found.groupdict()
            return language.say(said, **values) if values else language.say(said)
    return f"“{entry}”"


def listed(entries: Iterable[str], language: Language) -> list[str]:
    """Return entries as :func:`words` does, each text once."""
    return list(dict.fromkeys(words(entry, language) for entry in entries))
