"""Runs the application with uvicorn until it is told to stop: one process, or a crew that shares the port."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import uvicorn

from kampungnet import settings
from kampungnet.app import Server
from kampungnet.core import patience, sight
from kampungnet.core.collector import rest_the_collector
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.core.pulse import EVERY_SECONDS, Pulse
from kampungnet.core.tally import Tally
from kampungnet.ingest.lane import ReportLane
from kampungnet.shared import service_manager

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than an agent's minute, so that its connection lasts from report to report."""
BACKLOG: Final = 2048
MOST_PROCESSES: Final = 16
SHORT_LIFE_SECONDS: Final = 5
"""A process that ends sooner has met something that its successor will meet as well."""
PAUSE_SECONDS: Final = 1.0

_TOLD: Final = (signal.SIGTERM, signal.SIGINT)

Open = Callable[[], Database]
Beat = Callable[[], None]
"""What the event loop calls every second."""


def serve(open_database: Open, host: str, port: int, processes: int = 1) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first.

    With several ``processes`` each has its own socket on the same port, and the kernel shares connections out.
    Raises ``BadInput`` naming the first setting that is wrong, ``Unavailable`` when nobody can live.
    """
    settings.check(os.environ)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    if processes == 1:
        database = open_database()
        _tell_of_a_missing_wall(database)
        rest_the_collector()
        pulse = Pulse()

        def beat() -> None:
            pulse.beat(0)
            pulse.tell()

        _run(Server(database), _listening(host, port), database, beat)
        return
    with closing(open_database()) as database:  # says now what is wrong with it; makes or migrates the embedded one
        _tell_of_a_missing_wall(database)
    _listening(host, port).close()  # somebody else's port would otherwise be shared with them
    rest_the_collector()
    _Crew(open_database, [_listening(host, port, shared=True) for _ in range(processes)]).run()


def _tell_of_a_missing_wall(database: Database) -> None:
    with database.reads() as db:
        role = sight.bypassed_by(db)
    if role:
        log.warning("%s", sight.bypass_sentence(role))


class Web(uvicorn.Server):
    """Waits for no client without an end, and says that the end has begun when it has."""

    async def on_tick(self, counter: int) -> bool:
        """Look once a second who keeps us waiting; uvicorn calls this ten times as often."""
        if counter % 10 == 0:
            patience.look_at(self.server_state.connections)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell it, then let the requests under way finish."""
        service_manager.tell(service_manager.STOPPING)
        await super().shutdown(sockets)


def _run(server: Server, listening: socket.socket, database: Database, beat: Beat, lifeline: int | None = None) -> None:
    web_config = web_settings(server)

    async def beats() -> None:
        beat()

    web_config.callback_notify, web_config.timeout_notify = beats, 0  # uvicorn looks once a second
    web = Web(web_config)
    server.ending = lambda: web.should_exit
    if lifeline is not None:
        threading.Thread(target=_end_with_the_first, args=(web, lifeline), name="lifeline", daemon=True).start()
    try:
        web.run(sockets=[listening])
    finally:
        listening.close()
        database.close()


def web_settings(server: Server) -> uvicorn.Config:
    """Return how the application is served."""
    return uvicorn.Config(
        server, log_config=None, access_log=False, server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=5, loop="uvloop",
        http=ReportLane, proxy_headers=True, forwarded_allow_ips="127.0.0.1",
    )  # fmt: skip


def _end_with_the_first(web: uvicorn.Server, lifeline: int) -> None:
    """Stop when the process that began us is gone, by kill -9 too: then its end of the pipe closes."""
    os.read(lifeline, 1)
    web.should_exit = True


def _listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=BACKLOG, reuse_port=shared)
    except (OSError, OverflowError) as error:
        raise Unavailable(f"Nobody can listen on {host}, port {port}: {error}. Choose another --port.") from error


class _Crew:
    """The first process: it forks the others, begins anew whoever dies, and ends all of them."""

    def __init__(self, open_database: Open, sockets: list[socket.socket]) -> None:
        self._open, self._sockets = open_database, sockets
        self._tally, self._pulse = Tally(len(sockets)), Pulse(len(sockets))
        self._places: dict[int, tuple[int, float]] = {}
        """Process to its place in the crew and when it began."""
        self._stopping = False
        self._lifeline = os.pipe()

    def run(self) -> None:
        """Watch over the crew until the last one ended. Raises ``Unavailable`` when nobody can live."""
        for told in _TOLD:
            signal.signal(told, self._stop)
        for place in range(len(self._sockets)):
            self._fork(place)
        # A timer interrupts the wait for children; a thread would be in the way of forking. Children have no timer.
        signal.signal(signal.SIGALRM, lambda *_: self._pulse.tell())
        signal.setitimer(signal.ITIMER_REAL, EVERY_SECONDS, EVERY_SECONDS)
        try:
            failed = self._watch()
        finally:  # while Python ends nobody answers the signal any more, and it would kill us
            signal.setitimer(signal.ITIMER_REAL, 0)
        if failed:
            raise Unavailable("A server process ended at once: the lines above say why.")

    def _watch(self) -> bool:
        """Return when the last one ended, and say whether one could not live."""
        failed = False
        while self._places:
            pid, status = os.wait()
            place, began = self._places.pop(pid)
            if self._stopping:
                continue
            log.error("server process %d ended with %s", place + 1, os.waitstatus_to_exitcode(status))
            if time.monotonic() - began < SHORT_LIFE_SECONDS:
                failed = True
                self._stop()
            else:
                time.sleep(PAUSE_SECONDS)
            if not self._stopping:
                self._pulse.beat(place)  # it has the usual time to begin
                self._fork(place)
        return failed

    def _fork(self, place: int) -> None:
        # Until it is in the books here, and has its own answer to signals there, none may arrive.
        signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
        pid = os.fork()
        if not pid:
            self._serve(place)
            raise SystemExit(0)
        self._places[pid] = place, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)

    def _serve(self, place: int) -> None:
        os.environ.pop("NOTIFY_SOCKET", None)  # the first process speaks for all
        for told in _TOLD:
            signal.signal(told, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD)
        os.close(self._lifeline[1])
        for other, listening in enumerate(self._sockets):
            if other != place:
                listening.close()
        self._tally.take_row(place)
        database = self._open()
        server = Server(database, upkeep=place == 0, tally=self._tally)  # packing and forgetting is work for one
        _run(server, self._sockets[place], database, lambda: self._pulse.beat(place), self._lifeline[0])

    def _stop(self, *_: object) -> None:
        if not self._stopping:
            service_manager.tell(service_manager.STOPPING)
        self._stopping = True
        for pid in self._places:
            os.kill(pid, signal.SIGTERM)
