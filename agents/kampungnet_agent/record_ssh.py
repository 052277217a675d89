"""A tape of a command line as JSON: command and answer, with names hidden.

Labels stay, and so do values whose label says that they are technical. In tables, and wherever no label stands, only
words of the list below stay: a name that nobody foresaw is hidden, a word of the device's that nobody foresaw, too.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

from kampungnet_agent.record_mask import Mask

_LABELLED: Final = re.compile(r"^(\s*[A-Za-z][A-Za-z0-9 ()/+#._-]{0,40}?)(\s*[:=]\s*)(.*?)(\s*)$")
_PRIVATE: Final = re.compile(
    r"name|descri|passw|loid|\bsn\b|serial|sequence|\bid\b|mac|ssid|user|host|identit|manufacture ?info|equipment|owner"
    r"|customi[sz]ed|address|contact|location|key|code|vendorsn|community",
    re.IGNORECASE,
)
_TECHNICAL: Final = re.compile(
    r"model|version|type|state|status|mode|volt|power|bias|current|temp|distance|duration|time|cause|link"
    r"|vendor|product|class|rate|wave|fec|attenuation|\b[rt]x\b|cpu|mem|packet|octet|byte|error|drop|fiber|laser|connector",
    re.IGNORECASE,
)
_WORDS: Final = frozenset(
    "a active admin all are attenuation auth authpass being bias board boardname break broadcast c cause channel "
    "command config control course cpu ctrl current dbm deactivated description detail device diag disable display "
    "distance down downtime dropped during dying dyinggasp enable epon error ethernet executed f failed flag gasp "
    "get gpon id in inactive index info infomation information initial is last lobi lofi logging los losi mac match "
    "memory mismatch module multicast n na no normal number o1 o2 o3 o4 o5 o6 o7 occupancy of offline offlinetime "
    "olt omcc online ont onts onu optic optical p packets phase please pon port portid power press print protect "
    "rate reboot reset run rx s sfi show side slotid sn state status subtype success summary syncmib system "
    "temperature the time to total transceiver tx type unicast unknown up uptime version voltage wait wifi working "
    "yes".split()
)
_NUMBER: Final = re.compile(r"[+-]?\d{1,5}|[+-]?\d{1,10}\.\d{1,4}|\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?::\d\d)?")
"""What is measured is short; serial and telephone numbers are longer. Dates and times tell when, not who."""
_FAMILY: Final = re.compile(
    r"wap|zxan|zte|zxa10|hsgq|c-?data|huawei|integrated|access|software|smartax|busybox|rtk|rtl\d+|"
    r"ma5\d{3}\w*|fd1\d{3}\w*|c\d{3}",
    re.IGNORECASE,
)
"""By these words in greeting and prompt a driver knows what it talks to."""

_BETWEEN: Final = re.compile(r"(\s+|[][|,;/()!#<>]|:(?=\s|$))")


def answers_of(transcript: Iterable[tuple[str, str]], mask: Mask, known: frozenset[str]) -> bytes:
    """Return commands and answers as JSON. ``known`` are model and version, which stay."""
    told = [
        {"ask": mask.kind(command), "answer": "\n".join(_line(line, mask, known) for line in answer.split("\n"))}
        for command, answer in transcript
    ]
    return (json.dumps({"kind": "ssh", "answers": told}, indent=1) + "\n").encode()


def _line(line: str, mask: Mask, known: frozenset[str]) -> str:
    found = _LABELLED.match(line)
    if not found:
        return _free(line, mask)
    label, sign, value, end = found.groups()
    technical = _TECHNICAL.search(label) and not _PRIVATE.search(label)
    if technical or value.strip("\"' ") in known:
        return label + sign + mask.kind(value) + end
    return label + sign + mask.text(value) + end


def _free(line: str, mask: Mask) -> str:
    """Hide every word that is not on the list."""
    return "".join(part if _is_harmless(part) else mask.text(part) for part in _BETWEEN.split(line))


def _is_harmless(part: str) -> bool:
    return part.lower() in _WORDS or any(known.fullmatch(part) for known in (_NUMBER, _FAMILY))
