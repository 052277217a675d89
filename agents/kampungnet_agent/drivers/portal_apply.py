"""Makes a router so: reads its tables, sends the fewest commands, ends sessions, and reads again whether it holds."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from kampungnet.shared.wanted import WantedPortal

from . import portal_guard, portal_pages
from .fields import text
from .portal_changes import Change, changes, differing
from .portal_memory import BEFORE, PASSWORDS, PortalMemory
from .portal_rows import ACTIVE, COOKIES, SERVER_PROFILES, SERVERS, profile_row, refusals, tables, totals
from .portal_target import (
    GARDEN,
    OWNER,
    PREFIX,
    QUEUES,
    TABLES,
    USERS,
    Around,
    Online,
    Properties,
    Target,
    target,
)
from .routeros_sentences import Row, encode_command
from .routeros_wire import RouterConnection

COMMANDS_A_ROUND = 100
"""In flight together; more would only fill the router's memory."""
MOST_SENTENCES = 40
_FOREIGN: Final = (
    "Router ini sudah diurus kotak desa lain ({0}), jadi tidak ada yang diubah. Periksa alamat router di setelan "
    "kotak; jika router ini memang pindah desa, hapus baris walled-garden berkomentar “kampungnet:owner {0}”."
)
_PASSED_BY: Final = (
    "Pembatas tebakan di halaman masuk tidak bekerja: aturan lain di rantai firewall pre-hs-input meloloskan semua "
    "orang lebih dulu. Pindahkan aturan itu ke bawah aturan berkomentar “kampungnet:tries”, atau hapus."
)
_RULED: Final = (*TABLES, portal_guard.FILTER)
FIRST: Final = {"html-directory": "hotspot", "trial-user-profile": "default"}
"""What a new hotspot profile has."""


class Made(NamedTuple):
    """What came of it."""

    holds: bool
    """The router has everything now, by its own word."""
    problems: list[str]
    changed: list[str]
    """What had to be changed, for the list of drift."""
    ended: dict[str, str]
    """Sessions that were ended, with the reason."""
    print: str
    """Stands for the target: the same again, and every change is somebody else's doing."""
    held: int | None = None
    """Knocks at the login page that came too quickly, since the router started."""
    touched: int = 0
    """Rows that were changed, and files that were brought."""


async def make_so(connection: RouterConnection, memory: PortalMemory, wanted: WantedPortal, around: Around) -> Made:
    """Bring one router to what is wanted at this moment. Raises foreign errors when the line breaks."""
    found = await tables(connection, (*_RULED, SERVERS, SERVER_PROFILES, portal_guard.HELD))
    if stranger := _other_owner(wanted.place, found[GARDEN]):
        return Made(not wanted.managed, [_FOREIGN.format(stranger)] if wanted.managed else [], [], {}, "")
    wants = target(wanted, around._replace(counters=totals(found[USERS])))
    todo = [*changes(wants.tables, found), *_passwords(wants, found, memory)]
    problems = await _carry_out(connection, todo)
    if not problems:
        _remember_passwords(wants, memory)
    problems += await _settings(connection, memory, wants, found)
    _, profile = profile_row(found)
    brought = 0
    if wanted.managed and profile and wanted.pages:
        pages = {one.name: one.content for one in wanted.pages}
        refused, brought = await portal_pages.bring(connection, pages, profile)
        problems += refused
    ended, refused = await _end(connection, wants.ended, around.online)
    problems += refused
    if todo or problems:
        found |= await tables(connection, _RULED)
        left = changes(wants.tables, found)
        problems += [f"Router tidak menyimpan {_sentence(one)}." for one in left if not problems]
    if wanted.managed and wanted.tries and portal_guard.passed_by(found[portal_guard.FILTER]):
        problems.append(_PASSED_BY)
    changed = [_sentence(one) for one in todo[:MOST_SENTENCES]]
    return Made(
        not problems,
        problems[:MOST_SENTENCES],
        changed,
        ended,
        _print(wants),
        portal_guard.held(found[portal_guard.HELD]),
        len(todo) + brought,
    )


def _other_owner(place: str, garden: Sequence[Row]) -> str:
    """Return whose router this is, if it is another place's: two boxes would take each other's rows away for ever."""
    marks = (text(row.get(b"comment")) for row in garden)
    owners = (mark.removeprefix(OWNER) for mark in marks if mark.startswith(OWNER))
    return next((owner for owner in owners if place and owner != place), "")


async def _carry_out(connection: RouterConnection, todo: Sequence[Change]) -> list[str]:
    problems: list[str] = []
    for start in range(0, len(todo), COMMANDS_A_ROUND):
        some = todo[start : start + COMMANDS_A_ROUND]
        connection.begin_poll()
        replies = await connection.ask([encode_command(*one.words()) for one in some])
        problems += refusals(
            (f"Router menolak {_sentence(one)}", reply) for one, reply in zip(some, replies, strict=True)
        )
    return problems


