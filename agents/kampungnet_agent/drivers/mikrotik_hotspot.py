"""The captive portal: servers, guests, users, their queues and RADIUS servers. Pure."""

from collections.abc import Sequence
from typing import Final

from kampungnet.shared.wire import HotspotGuest, HotspotServer, HotspotUser, Queue, RadiusServer

from .fields import count, milliseconds, pair, seconds, text
from .mikrotik_answers import Answers, Made, made_of, name_of
from .mikrotik_questions import Question, server_questions
from .routeros_sentences import Row

MOST_SERVERS: Final = 32
MOST_SERVERS_COUNTED: Final = 8
MOST_RADIUS: Final = 8
_YES: Final = frozenset({b"true", b"yes"})


def servers_of(answers: Answers) -> list[HotspotServer]:
    """Return the captive portals; a single one has all sessions and hosts, several are counted each."""
    rows = answers.limited("hotspot servers", answers.rows("hotspot servers"), MOST_SERVERS)
    return [_server(answers, row, alone=len(rows) == 1) for row in rows]


def _server(answers: Answers, row: Row, *, alone: bool) -> HotspotServer:
    name = name_of(row)
    return HotspotServer(
        name=name,
        interface=text(row.get(b"interface")),
        profile=text(row.get(b"profile")),
        disabled=row.get(b"disabled") in _YES,
        invalid=row.get(b"invalid") in _YES,
        sessions=answers.number("hotspot sessions" if alone else f"sessions of {name}"),
        hosts=answers.number("hotspot hosts" if alone else f"hosts of {name}"),
    )


def questions_about_servers(rows: Sequence[Row]) -> list[Question]:
    """Return the counts to ask where there are several captive portals."""
    names = [text(row.get(b"name")) for row in rows if row.get(b"name")] if len(rows) > 1 else []
    return [question for name in names[:MOST_SERVERS_COUNTED] for question in server_questions(name)]


def guests_of(answers: Answers) -> list[HotspotGuest]:
    """Return who is logged in. In is from the guest, out is to the guest (facts 8)."""
    guests = []
    for row in answers.limited("guests", answers.rows("guests"), 300):
        get = row.get
        guest = HotspotGuest(
            user=text(get(b"user")),
            mac=text(get(b"mac-address")),
            server=text(get(b"server")),
            login_by=text(get(b"login-by")),
            uptime_seconds=seconds(get(b"uptime")),
            idle_seconds=seconds(get(b"idle-time")),
            up_bytes=count(get(b"bytes-in")),
            down_bytes=count(get(b"bytes-out")),
        )
        guests.append(guest)
    return guests


def users_of(answers: Answers, made: Made[HotspotUser]) -> list[HotspotUser]:
    """Return the router's own users."""
    rows = answers.limited("users", answers.rows("users"), 400)
    return made_of(rows, _user, made) if rows else []


def _user(row: Row) -> HotspotUser:
    """Return one user. Names stay text, a limit of 0 is none."""
    get = row.get
    return HotspotUser(
        name=text(get(b"name")),
        profile=text(get(b"profile")),
        server=text(get(b"server")),
        disabled=get(b"disabled") in _YES,
        comment=text(get(b"comment")),
        uptime_seconds=seconds(get(b"uptime")),
        limit_uptime_seconds=seconds(get(b"limit-uptime")) or None,
        limit_bytes=count(get(b"limit-bytes-total")) or None,
        up_bytes=count(get(b"bytes-in")),
        down_bytes=count(get(b"bytes-out")),
    )


def queues_of(answers: Answers) -> list[Queue]:
    """Return the simple queues; pairs are up/down as the target sees it, a limit of 0 is none (facts 7.9)."""
    return [_queue(row) for row in answers.limited("queues", answers.rows("queues"), 200)]


def _queue(row: Row) -> Queue:
    up_limit, down_limit = pair(row.get(b"max-limit"), b"/")
    up, down = pair(row.get(b"bytes"), b"/")
    dropped = [number for number in pair(row.get(b"dropped"), b"/") if number is not None]
    return Queue(
        name=name_of(row),
        target=text(row.get(b"target")),
        disabled=row.get(b"disabled") in _YES,
        up_limit_bps=up_limit or None,
        down_limit_bps=down_limit or None,
        up_bytes=up,
        down_bytes=down,
        dropped_packets=min(sum(dropped), 2**63 - 1) if dropped else None,
    )


def radius_of(answers: Answers) -> list[RadiusServer]:
    """Return the RADIUS servers with the router's own counters."""
    rows = answers.limited("radius", answers.rows("radius"), MOST_RADIUS)
    return [_radius(row, answers.row(f"radius {text(row.get(b'.id'))}")) for row in rows]


def _radius(row: Row, seen: Row) -> RadiusServer:
    rtt = milliseconds(seen.get(b"last-request-rtt"))
    return RadiusServer(
        address=text(row.get(b"address")),
        service=text(row.get(b"service")),
        disabled=row.get(b"disabled") in _YES,
        requests=count(seen.get(b"requests")),
        accepts=count(seen.get(b"accepts")),
        rejects=count(seen.get(b"rejects")),
        timeouts=count(seen.get(b"timeouts")),
        bad_replies=count(seen.get(b"bad-replies")),
        last_rtt_ms=rtt if rtt is not None and rtt <= 600_000 else None,
    )
