"""Pure: what looks like a secret, a person or a person's device in a line, whoever wrote it; for :mod:`.scrub`.

Sentences of RouterOS: the maker's page "Log" (``user … logged in from``, ``added by``), facts on RouterOS 2.6 (``login
failure for user``) and 7.13 (``-> : name (address):``); those of tunnels and leases as others published them from
their routers (``<pppoe-name>``, ``name logged in, address``, ``user … authentication failed``, ``deassigned … for``).
Each pattern is bounded, so that what a line costs grows with its length and not faster.
"""

import ipaddress
import re
from collections.abc import Callable, Container
from typing import Final

from kampungnet_agent.named_rows import HIDDEN
from kampungnet_agent.told_secrets import without_what_was_told

DEVICE: Final = "**:**"
PLACE: Final = "[alamat]"

_QUOTES: Final = (
    r'\\"(?:[^"\\]|\\[^"])*+(?:\\?"|$)'  # quotes within quotes
    r'|"(?:[^"\\]|\\.)*+\\?(?:"|$)'
    r"|(?<![A-Za-z0-9])[bBrRuU]{0,2}'(?:[^'\\]|\\.)*+\\?(?:'|$)"
    "|\u201c[^\u201d]*+(?:\u201d|$)|\u2018[^\u2019]*+(?:\u2019|$)|`[^`]*+(?:`|$)"
)
_IS: Final = r"[\\\"'\]]{0,4}\s{0,3}(?:=>|[=:]|%3[Dd])\s{0,3}"
_PHRASE: Final = re.compile(
    rf"((?:pass(?:word|phrase|wd|code)?|pwd|secret|psk|sandi|authorization|cookie){_IS})"
    rf"(?:{_QUOTES}|\S.*?(?=\s[\w.-]{{1,40}}=|$))",
    re.IGNORECASE | re.DOTALL,
)
"""A passphrase has spaces: it ends where the next ``name=`` stands."""
_SECRET_WORD: Final = re.compile(
    rf"((?:token|credential|community|voucher|key|(?<![a-z])(?:pin|kode)){_IS})(?:{_QUOTES}|[^\s,;&]+)", re.IGNORECASE
)
_PERSON: Final = re.compile(
    rf"((?:user(?:[ _-]?name)?|comment|identity){_IS})(?!\\?[\"']?(?:defconf\b|kampungnet:))(?:{_QUOTES}|[^\s,;&]+)",
    re.IGNORECASE,
)
"""Comments of the maker's first settings and our own stay: they say what a row is for."""
_QUOTED: Final = re.compile(_QUOTES, re.DOTALL)
_HARMLESS: Final = re.compile(r"[\w./@+-]{1,200}\.py|(?:defconf\b|kampungnet:)[\w :,./-]{0,100}")
"""A file of ours in a traceback, a comment as above."""

_HEX: Final = "[0-9A-Fa-f]"
_MAC: Final = re.compile(
    rf"(?<!{_HEX}){_HEX}{{2}}(?P<sep>[-_]){_HEX}{{2}}(?:(?P=sep){_HEX}{{2}}){{4,}}(?!{_HEX})"
    rf"|(?<!{_HEX}){_HEX}{{2}}(?: {_HEX}{{2}}){{5,}}(?![0-9A-Za-z])"
    rf"|(?<![0-9A-Fa-f.]){_HEX}{{2}}(?:\.{_HEX}{{2}}){{5}}(?!\.?{_HEX})"
    rf"|(?<![0-9A-Fa-f.]){_HEX}{{4}}(?P<four>[.-]){_HEX}{{4}}(?P=four){_HEX}{{4}}(?!\.?{_HEX})"
    rf"|(?<!{_HEX}){_HEX}{{6}}[-:]?{_HEX}{{6}}(?!{_HEX})"
)
_COLONS: Final = re.compile(r"(?:%3[Aa]|[0-9A-Fa-f:]){3,}+")
_IPV4: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d]|\.\d)")
_MAIL: Final = re.compile(r"[^\s@<>\"'()\[\],;:=*]{1,64}(?:@|%40)[^\s@<>\"'(),;*]{1,255}")
_GAP: Final = r"[ .()-]{0,3}"
_PHONE: Final = re.compile(
    rf"(?<![\d.])(?:\(?08\d\d|\(?\+?62{_GAP}8\d\d|\(?\+62{_GAP}\d{{2,3}})(?:{_GAP}\d){{5,9}}(?!\d)"
)
_LONG: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_WORD: Final = re.compile(r"(?:[a-z]{1,23}|[A-Z]{1,23})?\d{0,3}")

