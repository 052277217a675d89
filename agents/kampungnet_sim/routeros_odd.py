"""Names that break clients, put in place of ordinary ones while the fault ``odd_names`` is on."""

from kampungnet_sim.routeros_tables import Row

# Numbers, booleans, Latin-1 bytes, emoji, a NUL, the signs of the protocol itself, and nothing at all.
ODD_TEXTS = (
    "007", "628123", "yes", "true", "Caf\udce9 Bl\udce9", "warga☕👪", "=a=b", "!done", "?#!", "AP\x00\x00",
    "\u202enabrac", "1e5", " ", "x" * 180, "",
)  # fmt: skip
# Where people and phones write what they like; names of interfaces stay, or the wires would be lost.
_FREE = frozenset({"user", "host-name", "comment", "ssid", "identity", "message", "email"})
_NAMED = frozenset({"/ip/hotspot/user", "/system/identity", "/queue/simple", "/tool/netwatch"})


def odd_names(menu: str, rows: list[Row]) -> list[Row]:
    """The same rows under other names; equal rows get equal names at every poll."""
    free = _FREE | {"name"} if menu in _NAMED else _FREE
    return [
        {
            name: ODD_TEXTS[(place + column) % len(ODD_TEXTS)] if name in free else value
            for column, (name, value) in enumerate(row.items())
        }
        for place, row in enumerate(rows)
    ]
