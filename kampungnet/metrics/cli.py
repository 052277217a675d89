"""Commands about metrics stores: ``kampungnet push`` and ``kampungnet resend``."""

import argparse
import logging
import os
import signal
import threading
from contextlib import closing

from kampungnet.core import clock
from kampungnet.core.collector import rest_the_collector
from kampungnet.core.commands import Add, day, open_database
from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput, Unavailable
from kampungnet.core.lock import only_one
from kampungnet.metrics import cursors
from kampungnet.metrics.pushing import Pusher
from kampungnet.metrics.resending import Stretch, resend
from kampungnet.metrics.store import URL, Settings
from kampungnet.villages import service as villages

log = logging.getLogger(__name__)

STAND_BY_SECONDS = 2.0
POLITE = 5
"""Reports go before samples where both want the processor."""


def add_commands(add: Add) -> None:
    """Add the commands of this slice."""
    one = add("push", _push)
    one.add_argument("--status", action="store_true", help="only say how far every store has everything")

    one = add("resend", _resend)
    one.add_argument("--from", dest="first", type=day, required=True, help="first local day, for example 2026-07-01")
    one.add_argument("--to", dest="last", type=day, required=True, help="last local day, included")
    one.add_argument("--village", help="only this one: its Kemendagri code, for example 35.10.15.2012")


def _push(options: argparse.Namespace) -> None:
    with closing(open_database(options)) as database:
        if options.status:
            _print_status(database)
            return
        settings = _settings()
        stopping = threading.Event()
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda *_: stopping.set())
        os.nice(POLITE)
        with only_one(database, "push", lambda: not stopping.wait(STAND_BY_SECONDS)) as has_it:
            if has_it:
                Pusher(database, settings, stopping).run()


def _resend(options: argparse.Namespace) -> None:
    if options.last < options.first:
        raise BadInput("The last day is before the first: give --from the earlier one.")
    settings = _settings()
    with closing(open_database(options)) as database:
        if options.village is not None:
            with database.reads() as db:
                villages.village(db, options.village)
        rest_the_collector()
        sent = resend(database, settings, Stretch(options.first, options.last, options.village), _say)
    _say(f"{sent.taken} samples were taken by {settings.store}.")
    for reason, dropped in sent.dropped.items():
        _say(f"{dropped.samples} were not ({reason}): {dropped.example}")


def _settings() -> Settings:
    settings = Settings.of()
    if settings is None:
        raise Unavailable(f"No metrics store is named: set {URL} to the address that takes remote write.")
    return settings


def _print_status(database: Database) -> None:
    with database.reads() as db:
        known, dropped = cursors.all_of(db), cursors.dropped(db)
        for one in known:
            age = f"up to {_instant(one.stored_ms)}" if one.stored_ms else "nothing yet"
            _say(f"{one.store} {one.regency}: {age}, {one.samples} samples taken")
            if one.trouble:
                _say(f"  takes nothing since {_instant(one.trouble_ms or 0)}: {one.trouble}")
        for lost in dropped:
            _say(f"{lost.store} {lost.regency}: {lost.samples} samples dropped ({lost.reason}), the last "
                 f"{_instant(lost.last_ms)}: {lost.example}")  # fmt: skip
    if not known:
        _say(f"Nothing was ever pushed: set {URL} and run `kampungnet push`.")


def _instant(at_ms: int) -> str:
    return f"{clock.local(at_ms, clock.WIB):%Y-%m-%d %H:%M:%S} WIB"


def _say(text: str) -> None:
    print(text, flush=True)
