"""Commands about people on the server: ``kampungnet add-staff``, ``audit`` and ``staff``."""

import argparse
import getpass
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from kampungnet.core import clock, security
from kampungnet.core.commands import Add, open_database, place_of
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Conflict, NotFound
from kampungnet.staff import accounts, audit, published, service
from kampungnet.staff.audit import Act
from kampungnet.staff.chain import Examined
from kampungnet.staff.models import AuditEntry
from kampungnet.villages import service as villages

_STEPS: Final = {
    "first-password": ("password", "a random password is printed, good for seven days"),
    "no-factor": ("factor", "the second factor is taken off"),
    "sign-out": ("end", "all sessions are ended"),
    "disable": ("disable", "the person is shut out for good"),
}
_SEAL: Final = re.compile(r"(\d{1,12})\W+((?:2:)?[0-9a-f]{32,64})")


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("add-staff", _add_staff)
    one.epilog = f"A password has {security.PASSWORD_LETTERS.start} letters or more."
    one.add_argument("username", help="lower case letters, digits, dot and dash")
    one.add_argument("--name", required=True, help="the person's name as shown on pages")
    one.add_argument("--role", required=True, choices=[role.value for role in service.Role])
    one.add_argument("--regency", required=True, help="for example 35.10")
    one.add_argument("--village", help="for an operator, or budget staff of a village: the one this person works for")
    one.add_argument("--district", help="for budget staff of a kecamatan: its code, for example 35.10.15")
    one.add_argument(
        "--duty", default="", choices=[duty.value for duty in service.Duty],
        help="what budget staff of a village sign: secretary checks a statement, head approves it, treasurer pays it",
    )  # fmt: skip
    one.add_argument("--reason", default=audit.WHY, help="why, for the log")
    one = add("audit", _audit)
    one.add_argument("step", choices=["verify", "begin-anew"], help="verify: say whether the log holds; begin-anew: "
                     "where its key is lost for good, go on with the one at hand, or a new one")  # fmt: skip
    one.add_argument("--regency", help="for example 35.10 (default: every regency of the register)")
    one.add_argument("--reason", default="", help="to begin anew: what became of the key, for the log")
    one.add_argument("--seal", help="a seal that was noted down earlier, as the page /catatan shows it: number and "
                     "seal; proves that the end was not cut off since")  # fmt: skip
    one.add_argument("--published", help="a file somebody kept: the page /segel or messages of mornings; every seal in "
                     "it is compared")  # fmt: skip
    one = add("staff", _staff)
    one.add_argument(
        "step", choices=list(_STEPS), help="; ".join(f"{step}: {told}" for step, (_, told) in _STEPS.items())
    )
    one.add_argument("username", help="as the person signs in")
    one.add_argument("--reason", default=audit.WHY, help="why, for the log")


def _add_staff(options: argparse.Namespace) -> None:
    asked = f"Password ({security.PASSWORD_LETTERS.start} letters or more): "
    password = getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with closing(open_database(options)) as database, database.writes() as db:
        scope = service.Scope(options.regency, options.village, options.district)
        duty = service.Duty(options.duty)
        person = service.NewStaff(options.username, options.name, service.Role(options.role), scope, duty)
        by = audit.on_the_server(db, options.regency)
        service.add_staff(db, person, password)
        told = {"name": person.name, "role": options.role, "place": scope.place, "duty": options.duty}
        audit.record(db, by, Act("staff.add", options.username, options.reason, None, told), clock.now_ms())
    print(f"{options.username} can sign in.")


def _staff(options: argparse.Namespace) -> None:
    act, told = _STEPS[options.step]
    with closing(open_database(options)) as database:
        with database.reads() as db:
            by = audit.on_the_server(db, service.member_of(db, options.username).regency)
        made = accounts.administer(database, by, act, options.username, options.reason, clock.now_ms())
    if made:
        print(made)
        print(
            f"First password of {options.username}: opens for seven days, then another one is chosen.", file=sys.stderr
        )
    else:
        print(f"{options.username}: {told}.")


