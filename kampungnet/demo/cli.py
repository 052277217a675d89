"""The command ``kampungnet demo``."""

import argparse
from pathlib import Path

from kampungnet.core.commands import Add, number, port
from kampungnet.demo import run


def add_commands(add: Add) -> None:
    """Add the command."""
    one = add("demo", _demo, database=False)
    one.add_argument("--port", type=port, default=8080, help="port of the pages (default: %(default)s)")
    one.add_argument("--data", default="data/demo", help="folder for everything it writes (default: %(default)s)")
    one.add_argument(
        "--villages", type=number, default=12, help="how many villages are simulated (default: %(default)s)"
    )


def _demo(options: argparse.Namespace) -> None:
    run.run(options.port, Path(options.data), options.villages, lambda text: print(text, flush=True))