_SENTENCES: Final[tuple[tuple["re.Pattern[str]", str], ...]] = (
    (
        re.compile(
            r"(?:(?<=: )[^:()]{1,80}|[^\s:()]{1,80})(?= \(\d{1,3}(?:\.\d{1,3}){3}\): (?:logged|logging|login|trying)\b)"
        ),
        HIDDEN,
    ),
    (re.compile(r"(\buser ).{1,100}?(?= logged (?:in|out)\b| authentication failed)", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(\blogin fail(?:ed|ure) for (?:user )?)(?:[^:,]{0,100}?(?= from | via |[:,]|$)|\S+)", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\b(?:added|changed|removed|moved|enabled|disabled|scheduled) by )\S+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(\bppp secret <?)[^<>]{1,60}?(?=>? (?:added|changed|removed|moved|enabled|disabled) by )", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(/(?:ppp[ /]secret|snmp[ /]community) \w{1,20} ).*", re.DOTALL), rf"\1{HIDDEN}"),
    (re.compile(r"(<(?:pppoe|l2tp|pptp|sstp|ovpn|ppp)-)(?:[^>]{1,100}>|[^>\s]{1,100})", re.IGNORECASE), r"\1***>"),
    (re.compile(r"(\b(?:de)?assigned \S{1,60} (?:to|for|from) \S{1,60}) \S.*", re.DOTALL), rf"\1 {HIDDEN}"),
)
_LOGGED: Final = re.compile(r"[^\s:<>]{1,100}(?= logged (?:in|out)\b)")
_NO_NAMES: Final = frozenset({"not", "user", "users", "is", "was", "been", "already", HIDDEN})


def without_what_was_given(text: str) -> str:
    """Return text without the values of names such as ``password`` and ``pin``, with a sign between or a space."""
    return without_what_was_told(_SECRET_WORD.sub(rf"\g<1>{HIDDEN}", _PHRASE.sub(rf"\g<1>{HIDDEN}", text)))


def without_quotes(text: str, known: Container[str]) -> str:
    """Return text without whatever somebody quoted; ``known`` addresses and names of our own files stay."""

    def hidden(found: "re.Match[str]") -> str:
        inner = found[0].lstrip("bBrRuU\\").strip("\\\"'`\u201c\u201d\u2018\u2019")
        return found[0] if inner in known or _HARMLESS.fullmatch(inner) else f"\u201c{HIDDEN}\u201d"

    return _QUOTED.sub(hidden, text)


def without_people(text: str) -> str:
    """Return text without the names of those of whom a router says that they came, went or changed something."""
    text = _PERSON.sub(rf"\g<1>{HIDDEN}", text)
    for pattern, instead in _SENTENCES:
        text = pattern.sub(instead, text)
    return _LOGGED.sub(lambda found: found[0] if found[0].lower() in _NO_NAMES else HIDDEN, text)


def without_devices(text: str) -> str:
    """Return text without MAC addresses, e-mail addresses and telephone numbers as they are written in Indonesia."""
    return _hidden_addresses(text, _is_address)


def without_addresses(text: str, known: Container[str]) -> str:
    """Return text without those and without IP addresses but the ``known`` ones."""
    text = _IPV4.sub(lambda found: found[0] if found[0] in known else PLACE, text)
    return _hidden_addresses(text, known.__contains__)


def _hidden_addresses(text: str, stays: Callable[[str], bool]) -> str:
    text = _COLONS.sub(lambda found: _of_colons(found, stays), _PHONE.sub(HIDDEN, text))
    return _MAIL.sub(HIDDEN, _MAC.sub(DEVICE, text))


def _of_colons(found: "re.Match[str]", stays: Callable[[str], bool]) -> str:
    """Return digits and colons with the address among them hidden; a time, which has two colons, stays."""
    run = re.sub("%3[Aa]", ":", found[0])
    last = len(run) if run.endswith("::") else len(run.rstrip(":"))
    first = _start_of(run, after_letter=found.string[max(0, found.start() - 1) : found.start()].isalpha())
    core = run[first:last]
    mark = _mark_of(core)
    if not mark or (mark == PLACE and stays(core)):
        return found[0]
    return f"{run[:first]}{mark}{run[last:]}"


def _start_of(run: str, *, after_letter: bool) -> int:
    """Return where an address may begin: behind one colon, and behind the end of a word, as of ``src:``."""
    behind = run.find(":") + 1
    rest = run[behind:].rstrip(":")
    if after_letter and ("::" in rest or rest.count(":") in {5, 7}):
        return behind
    return 0 if run.startswith("::") else len(run) - len(run.removeprefix(":"))


def _mark_of(core: str) -> str:
    """Return what stands for it, empty when it is no address."""
    groups = core.split(":")
    if "::" in core:
        return PLACE if any(groups) else ""
    if len(groups) == 3 and all(len(one) == 4 for one in groups):
        return DEVICE
    if len(groups) < 4:
        return ""
    return DEVICE if sum(len(one) == 2 for one in groups) >= 6 else PLACE


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def without_long_words(text: str, known: Container[str]) -> str:
    """Return text without what is as long as a key and no word, name of an error, path, or ``known``."""
    return _LONG.sub(lambda found: found[0] if found[0] in known or _is_of_words(found[0]) else HIDDEN, text)


def _is_of_words(text: str) -> bool:
    if text.isalpha() and text.endswith(("Error", "Exception", "Warning")):
        return True
    return all(_WORD.fullmatch(one) for one in re.split(r"[-_/]", text))
