"""What the commands of a slice are made of; :mod:`kampungnet.cli` puts them together."""

import argparse
from collections.abc import Callable
from typing import Protocol

from kampungnet.core.database import Database

Command = Callable[[argparse.Namespace], None]
Open = Callable[[argparse.Namespace], Database]
"""Opens the database that the options name."""


class Add(Protocol):
    """Adds a command to the command line."""

    def __call__(self, name: str, run: Command, text: str) -> argparse.ArgumentParser:
        """Return its parser, to which arguments are added."""
