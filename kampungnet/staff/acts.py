"""Acts as people read them, and which of them somebody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Unprocessable
from kampungnet.core.languages import N_, Language
from kampungnet.staff import audit, chain
from kampungnet.staff.models import AuditEntry

WORDS: Final[Mapping[str, str]] = {
    "planned_work.enter": N_("Planned work entered"),
    "planned_work.withdraw": N_("Planned work withdrawn"),
    "outage.rule": N_("Cause of an interruption set"),
    "outage.withdraw_ruling": N_("Cause of an interruption taken back"),
    "anggaran.import": N_("Budget read in"),
    "kontrak.import": N_("Contracts read in"),
    "tahap.import": N_("Stages of funds read in"),
    "rekening.import": N_("Account codes read in"),
    "contract.enter": N_("Contract entered"),
    "contract.amend": N_("Addendum entered"),
    "contract.activate": N_("First day of service confirmed"),
    "invoice.enter": N_("Provider's invoice entered"),
    "statement.checked": N_("Statement checked"),
    "statement.approved": N_("Statement approved"),
    "statement.paid": N_("Statement paid"),
    "statement.draft": N_("Statement sent back"),
    "portal.policy": N_("Rules of the wifi login set"),
    "portal.kick": N_("Session on the wifi ended"),
    "portal.blocked": N_("Device kept out of the wifi"),
    "portal.bypassed": N_("Device let through without logging in"),
    "portal.unbind": N_("Device treated like any other again"),
    "portal.account": N_("Wifi account made"),
    "portal.end_account": N_("Wifi account ended"),
    "portal.notice": N_("Notice put on the login page"),
    "portal.unsay": N_("Notice taken off the login page"),
    "portal.erase": N_("What was stored of a device erased"),
    "garden.add": N_("Free place put on the list"),
    "garden.review": N_("Free place looked at again"),
    "garden.end": N_("Free place taken off the list"),
    "voucher.issue": N_("Vouchers made"),
    "voucher.print": N_("Vouchers shown for printing"),
    "voucher.revoke": N_("Voucher revoked"),
    "portal.reset_account": N_("Wifi account given a new password"),
    "voucher.extend": N_("Voucher given more time"),
    "plan.save": N_("Plan of the free wifi set"),
    "plan.retire": N_("Plan of the free wifi offered no more"),
    "plan.offer": N_("Plan of the free wifi offered again"),
    "box.revoke": N_("Box shut out for good"),
    "box.code": N_("Code for a new box made"),
    "box.kit": N_("Kit for a village's box made"),
    "hands.restart": N_("Restart of a device asked for"),
    "hands.portal": N_("Wifi page put on anew asked for"),
    "hands.bundle": N_("Facts for help asked for"),
    "hands.ended": N_("What came of something asked for from afar"),
    "hands.read": N_("Facts for help read"),
    "staff.password": N_("Own password changed"),
    "staff.factor_on": N_("Second factor set up"),
    "staff.factor_off": N_("Own second factor taken off"),
    "staff.add": N_("Person let sign in"),
    "staff.admin_end": N_("Signed out everywhere by an engineer"),
    "staff.admin_factor": N_("Second factor taken off by an engineer"),
    "staff.admin_password": N_("First password given"),
    "staff.admin_disable": N_("Person shut out for good"),
    "alerts.add": N_("Recipient of messages entered"),
    "config.backup": N_("Backup of a router taken"),
    "alerts.token": N_("Token for an Alertmanager made"),
    "register.import": N_("Register of villages read in"),
    "topology.import": N_("Cables of villages read in"),
    "holidays.import": N_("Holidays read in"),
    "onu.assign": N_("ONU given to a village"),
    "onu.remove": N_("ONU taken from a village"),
    "onu.import": N_("ONUs of villages read in"),
    "backup.restore": N_("Database brought back from a backup"),
    chain.ANEW: N_("Log begun anew: its seals could not be proven any more"),
    "keys.rotate": N_("Secrets sealed with a new key"),
    "alerts.end": N_("Recipient of messages taken off the list"),
}
"""What each kind of act is called; a kind of a later version shows its code."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts somebody asks for. Empty: all."""

    kind: str = ""
    username: str = ""
    village: str = ""
    """Its code."""
    first: str = ""
    """Local day, ISO."""
    last: str = ""
    """Local day, included."""

    def conditions(self, zone: str) -> list[ColumnElement[bool]]:
        """Return what an act must fulfil. Raises ``Unprocessable`` for a day that is none."""
        found = []
        if self.kind:
            found.append(AuditEntry.what == self.kind)
        if self.username:
            found.append(AuditEntry.username == self.username)
        if self.village:
            found.append(_concerns(self.village))
        if self.first:
            found.append(AuditEntry.at_ms >= clock.day_start_ms(_day(self.first), zone))
        if self.last:
            found.append(AuditEntry.at_ms < clock.day_start_ms(_day(self.last), zone) + clock.DAY_MS)
        return found


def words(kind: str, language: Language) -> str:
    """Return what a kind of act is called."""
    return language.say(WORDS[kind]) if kind in WORDS else kind


def people(db: Session, regency: str) -> list[tuple[str, str]]:
    """Return user name and name of everybody who ever acted, by name; what many share, a command or a box, once."""
    rows = db.execute(select(AuditEntry.username, AuditEntry.name).where(AuditEntry.regency == regency).distinct())
    found = {(username, "" if username in audit.SHARED else name) for username, name in rows}
    return sorted(found, key=lambda one: (one[1], one[0]))


def _concerns(village: str) -> ColumnElement[bool]:
    """Tell whether an act was done to a village, a site of it, or to what names it, its kecamatan or its kabupaten."""
    at_it = AuditEntry.about.startswith(f"{village}-", autoescape=True)
    codes = {village, village[:8], village[:5]}
    named = [
        column.contains(f'"{code}"', autoescape=True) for column in (AuditEntry.before, AuditEntry.after)
        for code in sorted(codes)
    ]  # fmt: skip
    return or_(AuditEntry.about == village, at_it, *named)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 2000 <= day.year < 2100:
        raise Unprocessable(N_("Please give days like 2026-11-29, or leave them empty."))
    return day