def _audit(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database:
        with database.reads() as db:
            known = [one.code for one in villages.regencies(db)]
        wanted = [one for one in known if options.regency in {None, one}]
        if not wanted:
            raise NotFound("There is no such regency in the register: give its Kemendagri code, for example 35.10.")
        if options.step == "verify":
            _verify(options, database, wanted)
        else:
            _begin_anew(options, database, wanted)


def _begin_anew(options: argparse.Namespace, database: Database, wanted: list[str]) -> None:
    if not options.reason.strip():
        raise BadInput("Say with --reason what became of the key of the log: it stands there for good.")
    with database.writes() as db:
        begun = [one for one in wanted if audit.begin_anew(db, one, options.reason.strip(), clock.now_ms())]
    if not begun:
        raise Conflict("With the key at hand the log holds: nothing is begun anew.")
    print(f"The log of {', '.join(begun)} was begun anew; what stood there stays as it is.")
    print(f"Keep a copy of {place_of(options).key_file}, in another place.", file=sys.stderr)


def _verify(options: argparse.Namespace, database: Database, wanted: list[str]) -> None:
    with database.reads() as db:
        if options.seal and len(wanted) != 1:
            raise BadInput("A seal is of one regency: name it with --regency.")
        broken = [sentence for sentence in (_told(db, one) for one in wanted) if sentence]
        if not broken and options.seal:
            _compare(db, wanted[0], options.seal)
        if not broken and options.published:
            _compare_published(db, wanted, Path(options.published))
    if broken:
        raise Conflict(" ".join(broken))


def _told(db: Session, regency: str) -> str:
    """Say that a log holds, or return the sentence that tells where it does not."""
    found = audit.examine(db, regency)
    if found.broken is not None:
        return f"The log of {regency} does not hold: {_break(found, regency)}"
    if found.anew is not None:
        print(_begun_anew(found, found.anew))
    elif not found.acts:
        print(f"The log of {regency} is empty.")
    else:
        old = f" The first {found.without_key} are older than the key." if found.without_key else ""
        print(f"The log of {regency} holds: {found.acts} entries, none changed or taken out.{old}")
    return ""


def _begun_anew(found: Examined, entry: AuditEntry) -> str:
    at = clock.local(entry.at_ms, clock.zone_of(entry.regency)).isoformat(timespec="minutes")
    since, before = found.acts - entry.sequence + 1, entry.sequence - 1
    return (
        f"The log of {entry.regency} has a break: it was begun anew at entry {entry.sequence} "
        f"({at}, {entry.name}: {entry.reason}). Since then {since} entries, none changed or taken out. Entries 1 to "
        f"{before} are as they stood at that moment; from entry {found.unproven} on their own seals do not hold: "
        "their key is not in the key file, or they were changed before. Only seals kept elsewhere tell (--seal, "
        "--published)."
    )


def _break(found: Examined, regency: str) -> str:
    entry, spoilt = found.entry, ""
    if found.spoilt is not None:
        number = found.spoilt.sequence
        spoilt = f" What stands before it is not what it was when the log was begun anew at entry {number}."
    if entry is None or entry.sequence != found.broken:
        return f"entry {found.broken} was taken out.{spoilt}"
    at = clock.local(entry.at_ms, clock.zone_of(regency)).isoformat(timespec="minutes")
    return (
        f"entry {found.broken} ({entry.what}, {entry.username}, {at}) was changed, or it was sealed with a key that is "
        f"no longer in the key file.{spoilt}"
    )


def _compare_published(db: Session, regencies: list[str], file: Path) -> None:
    kept = [one for one in published.read(file.read_text("utf-8", "replace")) if one.regency in regencies]
    if not kept:
        raise BadInput(f"No seal of these regencies is in {file.name}: save the page /segel and name that file.")
    differing = published.differing(db, kept)
    if differing:
        one = differing[-1]
        raise Conflict(
            f"The log of {one.regency} is another one than on {one.day}: entry {one.number} was replaced or cut off."
        )
    print(f"All {len(kept)} seals of {file.name} are those of the log.")


def _compare(db: Session, regency: str, noted: str) -> None:
    found = _SEAL.fullmatch(noted.strip())
    if found is None:
        raise BadInput("Write the seal as the page shows it: --seal '41 · 2:9f…'.")
    number, seal = int(found[1]), found[2]
    if audit.seal_of(db, regency, number) != seal:
        raise Conflict(
            f"The log of {regency} is another one than when this seal was noted: entry {number} was replaced or "
            "cut off."
        )
