"""Names of files that must survive a power cut."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names that appeared or vanished in a folder durable. Raises ``OSError``."""
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
