"""Makes a router so: reads its tables, sends the fewest commands, ends sessions, and reads again whether it holds."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from kampungnet.shared.wanted import WantedPortal

from . import portal_pages
from .fields import text
from .portal_changes import Change, changes, differing
from .portal_memory import BEFORE, PASSWORDS, PortalMemory
from .portal_rows import ACTIVE, COOKIES, SERVER_PROFILES, SERVERS, profile_row, refusals, tables, totals
from .portal_target import TABLES, USERS, Around, Online, Properties, Target, target
from .routeros_sentences import encode_command
from .routeros_wire import RouterConnection, Row

COMMANDS_A_ROUND = 100
"""In flight together; more would only fill the router's memory."""
MOST_SENTENCES = 40


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


async def make_so(connection: RouterConnection, memory: PortalMemory, wanted: WantedPortal, around: Around) -> Made:
    """Bring one router to what is wanted at this moment. Raises foreign errors when the line breaks."""
    found = await tables(connection, (*TABLES, SERVERS, SERVER_PROFILES))
    wants = target(wanted, around._replace(counters=totals(found[USERS])))
    todo = [*changes(wants.tables, found), *_passwords(wants, found, memory)]
    problems = await _carry_out(connection, todo)
    problems += await _settings(connection, memory, wants, found)
    _, profile = profile_row(found)
    if wanted.managed and profile and wanted.pages:
        problems += await portal_pages.bring(connection, {one.name: one.content for one in wanted.pages}, profile)
    ended = await _end(connection, wants.ended, around.online)
    _remember_passwords(wants, memory, [one for one in problems if one != portal_pages.OLD_VERSION])
    if todo or problems:
        again = await tables(connection, TABLES)
        left = changes(wants.tables, again)
        problems += [f"Router tidak menyimpan {_sentence(one)}." for one in left if not problems]
    holds = not set(problems) - {portal_pages.OLD_VERSION}
    return Made(holds, problems[:MOST_SENTENCES], [_sentence(one) for one in todo], ended, _print(wants))


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
    kept = memory.note(BEFORE)
    wanted: Properties = wants.portal
    if wanted and kept is None:
        before = {name: text(profile.get(name.encode())) for name in (*wanted, "html-directory", "trial-user-profile")}
        with memory.look():
            memory.write_note(BEFORE, msgspec.json.encode(before))
    elif not wanted:
        if kept is None:
            return []
        wanted = {name: value for name, value in msgspec.json.decode(kept, type=Properties).items() if value}
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


async def _end(connection: RouterConnection, ended: Mapping[str, str], online: Sequence[Online]) -> dict[str, str]:
    """End sessions: the active row goes, and the cookies by which the device would come straight back."""
    who = {one.session: one for one in online if one.session in ended}
    if not who:
        return {}
    found = await tables(connection, (ACTIVE, COOKIES))
    commands = []
    for one in who.values():
        rows = [
            row
            for row in found[ACTIVE]
            if (text(row.get(b"user")), text(row.get(b"address"))) == (one.user, one.address)
        ]
        commands += [encode_command(f"{ACTIVE}/remove", f"=.id={text(row.get(b'.id'))}") for row in rows]
        macs = {row.get(b"mac-address") for row in rows}
        cookies = [row for row in found[COOKIES] if row.get(b"mac-address") in macs]
        commands += [encode_command(f"{COOKIES}/remove", f"=.id={text(row.get(b'.id'))}") for row in cookies]
    if commands:
        await connection.ask(commands)
    return {session: ended[session] for session in who}


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


def _remember_passwords(wants: Target, memory: PortalMemory, problems: list[str]) -> None:
    now = {key: _digest(row["password"]) for key, row in wants.tables[USERS].items() if row["password"]}
    if not problems and now != _sent(memory):
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
    return f"{change.menu.removeprefix('/ip/hotspot/').removeprefix('/')} {change.key}: {what}"
