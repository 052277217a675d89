"""Pure: ONUs that OLTs report and no village gets, as engineers read them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kampungnet.core.languages import Language
from kampungnet.devices.models import Device
from kampungnet.devices.onus import Stray
from kampungnet.measurement import states, untold
from kampungnet.shared import wire


@dataclass(frozen=True, slots=True)
class StrayRow:
    """One ONU. Serial and port came from the OLT and are hostile text."""

    serial: str
    port: str
    state: str
    light: str
    olt: str
    seen: str
    village: str


@dataclass(frozen=True, slots=True)
class StrayGroups:
    """ONUs that nobody assigned, and those that another OLT reports already."""

    nobodys: tuple[StrayRow, ...]
    doubled: tuple[StrayRow, ...]


def stray_list(strays: Iterable[Stray], names: Mapping[str, str], language: Language, now_ms: int) -> StrayGroups:
    """Return the rows of both groups; ``names`` gives the villages' names by code."""
    rows = [(stray.assigned is None, _row(stray, names, language, now_ms)) for stray in strays]
    return StrayGroups(
        tuple(row for is_nobodys, row in rows if is_nobodys), tuple(row for is_nobodys, row in rows if not is_nobodys)
    )


def olt_list(
    told: Iterable[tuple[Device, wire.OltBody]], names: Mapping[str, str], language: Language
) -> list[tuple[str, list[str]]]:
    """Return each OLT that could not tell everything, and what that was."""
    return [
        (_olt(olt.site, olt.name, names), untold.listed(body.missing, language)) for olt, body in told if body.missing
    ]


def _olt(site: str, device: str, names: Mapping[str, str]) -> str:
    return f"{_village(site, names)}, {device}"


def _row(stray: Stray, names: Mapping[str, str], language: Language, now_ms: int) -> StrayRow:
    light = "" if stray.rx_power_dbm is None else states.decibels(language, stray.rx_power_dbm)
    return StrayRow(
        serial=stray.serial, port=stray.port, state=language.say(states.ONU_WORDS[stray.state]), light=light,
        olt=_olt(stray.olt_site, stray.olt_device, names), seen=language.age(stray.seen_ms, now_ms),
        village=_village(stray.assigned.site, names) if stray.assigned else "",
    )  # fmt: skip


def _village(site: str, names: Mapping[str, str]) -> str:
    """Return the name of the village a site lies in: its code is the site's without the number at the end."""
    return names.get(site.rpartition("-")[0], site)