async def _settings(
    connection: RouterConnection, memory: PortalMemory, wants: Target, found: Mapping[str, Sequence[Row]]
) -> list[str]:
    """Set what the portal's profile has to say; when it is managed no more, put back what stood there before."""
    _, profile = profile_row(found)
    if not profile:
        return ["Router belum punya hotspot: buat dulu dengan /ip hotspot setup."] if wants.portal else []
    kept, name = _before(memory), text(profile.get(b"name"))
    wanted: Properties = wants.portal
    if wanted and name not in kept:
        with memory.look():
            memory.write_note(BEFORE, msgspec.json.encode(kept | {name: _stood_there(profile, wanted)}))
    elif not wanted:
        if name not in kept:
            return []
        wanted = {key: value for key, value in kept[name].items() if value}
    if other := differing(wanted, profile):
        words = (f"={name}={value}" for name, value in other.items())
        command = encode_command(f"{SERVER_PROFILES}/set", f"=.id={text(profile.get(b'.id'))}", *words)
        replies = await connection.ask([command])
        if replies[0].traps:
            return refusals([("Router menolak pengaturan portal", replies[0])])
    if not wants.portal:
        await portal_pages.remove(connection)
        with memory.look():
            memory.forget_note(BEFORE)
    return []


def _before(memory: PortalMemory) -> dict[str, Properties]:
    """Return what stood in profiles of hotspots before they were managed, by the profile's name."""
    kept = memory.note(BEFORE)
    return msgspec.json.decode(kept, type=dict[str, Properties]) if kept else {}


def _stood_there(profile: Row, wanted: Properties) -> Properties:
    """Return what to put back. Where ours stands already (this box's card is new) that is what routers begin with."""
    before = {key: text(profile.get(key.encode())) for key in (*wanted, *FIRST)}
    return {key: FIRST[key] if key in FIRST and _is_ours(value) else value for key, value in before.items()}


def _is_ours(value: str) -> bool:
    return value.rpartition("/")[2] in portal_pages.FOLDERS or value.startswith(PREFIX)


async def _end(
    connection: RouterConnection, ended: Mapping[str, str], online: Sequence[Online]
) -> tuple[dict[str, str], list[str]]:
    """End sessions: the active row goes, and the cookies by which the device would come straight back.

    Returns those that were ended, with the reason, and what the router refused.
    """
    who = {one.session: one for one in online if one.session in ended}
    if not who:
        return {}, []
    found = await tables(connection, (ACTIVE, COOKIES))
    rows = [row for one in who.values() for row in found[ACTIVE] if _is(row, one)]
    replies = await connection.ask(
        [encode_command(f"{ACTIVE}/remove", f"=.id={text(row.get(b'.id'))}") for row in rows]
    )
    macs = {row.get(b"mac-address") for row in rows}
    cookies = [text(row.get(b".id")) for row in found[COOKIES] if row.get(b"mac-address") in macs]
    # Some went with the session already; what is left of them goes now.
    await connection.ask([encode_command(f"{COOKIES}/remove", f"=.id={one}") for one in cookies])
    refused = refusals(("Router tidak mau memutuskan sesi", reply) for reply in replies)
    return ({} if refused else {session: ended[session] for session in who}), refused


def _is(row: Row, one: Online) -> bool:
    return (text(row.get(b"user")), text(row.get(b"address"))) == (one.user, one.address)


def _passwords(wants: Target, found: Mapping[str, Sequence[Row]], memory: PortalMemory) -> list[Change]:
    """Return the passwords that are others than those sent last; the router does not give them back."""
    sent = _sent(memory)
    there = {text(row.get(b"comment")): text(row.get(b".id")) for row in found[USERS]}
    return [
        Change(USERS, "set", key, there[key], {"password": row["password"]})
        for key, row in wants.tables[USERS].items()
        if key in there and sent.get(key, _digest("")) != _digest(row["password"])
    ]


def _remember_passwords(wants: Target, memory: PortalMemory) -> None:
    now = {key: _digest(row["password"]) for key, row in wants.tables[USERS].items() if row["password"]}
    if now != _sent(memory):
        with memory.look():
            memory.write_note(PASSWORDS, msgspec.json.encode(now))


def _sent(memory: PortalMemory) -> dict[str, str]:
    kept = memory.note(PASSWORDS)
    return msgspec.json.decode(kept, type=dict[str, str]) if kept else {}


def _digest(password: str) -> str:
    return sha256(f"kampungnet {password}".encode()).hexdigest()[:16]


def _print(wants: Target) -> str:
    return sha256(msgspec.json.encode((wants.tables, wants.portal))).hexdigest()


def _sentence(change: Change) -> str:
    """Return a change in words that name the row and the properties, never a code or a password."""
    what = ", ".join(sorted(set(change.properties) - {"name", "comment", "password"})) or change.verb
    key = "" if change.menu == QUEUES else f" {change.key}"  # a queue's key is a guest's pseudonym
    return f"{change.menu.removeprefix('/ip/hotspot/').removeprefix('/')}{key}: {what}"
