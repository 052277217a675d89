"""The command ``kampungnet serve``."""

import argparse
import os

from kampungnet.core.commands import Add, open_database, port
from kampungnet.server import MOST_PROCESSES, serve


def add_commands(add: Add) -> None:
    """Add the command."""
    one = add("serve", _serve)
    one.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    one.add_argument("--port", type=port, default=8080, help="port to listen on (default: %(default)s)")
    one.add_argument(
        "--processes", type=_processes, default=min(4, os.cpu_count() or 1),
        help="how many processes share the work (default: one a core, at most 4; here %(default)s)",
    )  # fmt: skip


def _processes(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_PROCESSES:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {MOST_PROCESSES}")
    return int(text)


def _serve(options: argparse.Namespace) -> None:
    serve(lambda: open_database(options), options.host, options.port, options.processes)
