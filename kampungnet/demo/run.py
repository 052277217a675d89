"""Starts server, simulator and agents, fills a month, and watches until it is told to end."""

import fcntl
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from kampungnet.alerts import webhook
from kampungnet.core import clock, migrate
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.demo import books, boxes, cast, history, wifi
from kampungnet.demo.children import ENDS, Children
from kampungnet.demo.monitoring import Monitoring
from kampungnet.devices import service as devices
from kampungnet.devices.models import Device
from kampungnet.measurement import incident_log
from kampungnet.staff import service as staff
from kampungnet.staff.service import Duty
from kampungnet.villages import service as villages

Tell = Callable[[str], None]

REGENCY: Final = "35.10"
REGISTER: Final = "banyuwangi"
SEED: Final = "2026"
START_SECONDS: Final = 60
LIVE_SECONDS: Final = 180
HISTORY_SECONDS: Final = 3_600
MONTH_FIRST: Final = 24
"""Of more villages than these the pages come first, and the month behind them fills up meanwhile."""
_PEOPLE: Final = (
    ("sari", "Ibu Sari", staff.Role.ENGINEER, Duty.NONE),
    ("budi", "Pak Budi", staff.Role.OPERATOR, Duty.NONE),
    ("dewi", "Bu Dewi", staff.Role.BUDGET, Duty.NONE),
    ("ratna", "Bu Ratna", staff.Role.BUDGET, Duty.NONE),
    ("dedi", "Pak Dedi", staff.Role.AUDITOR, Duty.NONE),
    ("eko", "Pak Eko", staff.Role.BUDGET, Duty.SECRETARY),
    ("hana", "Bu Hana", staff.Role.BUDGET, Duty.HEAD),
    ("joko", "Pak Joko", staff.Role.BUDGET, Duty.TREASURER),
)
BOOKS: Final = ("dewi", "ratna", "eko", "hana", "joko")
"""Who keeps the books and signs, see :func:`kampungnet.demo.books.keep`."""


def run(port: int, folder: Path, number: int, tell: Tell) -> None:
    """Show ``number`` simulated villages on ``port`` until Ctrl-C, SIGTERM or the terminal is closed.

    Raises ``Unavailable`` when the port or the folder is taken or a part does not come up.
    """
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, _interrupt)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    hold(folder)
    _refuse_taken(port)
    children = Children(folder)
    database = _database(folder)
    try:
        _Start(children, database, folder, tell).everything(port, number)
        while True:
            time.sleep(1)
            children.check()
    except KeyboardInterrupt:
        tell("\n  … ending everything")
    finally:
        for end in ENDS:
            signal.signal(end, signal.SIG_IGN)
        children.stop()
        database.close()


class _Start:
    """Brings everything up in order, and says what it waits for."""

    def __init__(self, children: Children, database: Database, folder: Path, tell: Tell) -> None:
        self._children, self._database, self._folder = children, database, folder
        self._tell = tell
        self._monitoring = Monitoring(children, folder)

    def everything(self, port: int, number: int) -> None:
        """Return when the pages have something to show and live readings come in."""
        began = time.monotonic()
        url = f"http://127.0.0.1:{port}"
        with self._database.reads() as db:
            names = villages.names(db, REGENCY)
        parts = cast.choose(names, number)
        past = ["--register", str(villages.register_path(REGISTER)), "--seed", SEED, *self._past(parts)]
        filling = self._start_filling(past, parts)
        found = self._server_and_simulator(url, port, [*past, *parts.present(), "--only", *parts.codes])
        password = _people(self._database, self._folder, found[0].village)
        self._progress(f"enrolling {len(found)} boxes")
        found[0].portal = bool(found[0].router.hotspot_address)
        running = self._boxes(url, found, parts)
        voucher = self._open_wifi(found[0])
        options = [word for path in running for word in ("--config", str(path))]
        self._children.start("agents", "kampungnet-agent", "run", *options)
        self._keep_books(parts)
        if len(found) <= MONTH_FIRST:
            self._wait_for_the_month(filling, len(found))
            with self._database.writes() as db:
                incident_log.update(db, REGENCY, clock.now_ms())
            filling = []
        self._progress("waiting for the first live readings")
        self._children.wait_for("live readings", lambda: _live(self._database) >= len(running), LIVE_SECONDS)
        told = f"{parts.told(names)}\n\n  {self._monitoring.told()}"
        self._tell(_announcement(url, password, (found[0], voucher), told, time.monotonic() - began))
        self._wait_for_the_month(filling, len(found))
        self._monitoring.feed(self._folder)

    def _open_wifi(self, first: boxes.Box) -> str:
        """Let the wifi of a village be run from here; return a voucher for it."""
        if not first.portal:
            return ""
        with self._database.writes() as db:
            return wifi.keep(db, signed_in(first.village)["sari"], (REGENCY, f"{first.village}-1"), clock.now_ms())

    def _past(self, parts: cast.Cast) -> list[str]:
        """Return what the simulator is told of the villages' past: the same at every start in this folder."""
        file = self._folder / "began"
        if not file.exists():
            file.write_text(f"{clock.now_ms()}\n")
        return parts.past(int(file.read_text()) - history.DAYS * clock.DAY_MS)

    def _keep_books(self, parts: cast.Cast) -> None:
        """Fill the books and say where cables run, while the history is made; its judges wait for the cables."""
        people = signed_in(parts.codes[0])
        began_ms = int((self._folder / "began").read_text())
        with self._database.writes() as db:
            by = [people[username] for username in BOOKS]
            books.keep(db, by, parts.codes, began_ms - history.DAYS * clock.DAY_MS)
        if parts.trunk:
            parts.lay_cables(self._database)
            parts.announce_work(self._database, people["sari"])

    def _boxes(self, url: str, found: list[boxes.Box], parts: cast.Cast) -> list[Path]:
        """Enrol all boxes and return the settings of those that run."""
        serials = parts.onus_for(found)
        for box in found:
            box.onus = serials if box.village == parts.olt else []
        settings = boxes.enrol_all(self._database, self._folder / "agents", url, found)
        parts.assign_onus(self._database, serials)
        parts.cut_fibre(found)
        return [path for box, path in zip(found, settings, strict=True) if box.village != parts.dark]

    def _start_filling(self, past: list[str], parts: cast.Cast) -> list[str]:
        """Start one process a core that stores the month behind the villages; return their names."""
        dark = ["--dark", parts.dark, "--dark-since-ms", str(clock.now_ms() - cast.DARK_MS)] if parts.dark else []
        common = ["--data", str(self._folder), *dark, "--judge", *parts.trunk, *past]
        filled = _filled(self._database)
        empty = [code for code in parts.by_interest() if f"{code}-1" not in filled]
        cores = min(len(empty), os.cpu_count() or 1)
        for number in range(cores):
            codes = empty[number::cores]
            command = ["python", "-m", "kampungnet.demo.history", *common, "--only", *codes]
            self._children.start(f"history-{number + 1}", *command, ends=True)
        return [f"history-{number + 1}" for number in range(cores)]

    def _wait_for_the_month(self, filling: list[str], number: int) -> None:
        told = -1

        def done() -> bool:
            nonlocal told
            if filling and (now := len(_filled(self._database))) != told:
                told = now
                self._progress(f"a month of history: {told} of {number} villages")
            return self._children.have_ended(filling)

        self._children.wait_for("the month of history", done, HISTORY_SECONDS)

    def _server_and_simulator(self, url: str, port: int, chosen: list[str]) -> list[boxes.Box]:
        inventory = self._folder / "inventory.json"
        inventory.unlink(missing_ok=True)
        self._progress("starting server and simulator")
        serve = ["serve", "--processes", "1", "--port", str(port), "--data", str(self._folder)]
        self._children.start("server", "kampungnet", *serve)
        with self._database.writes() as db:
            token = webhook.make_token(db, REGENCY, clock.now_ms())
        self._monitoring.start(port, token)
        self._children.start(
            "simulator", "kampungnet-sim", "run", *chosen, "--control", "0", "--inventory", str(inventory)
        )
        self._children.wait_for("the simulator", inventory.exists, START_SECONDS)
        self._children.wait_for("the server", lambda: _ready(url), START_SECONDS)
        return boxes.inventory(inventory)

    def _progress(self, sentence: str) -> None:
        self._tell(f"  … {sentence}")


