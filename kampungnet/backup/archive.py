"""The form of a backup file: the copy of the database, then its manifest as JSON, then 98 bytes that lead back to it.

The copy comes first and is what the database's own tools know: `sqlite3` opens the file as it is, `pg_restore` reads
it as it is. So a backup helps also where this program does not run.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from kampungnet.core.errors import BadInput

MAGIC: Final = b"KAMPUNGNET-BACKUP-1 "
_END_BYTES: Final = len(MAGIC) + 12 + 1 + 64 + 1
"""Magic, length of the manifest, its SHA-256, a new line."""
BLOCK: Final = 1 << 20
_MOST_MANIFEST: Final = 1 << 16


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    made_ms: int
    program: str
    """Version of this program."""
    kind: str
    """``sqlite`` or ``postgresql``."""
    engine: str
    """Version of the database server or library."""
    revision: str
    """Version of the tables."""
    copy_bytes: int
    copy_sha256: str
    key_names: list[str]
    """By which the keys are known that open the secrets in it, newest first."""
    keys: list[str] = []
    """The keys themselves, where that was asked for."""


def seal(file: Path, manifest: Manifest) -> None:
    """Put the manifest behind the copy and bring both to disk."""
    said = msgspec.json.encode(manifest)
    end = MAGIC + f"{len(said):012} {hashlib.sha256(said).hexdigest()}\n".encode()
    with file.open("ab") as out:
        out.write(said + end)
        out.flush()
        os.fsync(out.fileno())


def manifest_of(file: Path) -> Manifest:
    """Return what a backup says of itself. Raises ``BadInput`` for anything that is no whole backup."""
    with file.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        source.seek(max(0, size - _END_BYTES))
        end = source.read()
        if len(end) != _END_BYTES or not end.startswith(MAGIC):
            raise BadInput(f"{file} is no whole backup of KampungNet: its end is missing. Take another one.")
        length, digest = end[len(MAGIC) :].split()
        start = size - _END_BYTES - int(length) if length.isdigit() else -1
        if start < 0 or int(length) > _MOST_MANIFEST:
            raise _damaged(file)
        source.seek(start)
        said = source.read(int(length))
    if hashlib.sha256(said).hexdigest().encode() != digest:
        raise _damaged(file)
    manifest = msgspec.json.decode(said, type=Manifest)
    if manifest.copy_bytes != start:
        raise _damaged(file)
    return manifest


def check(file: Path, manifest: Manifest, write: Callable[[bytes], object] = lambda _: None) -> None:
    """Compare the copy with its hash, and hand it on block by block. Raises ``BadInput`` when it is not the same."""
    with file.open("rb") as source:
        if digest_of(source, manifest.copy_bytes, write) != manifest.copy_sha256:
            raise _damaged(file)


def digest_of(source: BinaryIO, number: int, write: Callable[[bytes], object] = lambda _: None) -> str:
    """Return the SHA-256 of the next ``number`` bytes, and hand them on."""
    digest = hashlib.sha256()
    while number and (block := source.read(min(BLOCK, number))):
        digest.update(block)
        write(block)
        number -= len(block)
    return digest.hexdigest()


@contextmanager
def digesting(file: Path) -> Iterator[Future[str]]:
    """Hash a file that is written and bring it to disk, while the block looks at it in other ways.

    Raises ``OSError`` after the block when it did not reach the disk.
    """
    with file.open("rb") as source, ThreadPoolExecutor(2, "backup") as beside:
        on_disk = beside.submit(os.fsync, source.fileno())
        yield beside.submit(digest_of, source, file.stat().st_size)
        on_disk.result()


def _damaged(file: Path) -> BadInput:
    return BadInput(f"{file} is damaged: its content is not what its manifest says. Take another backup.")
