"""The portal's page files on a router's flash: written beside the old ones, read back, then switched to in one step.

A power cut at any moment leaves the old pages or the new ones, never half of them; a router that does not take them
goes on with what it had. Files over the API: facts on routers 12.8 and on hotspots 9; ``/file/add`` needs RouterOS 7.
"""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from .fields import text
from .portal_rows import FILES, refusals
from .routeros_sentences import encode_command
from .routeros_wire import RouterConnection, Row

FOLDERS: Final = ("kampungnet-a", "kampungnet-b")
LISTED: Final = encode_command(f"{FILES}/print", "=.proplist=.id,name,type,contents")
OLD_VERSION: Final = "RouterOS 6 tidak bisa menerima halaman lewat API: halaman bawaan router dipakai."
"""No fault that could be mended from here: everything else of the portal works."""
READ_TRIES: Final = 5
READ_PAUSE_SECONDS: Final = 0.3
"""A file that was just written cannot be read for a moment."""
_FLASH: Final = "flash"


async def bring(connection: RouterConnection, pages: Mapping[str, str], profile: Row) -> list[str]:
    """Make the pages be those of the portal's profile. Returns what went wrong; then the old pages stay."""
    listed = (await connection.ask([LISTED]))[0]
    if listed.traps:
        return refusals([("Daftar berkas router tidak bisa dibaca", listed)])
    current = text(profile.get(b"html-directory"))
    if holds(listed.rows, current, pages):
        return []
    folder = _next(listed.rows, current)
    problems = await _write(connection, folder, pages, listed.rows)
    if any("no such command" in problem for problem in problems):
        return [OLD_VERSION]
    if problems:
        return [*problems, "Halaman portal yang lama tetap dipakai."]
    again = await _read_back(connection, folder, pages)
    if again is None:
        return ["Router tidak menyimpan halaman portal dengan utuh; halaman yang lama tetap dipakai."]
    switch = encode_command("/ip/hotspot/profile/set", f"=.id={text(profile.get(b'.id'))}", f"=html-directory={folder}")
    replies = await connection.ask([switch])
    if replies[0].traps:
        return refusals([("Router tidak mau memakai halaman portal", replies[0])])
    return await _remove_old(connection, again, folder)


async def remove(connection: RouterConnection) -> None:
    """Take our folders away, when the portal shows its own pages again."""
    listed = (await connection.ask([LISTED]))[0]
    ours = [text(row.get(b".id")) for row in listed.rows if _last(text(row.get(b"name"))) in FOLDERS]
    if ours:
        await connection.ask([encode_command(f"{FILES}/remove", f"=.id={one}") for one in ours])


def holds(rows: Sequence[Row], folder: str, pages: Mapping[str, str]) -> bool:
    """Tell whether a folder of ours has exactly these pages, by their hashes."""
    if _last(folder) not in FOLDERS:
        return False
    start = folder + "/"
    there = {text(row.get(b"name")): row.get(b"contents", b"") for row in rows}
    found = {name.removeprefix(start): digest(content) for name, content in there.items() if name.startswith(start)}
    return all(found.get(name) == digest(content.encode()) for name, content in pages.items())


def digest(content: bytes) -> str:
    """Return the hash of a file's content."""
    return sha256(content).hexdigest()


async def _write(connection: RouterConnection, folder: str, pages: Mapping[str, str], rows: Sequence[Row]) -> list[str]:
    there = {text(row.get(b"name")): text(row.get(b".id")) for row in rows}
    folders = sorted({folder, *(f"{folder}/{name.rpartition('/')[0]}" for name in pages if "/" in name)} - set(there))
    commands = [(one, encode_command(f"{FILES}/add", f"=name={one}", "=type=directory")) for one in folders]
    for name, content in pages.items():
        path = f"{folder}/{name}"
        where = ("set", f"=.id={there[path]}") if path in there else ("add", f"=name={path}")
        commands.append((name, encode_command(f"{FILES}/{where[0]}", where[1], f"=contents={content}")))
    replies = await connection.ask([command for _, command in commands])
    named = (
        (f"Berkas {name} tidak diterima router", reply) for (name, _), reply in zip(commands, replies, strict=True)
    )
    return refusals(named)


async def _read_back(connection: RouterConnection, folder: str, pages: Mapping[str, str]) -> list[Row] | None:
    """Return the files when the pages are among them, byte for byte."""
    for _ in range(READ_TRIES):
        await asyncio.sleep(READ_PAUSE_SECONDS)
        listed = (await connection.ask([LISTED]))[0]
        if holds(listed.rows, folder, pages):
            return listed.rows
    return None


async def _remove_old(connection: RouterConnection, rows: Sequence[Row], folder: str) -> list[str]:
    """Free the flash of the pages before; that it fails is no harm, and is tried again at the next change."""
    old = set(FOLDERS) - {_last(folder)}
    others = [text(row.get(b".id")) for row in rows if old & set(text(row.get(b"name")).split("/")[:-1])]
    if others:
        await connection.ask([encode_command(f"{FILES}/remove", f"=.id={one}") for one in others])
    return []


def _next(rows: Sequence[Row], current: str) -> str:
    """Return the folder that is not in use; boards with a ``flash`` folder lose all else at a restart."""
    names = {text(row.get(b"name")) for row in rows}
    inside = f"{_FLASH}/" if _FLASH in names or any(name.startswith(f"{_FLASH}/") for name in names) else ""
    return inside + (FOLDERS[1] if _last(current) == FOLDERS[0] else FOLDERS[0])


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]
