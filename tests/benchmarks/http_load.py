"""A cheap load generator: ready-made bytes over many connections, one epoll loop, one process.

It parses no more of an answer than its status and where it ends, so that it costs a tenth of what a server does.
"""

import gc
import http.client
import select
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

STALL_SECONDS = 60.0


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int


@dataclass
class Load:
    """What came back."""

    seconds: float = 0.0
    client_cpu_seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[bytes] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return len(self.latencies_ms) / self.seconds

    def expect_only(self, status: bytes) -> None:
        """Raise when any answer had another status: then the rate says nothing."""
        if set(self.statuses) != {status}:
            raise RuntimeError(f"expected only {status.decode()}: {dict(self.statuses)}")


class _Connection:
    """One client: sends its next request when the last one is answered."""

    def __init__(self, address: Address, plan: Sequence[bytes], *, lasting: bool) -> None:
        self.address, self.plan, self.lasting = address, plan, lasting
        self.place = 0
        self.answer = bytearray()
        self.unsent = memoryview(b"")
        self.began = 0.0
        self.socket = self._open()

    def _open(self) -> socket.socket:
        made = socket.create_connection((self.address.host, self.address.port), timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.settimeout(0)
        return made

    def begin(self) -> bool:
        """Send the next request; say whether there was one."""
        if self.place == len(self.plan):
            return False
        self.unsent = memoryview(self.plan[self.place])
        self.place += 1
        self.answer.clear()
        self.began = time.perf_counter()
        self.push()
        return True

    def push(self) -> None:
        """Send what the socket takes of the request."""
        while self.unsent:
            try:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
            except BlockingIOError:
                return

    def pull(self) -> bytes | None:
        """Read; return the status when the answer is whole."""
        part = self.socket.recv(65_536)
        self.answer += part
        if not self.lasting:
            return bytes(self.answer[:4]) if not part else None
        if not part:
            raise ConnectionError("the server closed the connection")
        return _status_when_whole(self.answer)


def _status_when_whole(answer: bytearray) -> bytes | None:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return None
    status = bytes(answer[9:12])
    head = bytes(answer[:end]).lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return status if len(answer) >= end + 4 + length else None


def run(address: Address, plans: Sequence[Sequence[bytes]], *, lasting: bool = True) -> Load:
    """Send each plan over a connection of its own, all at once.

    ``lasting=False`` is for servers that end an answer by closing: every request gets a new connection, and the
    status is the first four bytes.
    """
    load = Load()
    poll = select.epoll()
    by_number: dict[int, _Connection] = {}
    for plan in plans:
        _add(poll, by_number, _Connection(address, plan, lasting=lasting))
    gc.collect()
    gc.disable()
    try:
        cpu, began = time.process_time(), time.perf_counter()
        for one in list(by_number.values()):
            _begin(poll, by_number, one)
        _work(poll, by_number, load)
        load.seconds = time.perf_counter() - began
        load.client_cpu_seconds = time.process_time() - cpu
    finally:
        gc.enable()
        poll.close()
        for one in by_number.values():
            one.socket.close()
    return load


def _work(poll: select.epoll, by_number: dict[int, _Connection], load: Load) -> None:
    while by_number:
        events = poll.poll(STALL_SECONDS)
        if not events:
            raise TimeoutError(f"no answer for {STALL_SECONDS:.0f} s")
        for number, event in events:
            one = by_number[number]
            if event & select.EPOLLOUT:
                one.push()
                if not one.unsent:
                    poll.modify(number, select.EPOLLIN)
            if event & ~select.EPOLLOUT and (status := one.pull()) is not None:
                load.latencies_ms.append((time.perf_counter() - one.began) * 1000)
                load.statuses[status] += 1
                _begin(poll, by_number, one)


def _begin(poll: select.epoll, by_number: dict[int, _Connection], one: _Connection) -> None:
    if not one.lasting and one.place and one.place < len(one.plan):
        _drop(poll, by_number, one)
        one.socket = one._open()
        _add(poll, by_number, one)
    if not one.begin():
        _drop(poll, by_number, one)
    elif one.unsent:
        poll.modify(one.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)


def _add(poll: select.epoll, by_number: dict[int, _Connection], one: _Connection) -> None:
    by_number[one.socket.fileno()] = one
    poll.register(one.socket.fileno(), select.EPOLLIN)


def _drop(poll: select.epoll, by_number: dict[int, _Connection], one: _Connection) -> None:
    number = one.socket.fileno()
    poll.unregister(number)
    del by_number[number]
    one.socket.close()


def answers_ok(address: Address, path: str) -> bool:
    """Say whether a GET is answered with 200 (or 204) now."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in {200, 204}
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def spread(requests: Sequence[Sequence[bytes]], connections: int) -> list[list[bytes]]:
    """Share the requests of many boxes out over connections: a box stays on one, so that its order is kept."""
    plans: list[list[bytes]] = [[] for _ in range(connections)]
    for turn in range(max(len(own) for own in requests)):
        for place, own in enumerate(requests):
            if turn < len(own):
                plans[place % connections].append(own[turn])
    return plans
