"""Every table of every slice, so that migrations and tests see them all."""

import importlib
from typing import Final

SLICES: Final = ("villages", "staff", "devices", "measurement", "billing")


def load() -> None:
    """Import the models of all slices."""
    for name in SLICES:
        importlib.import_module(f"kampungnet.{name}.models")
