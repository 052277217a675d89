"""Pure: rows of a router's export that name people, or have a password for a name, without those.

For the settings that a box tells (:mod:`.drivers.config_text`) and for bundles (:mod:`.scrub`). Rows of ``/ppp secret``
and what dials in by them (``name``, ``caller-id``, ``user``, ``comment``: the maker's pages "PPP AAA" and "PPPoE"), and
the communities of ``/snmp`` (the maker's page "SNMP": whoever knows the name reads the router).
"""

import re
from typing import Final

HIDDEN: Final = "***"
_ROWS: Final = (
    (re.compile(r"/ppp[ /]secret\b"), frozenset({"name", "comment", "caller-id"})),
    (re.compile(r"/interface[ /](?:pppoe|l2tp|pptp|sstp|ovpn)-server add\b"), frozenset({"name", "comment", "user"})),
    (re.compile(r"/snmp[ /]community\b"), frozenset({"name"})),
)
_GIVEN: Final = re.compile(r'(?<=\s)([a-z0-9.-]{1,40})=(?:"(?:[^"\\]|\\.)*+\\?(?:"|$)|[^\s\]]*)', re.DOTALL)
"""What a row gives, quotes and all: a name within a comment is not the row's."""

_DIALLED: Final = re.compile(r"(<(?:pppoe|l2tp|pptp|sstp|ovpn|ppp)-)[^<>]{1,100}>", re.IGNORECASE)
"""An interface that is there while somebody is dialled in, as a queue or a rule of the firewall names it."""


def without_names(row: str) -> str:
    """Return one full command of an export without whom it is about; most are about nobody and stay as they are."""
    row = _DIALLED.sub(rf"\g<1>{HIDDEN}>", row)
    hidden = next((names for menu, names in _ROWS if menu.match(row)), None)
    if hidden is None:
        return row
    return _GIVEN.sub(lambda found: f"{found[1]}={HIDDEN}" if found[1] in hidden else found[0], row)
