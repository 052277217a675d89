"""The reading that belongs to a masked recording: the real one with the same names hidden in the same way."""

import enum
from typing import Any, Final

import msgspec

from kampungnet_agent.record_mask import Mask

_KINDS: Final = frozenset({"version", "board", "model"})
_SENTENCES: Final = frozenset({"missing", "detail"})
_KEPT: Final = frozenset(
    "kind unit licence_level device_mode installed_version latest_version update_channel firmware firmware_available "
    "since status login_by topics time last_link_down instance module registration last_down_cause last_down "
    "last_up".split()
)
_KEPT_IN: Final = {("Ping", "target"), ("Sensor", "name"), ("Service", "name")}
_OWN_CLOCK: Final = {("NameLookup", "milliseconds"), ("Service", "milliseconds"), ("HostBody", "pings")}
"""What the agent measured itself: no recording can bring it back."""


def masked_body(body: Any, mask: Mask) -> Any:
    """Return ``body`` as plain data for JSON; a field of a name that nobody listed here is hidden."""
    return _told(body, mask, "", "")


def _told(value: Any, mask: Mask, struct: str, field: str) -> Any:
    if isinstance(value, msgspec.Struct):
        name = type(value).__name__
        config = type(value).__struct_config__
        told = {} if config.tag is None else {str(config.tag_field): config.tag}
        for one in msgspec.structs.fields(value):
            item = getattr(value, one.name)
            if item not in (one.default, []) and (name, one.name) not in _OWN_CLOCK:
                told[one.name] = _told(item, mask, name, one.name)
        return told
    if isinstance(value, list | tuple):
        return [_told(item, mask, struct, field) for item in value]
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return _text(value, mask, struct, field)
    return value.value if isinstance(value, enum.Enum) else value


def _text(value: str, mask: Mask, struct: str, field: str) -> str:
    if field in _KEPT or (struct, field) in _KEPT_IN:
        return value
    if field in _KINDS:
        return mask.kind(value)
    return mask.sentence(value) if field in _SENTENCES else mask.text(value)
