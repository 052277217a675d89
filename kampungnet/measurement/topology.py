"""Where sites hang: in their kecamatan, and where it is known on a trunk cable, a PON, a distribution point."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from kampungnet.core.errors import BadInput
from kampungnet.core.rows import upsert
from kampungnet.devices.bodies import OnuSeen
from kampungnet.devices.models import AssignedOnu, Device, Site
from kampungnet.devices.service import body_of
from kampungnet.measurement.incidents import Place
from kampungnet.measurement.outage_models import SitePlace
from kampungnet.villages import service as villages
from kampungnet.villages.service import BadRow

COLUMNS: Final = ("kode", "jalur", "odp")
MOST_LETTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Topology:
    """The places of all sites of a regency, by site code."""

    village: dict[str, str]
    district: dict[str, Place]
    cable: dict[str, Place]
    """Only of sites whose cable is known."""

    def near(self, site: str) -> set[str]:
        """Return the other sites of its kecamatan, and those on its cable."""
        district, cable = self.district.get(site), self.cable.get(site, ())[:1]
        same = {one for one, path in self.district.items() if path == district}
        return (same | {one for one, path in self.cable.items() if path[:1] == cable}) - {site}


def topology(db: Session, regency: str) -> Topology:
    """Return where the sites of a regency hang: as imported, else on the PON at which an OLT sees their ONU."""
    sites = db.execute(select(Site.code, Site.village).where(Site.regency == regency))
    village = {one.code: one.village for one in sites}
    told = {one.village: one for one in db.scalars(select(SitePlace).where(SitePlace.regency == regency))}
    seen = _ports(db, regency)
    cable: dict[str, Place] = {}
    for site, code in village.items():
        if code in told:
            cable[site] = (told[code].trunk, told[code].odp) if told[code].odp else (told[code].trunk,)
        elif site in seen:
            cable[site] = seen[site]
    return Topology(village, {site: (code[:8],) for site, code in village.items()}, cable)


def import_places(db: Session, regency: str, lines: Iterable[str]) -> tuple[int, list[BadRow]]:
    """Take a CSV (UTF-8) with the columns ``COLUMNS``: on which trunk and ODP each village hangs.

    With one bad row nothing is taken; each is named. Raises ``BadInput`` when the columns are others.
    """
    known = villages.names(db, regency)
    rows: dict[str, dict[str, str]] = {}
    bad: list[BadRow] = []
    try:
        reader = csv.DictReader(lines)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise BadInput(f"This is no list of cables: column {', '.join(missing)} is missing.")
        for row in reader:
            code, trunk, odp = (" ".join((row[name] or "").split()) for name in COLUMNS)
            if reason := _refusal(code, (trunk, odp), known, rows):
                bad.append(BadRow(reader.line_num, reason))
            rows[code] = {"regency": regency, "village": code, "trunk": trunk, "odp": odp}
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"This is no list of cables in CSV and UTF-8: {error}.") from error
    if rows and not bad:
        upsert(db, SitePlace, list(rows.values()), ("regency", "village"), ("trunk", "odp"))
    return (0 if bad else len(rows)), bad


def _refusal(code: str, names: tuple[str, str], known: dict[str, str], seen: dict[str, dict[str, str]]) -> str:
    if code not in known:
        return f"kode {code[:40]!r} is no village of this kabupaten"
    if code in seen:
        return f"kode {code} stands twice"
    if not names[0]:
        return f"kode {code} has no jalur: write the name of its trunk cable"
    if any(len(name) > MOST_LETTERS or not name.isprintable() for name in names):
        return f"kode {code} has a name that is longer than {MOST_LETTERS} letters or cannot be read"
    return ""


def _ports(db: Session, regency: str) -> dict[str, Place]:
    """Return the OLT and PON at which an OLT sees the ONU of each site."""
    asked = (
        select(AssignedOnu, Device)
        .join(Device, (Device.regency == AssignedOnu.regency) & (Device.site == AssignedOnu.site)
              & (Device.name == AssignedOnu.device))
        .where(AssignedOnu.regency == regency, AssignedOnu.olt_site != "").options(undefer(Device.body))
    )  # fmt: skip
    found: dict[str, Place] = {}
    for onu, device in db.execute(asked):
        body = body_of(device)
        if isinstance(body, OnuSeen) and body.onu.port:
            found[onu.site] = (f"OLT {onu.olt_device} ({onu.olt_site})", f"PON {body.onu.port.split(':')[0]}")
    return found
