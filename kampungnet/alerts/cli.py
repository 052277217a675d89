"""Commands about messages: ``kampungnet alerts add|list|test|end|token``."""

import argparse
import getpass
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from kampungnet.alerts import outbox, recipients, sender, webhook
from kampungnet.alerts.outbox import PROBLEMS, PURPOSE
from kampungnet.alerts.recipients import NewRecipient
from kampungnet.alerts.sender import Parcel
from kampungnet.alerts.words import Speaker
from kampungnet.core import clock, languages
from kampungnet.core.address import public_address
from kampungnet.core.commands import Add, open_database
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, NotFound, Unavailable
from kampungnet.core.keys import keys_of
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import Scope
from kampungnet.villages import service as villages

STEPS: Final = ("add", "list", "test", "end", "token")


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("alerts", _run)
    one.add_argument("step", choices=STEPS, help="add, list, test or end a recipient; token: for Alertmanager")
    one.add_argument("--regency", help="for example 35.10 (default: the only one of the register)")
    one.add_argument("--name", help="add: what the recipient is called")
    one.add_argument("--place", default="", help="add: code of a kecamatan or village (default: the whole kabupaten)")
    one.add_argument("--kind", default="engineer", choices=["engineer", "operator"], help="add: for whom the words are")
    one.add_argument("--quiet", default="", help="add: quiet hours, for example 22:00-05:00")
    one.add_argument("--passes", default="critical", choices=list(recipients.PASSES), help="add: what goes out then")
    one.add_argument("--digest", default="06:30", help="add: when the digest goes out; empty for none")
    one.add_argument("--address-file", help="add: a file with the address (default: it is asked for, unseen)")
    one.add_argument("--id", help="test, end: the recipient, as `list` shows it")


def _run(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database:
        with database.reads() as db:
            regency = _regency(db, options.regency)
        if options.step == "list":
            _list(database, regency)
        elif options.step == "add":
            _add(database, regency, options)
        elif options.step == "test":
            _test(database, regency, options.id or "")
        elif options.step == "end":
            _end(database, regency, options.id or "")
        else:
            _token(database, regency)


def _regency(db: Session, wanted: str | None) -> str:
    known = [one.code for one in villages.regencies(db)]
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted not in known:
        raise NotFound("There is no such regency in the register: give its Kemendagri code, for example 35.10.")
    return wanted


def _list(database: Database, regency: str) -> None:
    with database.reads() as db:
        found = recipients.listed(db, Scope(regency))
        for one in found:
            print(f"{one.id}  {one.service:10} {one.place:14} {one.kind:9} {one.name}")
    if not found:
        print("Nobody gets messages yet: `kampungnet alerts add --name NAME` enters somebody.")


def _add(database: Database, regency: str, options: argparse.Namespace) -> None:
    if not options.name:
        raise BadInput("Say what the recipient is called: --name 'Group of the engineers'.")
    first, _, end = options.quiet.partition("-")
    # Never an argument: other users of this machine read those.
    address = Path(options.address_file).read_text("utf-8") if options.address_file else getpass.getpass("Address: ")
    new = NewRecipient(
        options.name, address, options.place or regency, options.kind, first, end, options.passes, options.digest
    )
    with database.writes() as db:
        one = recipients.add(db, audit.on_the_server(db, regency), new, clock.now_ms()).id
    print(f"{one} gets messages from now on. Try it: kampungnet alerts test --id {one}")


def _test(database: Database, regency: str, key: str) -> None:
    with database.reads() as db:
        one = recipients.found(db, Scope(regency), key)
        address = keys_of(db).open(PURPOSE, one.address, f"{regency}/{one.id}").decode()
        speaker = Speaker(languages.all_languages()[languages.DEFAULT], public_address())
        text = outbox.test_text(one, speaker, clock.now_ms())
    (result,) = sender.send([Parcel(address, text)])
    if not result.sent:
        raise Unavailable(f"Nothing was sent: {PROBLEMS[result.problem]}")
    print(f"Sent to {one.name}.")


def _end(database: Database, regency: str, key: str) -> None:
    with database.writes() as db:
        name = recipients.end(db, audit.on_the_server(db, regency), key, clock.now_ms())
    print(f"{name} gets nothing more.")


def _token(database: Database, regency: str) -> None:
    with database.writes() as db:
        by, now_ms = audit.on_the_server(db, regency), clock.now_ms()
        token = webhook.make_token(db, regency, now_ms)
        audit.record(db, by, Act("alerts.token", regency, "", None, {}), now_ms)
    print(token)
