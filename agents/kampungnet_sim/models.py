"""The devices a simulated village may own, and the version rules of their firmware.

Fields and version borders follow ``facts/routeros.md`` sections 2, 3 and 7.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_MEBI = 1024 * 1024
_SMALL_DISK_BYTES = 16 * _MEBI
WirelessKind = Literal["wireless", "wifi", "none"]
OntKind = Literal["sfp-mikrotik", "hsgq", "plain", "silent"]


@dataclass(frozen=True, slots=True, order=True)
class RosVersion:
    """A RouterOS version that can be compared: 7.9 is older than 7.18."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> "RosVersion":
        """Read the leading digits of ``6.49.10 (long-term)`` or ``7.16rc1 (testing)``."""
        found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
        if found is None:
            raise ValueError(f"not a RouterOS version: {text!r}")
        return cls(int(found[1]), int(found[2]), int(found[3] or 0))

    @property
    def challenge_login(self) -> bool:
        """The MD5 challenge was removed in 6.45.1."""
        return self < RosVersion(6, 45, 1)

    @property
    def plain_login(self) -> bool:
        """The one-sentence login exists from 6.43 on."""
        return self >= RosVersion(6, 43)

    @property
    def says_empty(self) -> bool:
        """From 7.18 a reply without rows starts with ``!empty``."""
        return self >= RosVersion(7, 18)

    @property
    def limits_sessions(self) -> bool:
        """``max-sessions`` of a service exists from 7.16 on."""
        return self >= RosVersion(7, 16)

    @property
    def iso_dates(self) -> bool:
        """From 7.10 dates are ``2023-06-26 00:32:53``, before ``jun/26/2023 00:32:53``."""
        return self >= RosVersion(7, 10)


@dataclass(frozen=True, slots=True)
class RouterModel:
    """What stays the same on every router of one kind.

    Memory and disk are bytes, the clock is MHz.
    """

    board_name: str
    model: str
    version: str
    architecture: str
    cpu: str
    cpu_count: int
    cpu_mhz: int
    memory_bytes: int
    disk_bytes: int
    wireless: WirelessKind
    ethernet_ports: int
    # The cage on the provider's side holds a GPON stick; or there is a cage and nothing in it.
    has_sfp: bool = False
    empty_cage: str = ""
    sensors: tuple[str, ...] = ()
    is_virtual: bool = False

    @property
    def wan_interface(self) -> str:
        """The port on which the provider is connected."""
        return "sfp1" if self.has_sfp else "ether1"

    @property
    def has_flash_folder(self) -> bool:
        """On boards of 16 MB only what lies under ``flash/`` outlives a restart (facts/routeros.md, 12.8)."""
        return self.disk_bytes <= _SMALL_DISK_BYTES


@dataclass(frozen=True, slots=True)
class OntModel:
    """What a unit says about itself over SNMP.

    ``sfp-mikrotik`` is a GPON stick in the router's own cage, read from the MikroTik optical table.
    ``hsgq`` is the no-name unit a village bought itself: it answers the enterprise tree 50224 as the
    recorded PK-700 does (facts/ont-snmp.md, 9.1). ``plain`` gives interfaces but no light, as the
    recorded Calix 716GE does. ``silent`` is the provider's unit, which answers its customer nothing.
    """

    kind: OntKind
    vendor: str
    model: str
    sys_descr: str
    sys_object_id: str


ROUTER_MODELS: dict[str, RouterModel] = {
    "hap-lite": RouterModel(
        "hAP lite", "RB941-2nD", "6.49.10 (long-term)", "smips", "MIPS 24Kc V7.4", 1, 650,
        32 * _MEBI, 16 * _MEBI, "wireless", 4,
    ),
    "hex": RouterModel(
        "hEX", "RB750Gr3", "7.20.4 (stable)", "mmips", "MIPS 1004Kc V2.15", 4, 880,
        256 * _MEBI, 16 * _MEBI, "none", 5, sensors=("voltage", "temperature"),
    ),
    "rb951": RouterModel(
        "RB951Ui-2HnD", "RB951Ui-2HnD", "6.49.17 (stable)", "mipsbe", "MIPS 74Kc V4.12", 1, 600,
        128 * _MEBI, 128 * _MEBI, "wireless", 5, sensors=("voltage", "temperature"),
    ),
    "hap-ax2": RouterModel(
        "hAP ax^2", "C52iG-5HaxD2HaxD", "7.20.6 (stable)", "arm64", "ARM64", 4, 864,
        1024 * _MEBI, 128 * _MEBI, "wifi", 5, sensors=("cpu-temperature",),
    ),
    "hex-s": RouterModel(
        "hEX S", "RB760iGS", "7.20.6 (stable)", "mmips", "MIPS 1004Kc V2.15", 4, 880,
        256 * _MEBI, 16 * _MEBI, "none", 5, has_sfp=True, sensors=("voltage", "temperature"),
    ),
    "hap-ac-lite": RouterModel(
        "hAP ac lite", "RB952Ui-5ac2nD", "7.9.2 (stable)", "mipsbe", "MIPS 24Kc V7.4", 1, 650,
        64 * _MEBI, 16 * _MEBI, "wireless", 5,
    ),
    "rb2011": RouterModel(
        "RB2011UiAS", "RB2011UiAS-2HnD", "6.49.18 (long-term)", "mipsbe", "MIPS 74Kc V4.12", 1, 600,
        128 * _MEBI, 128 * _MEBI, "wireless", 5, has_sfp=True, sensors=("voltage", "temperature"),
    ),
    "rb5009": RouterModel(
        "RB5009UG+S+", "RB5009UG+S+IN", "7.22.2 (stable)", "arm64", "ARM64", 4, 1400,
        1024 * _MEBI, 1024 * _MEBI, "none", 5, empty_cage="sfp-sfpplus1",
        sensors=("cpu-temperature", "voltage"),
    ),
    "chr": RouterModel(
        "CHR", "CHR", "7.22.2 (stable)", "x86_64", "QEMU", 1, 2200,
        256 * _MEBI, 128 * _MEBI, "none", 4, is_virtual=True,
    ),
}  # fmt: skip

ONT_MODELS: dict[str, OntModel] = {
    "sfp": OntModel("sfp-mikrotik", "MikroTik", "hEX S", "RouterOS RB760iGS", "1.3.6.1.4.1.14988.1"),
    "hsgq": OntModel("hsgq", "HSGQ", "XPON-ONU", "PK-700", "1.3.6.1.4.1.50224.3.1.1"),
    "plain": OntModel("plain", "Calix", "716GE", "Calix ONT 716GE 10.7.110.17", "1.3.6.1.4.1.6321.2.1.1"),
    "silent": OntModel("silent", "ZTE", "F670L", "F670L", "1.3.6.1.4.1.3902"),
}
