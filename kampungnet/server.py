"""Runs the application with uvicorn until it is told to stop."""

import logging
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
    config = uvicorn.Config(
        Server(database), host=host, port=port, log_config=None, access_log=False, server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS, timeout_graceful_shutdown=5, backlog=BACKLOG, loop="uvloop",
        http="httptools", proxy_headers=True, forwarded_allow_ips="127.0.0.1",
    )  # fmt: skip
    try:
        uvicorn.Server(config).run()
    except SystemExit as ended:  # uvicorn's own way to say that it could not start
        raise Unavailable(f"The server could not listen on {host}, port {port}: the line above says why.") from ended
    finally:
        database.close()
