"""Runs the application with uvicorn until it is told to stop."""

import gc
import logging
import socket
from typing import Final

import uvicorn

from kampungnet.app import Server
from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than an agent's minute, so that its connection lasts from report to report."""
BACKLOG: Final = 2048


def serve(database: Database, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    log = logging.getLogger("uvicorn.error")
    log.setLevel(logging.WARNING)
    try:
        listening = socket.create_server((host, port), backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise Unavailable(f"Nobody can listen on {host}, port {port}: {error}. Choose another --port.") from error
    config = uvicorn.Config(
        Server(database), log_config=None, access_log=False, server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=5, loop="uvloop",
        http="httptools", proxy_headers=True, forwarded_allow_ips="127.0.0.1",
    )  # fmt: skip
    _rest_the_collector()
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()
        database.close()


def _rest_the_collector() -> None:
    """Let Python look for cycles rarely: reports make none, and looking took up to 40 % of the time to store them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
