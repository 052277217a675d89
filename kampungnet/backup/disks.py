"""Which disks a file system lies on, as the kernel says it (sysfs: ``/sys/dev/block``, ``partition``, ``slaves``)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_KNOWN: Final = Path("/sys/dev/block")


def below(device: int, known: Path = _KNOWN) -> frozenset[Path]:
    """Return the disks below a file system, known by its ``st_dev``: below partitions, volumes and mirrors.

    Empty for what has no disk that the kernel could name: one of another machine, one in memory, Btrfs and ZFS.
    """
    place = known / f"{os.major(device)}:{os.minor(device)}"
    return frozenset(_whole(place.resolve())) if place.exists() else frozenset()


def _whole(block: Path) -> Iterator[Path]:
    disk = block.parent if (block / "partition").exists() else block
    parts = [one.resolve() for one in (disk / "slaves").glob("*")]
    for one in parts:
        yield from _whole(one)
    if not parts:
        yield disk