def _announcement(url: str, password: str, wifi_of: tuple[boxes.Box, str], parts: str, seconds: float) -> str:
    first, voucher = wifi_of
    return f"""
Siap: {url}      ({seconds:.0f} s)

  Masuk (sign in): {url}/masuk
    sari   Kominfo engineer, all villages
    budi   operator of {first.name} ({first.village})
    dewi   budget staff of the kabupaten, as ratna; dedi is its auditor
    eko    checks the statements of {first.name}; hana approves, joko pays
  Password of all eight, made for this data folder: {password}

  The wifi of {first.name} as a guest's phone has it: http://{first.router.hotspot_address}/
    one click, or the voucher {voucher}; then the desk of its office: {url}/desa/{first.village}/wifi
    how its router is set up and what changes there, after some minutes: {url}/desa/{first.village}/pengaturan-router

  {parts}

  Metrics for Prometheus: {url}/metrics
  Ctrl-C ends everything.
"""


def _database(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'kampungnet.db'}")
    migrate.migrate(database)
    with database.writes() as db, villages.register_path(REGISTER).open(encoding="utf-8") as lines:
        villages.import_register(db, lines)
    return database


def _people(database: Database, folder: Path, village: str) -> str:
    """Make the demo's people on first use; their password is random and stays in the data folder."""
    file = folder / "password"
    if file.exists():
        return file.read_text().strip()
    password = "-".join(devices.random_code(4).lower() for _ in range(4))
    with database.writes() as db:
        for username, name, role, duty in _PEOPLE:
            scope = _scope(role, duty, village)
            staff.add_staff(db, staff.NewStaff(username, name, role, scope, duty), password)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
        opened.write(password + "\n")
    return password


def signed_in(village: str) -> dict[str, staff.SignedIn]:
    """Return the demo's people as if each had just signed in."""
    return {
        username: staff.SignedIn(username, name, role, _scope(role, duty, village), duty)
        for username, name, role, duty in _PEOPLE
    }


def _scope(role: staff.Role, duty: Duty, village: str) -> staff.Scope:
    return staff.Scope(REGENCY, village if duty or role is staff.Role.OPERATOR else None)


def _filled(database: Database) -> set[str]:
    """Return the sites whose month is there."""
    with database.reads() as db:
        return history.filled(db)


def _live(database: Database) -> int:
    """Count sites with a reading of the last two minutes."""
    recent = select(func.count(Device.site.distinct())).where(Device.last_reading_ms > clock.now_ms() - 120_000)
    with database.reads() as db:
        return db.scalar(recent) or 0


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 -- our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def hold(folder: Path) -> None:
    """Keep other demos off the folder as long as this process lives."""
    try:
        fcntl.flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Unavailable(f"another demo uses {folder}: end it first, or choose another one with DATA=.") from error


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unavailable(f"port {port} is taken: choose another one, for example PORT={port + 1}.") from error


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt
