"""The portal's page files on a router's flash: written beside the old ones, read back, then switched to in one step.

A power cut at any moment leaves the old pages or the new ones, never half of them; a router that does not take them
goes on with what it had. Files over the API: facts on routers 12.8 and on hotspots 9. ``/file/add`` needs RouterOS 7;
version 6 gets the files from the box by itself, and shows no more than 4 KB of one: there a mark that came last says
which pages it got.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from .fields import text
from .portal_offer import offered
from .portal_rows import FILES, refusals
from .routeros_sentences import Row, encode_command
from .routeros_wire import RouterConnection

FOLDERS: Final = ("kampungnet-a", "kampungnet-b")
LISTED: Final = encode_command(f"{FILES}/print", "=.proplist=.id,name,type")
MARK: Final = "kampungnet.txt"
FETCH_SECONDS: Final = 60.0
READ_TRIES: Final = 5
READ_PAUSE_SECONDS: Final = 0.3
"""A file that was just written cannot be read for a moment."""
_FLASH: Final = "flash"


async def bring(connection: RouterConnection, pages: Mapping[str, str], profile: Row) -> tuple[list[str], int]:
    """Make the pages be those of the portal's profile.

    Returns what went wrong (then the old pages stay) and how many files were brought.
    """
    listed = (await connection.ask([LISTED]))[0]
    if listed.traps:
        return refusals([("Daftar berkas router tidak bisa dibaca", listed)]), 0
    current = text(profile.get(b"html-directory"))
    if _last(current) in FOLDERS and await _holds(connection, current, pages):
        return [], 0
    problems = await _replace(connection, pages, profile, listed.rows)
    return problems, 0 if problems else len(pages)


async def _replace(
    connection: RouterConnection, pages: Mapping[str, str], profile: Row, there: Sequence[Row]
) -> list[str]:
    current = text(profile.get(b"html-directory"))
    folder = _next(there, current)
    problems = await _write(connection, folder, pages, there)
    if any("no such command" in problem for problem in problems):
        problems = await _fetch(connection, folder, pages)
    if problems:
        return [*problems, "Halaman portal yang lama tetap dipakai."]
    if not await _reads_back(connection, folder, pages):
        return ["Router tidak menyimpan halaman portal dengan utuh; halaman yang lama tetap dipakai."]
    switch = encode_command("/ip/hotspot/profile/set", f"=.id={text(profile.get(b'.id'))}", f"=html-directory={folder}")
    replies = await connection.ask([switch])
    if replies[0].traps:
        return refusals([("Router tidak mau memakai halaman portal", replies[0])])
    await _remove_folders(connection, set(FOLDERS) - {_last(folder)})
    return []


async def remove(connection: RouterConnection) -> None:
    """Take our folders away, when the portal shows its own pages again."""
    await _remove_folders(connection, set(FOLDERS))


async def _remove_folders(connection: RouterConnection, folders: set[str]) -> None:
    """Free the flash. That it fails is no harm, and is tried again at the next change."""
    listed = (await connection.ask([LISTED]))[0]
    ours = [text(row.get(b".id")) for row in listed.rows if _last(text(row.get(b"name"))) in folders]
    if ours:
        await connection.ask([encode_command(f"{FILES}/remove", f"=.id={one}") for one in ours])


async def _contents(connection: RouterConnection, folder: str, pages: Mapping[str, str]) -> list[Row]:
    """Ask what stands in our own pages; other files of a router, such as exports, are nobody's business here."""
    names = [f"?name={folder}/{name}" for name in (*pages, MARK)]
    words = ("=.proplist=name,size,contents", *names, *["?#|"] * len(pages))
    return (await connection.ask([encode_command(f"{FILES}/print", *words)]))[0].rows


async def _holds(connection: RouterConnection, folder: str, pages: Mapping[str, str]) -> bool:
    """Tell whether a folder has these pages, byte for byte as far as the router shows them."""
    rows = {text(row.get(b"name")): row for row in await _contents(connection, folder, pages)}
    is_marked = rows.get(f"{folder}/{MARK}", {}).get(b"contents", b"").decode("latin-1") == _mark(pages)

    def is_there(name: str, content: bytes) -> bool:
        row = rows.get(f"{folder}/{name}", {})
        shown = row.get(b"contents", b"")
        is_start = content.startswith(shown) and row.get(b"size") == str(len(content)).encode()
        return shown == content or (is_marked and is_start)

    return all(is_there(name, content.encode()) for name, content in pages.items())


def _mark(pages: Mapping[str, str]) -> str:
    return sha256(repr(sorted(pages.items())).encode()).hexdigest()


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


async def _fetch(connection: RouterConnection, folder: str, pages: Mapping[str, str]) -> list[str]:
    """Let the router get the pages from this box; the mark comes when all of them are there."""
    try:
        async with offered({**pages, MARK: _mark(pages)}, connection.own_address) as url:
            return await _get(connection, folder, url, pages) or await _get(connection, folder, url, [MARK])
    except OSError as error:
        return [f"Kotak tidak bisa menyediakan halaman untuk router: {error}."]


async def _get(connection: RouterConnection, folder: str, url: str, names: Iterable[str]) -> list[str]:
    commands = {
        name: encode_command("/tool/fetch", f"=url={url}/{name}", f"=dst-path={folder}/{name}") for name in names
    }
    replies = await connection.ask(commands.values(), FETCH_SECONDS)
    sentence = "Router tidak bisa mengambil {} dari kotak (akunnya perlu hak test)"
    return refusals((sentence.format(name), reply) for name, reply in zip(commands, replies, strict=True))


async def _reads_back(connection: RouterConnection, folder: str, pages: Mapping[str, str]) -> bool:
    """Tell whether the pages stand on the router, byte for byte."""
    for _ in range(READ_TRIES):
        await asyncio.sleep(READ_PAUSE_SECONDS)
        if await _holds(connection, folder, pages):
            return True
    return False


def _next(rows: Sequence[Row], current: str) -> str:
    """Return the folder that is not in use; boards with a ``flash`` folder lose all else at a restart."""
    names = {text(row.get(b"name")) for row in rows}
    inside = f"{_FLASH}/" if _FLASH in names or any(name.startswith(f"{_FLASH}/") for name in names) else ""
    return inside + (FOLDERS[1] if _last(current) == FOLDERS[0] else FOLDERS[0])


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]
