"""A small RouterOS API server on loopback that answers by script, with an encoder of its own."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Sentence = list[bytes]
Answer = list[Sentence]
Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def word(content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        prefix = bytes([size])
    elif size < 0x4000:
        prefix = (size | 0x8000).to_bytes(2)
    elif size < 0x200000:
        prefix = (size | 0xC00000).to_bytes(3)
    else:
        prefix = b"\xf0" + size.to_bytes(4)
    return prefix + content


def sentence(*words: bytes) -> bytes:
    return b"".join(word(one) for one in words) + b"\0"


async def read_sentence(reader: asyncio.StreamReader) -> Sentence:
    words: Sentence = []
    while True:
        size = (await reader.readexactly(1))[0]
        if size == 0:
            return words
        if size >= 0x80:
            size = (size & 0x7F) << 8 | (await reader.readexactly(1))[0]
        words.append(await reader.readexactly(size))


def row(**values: str | bytes | int) -> Sentence:
    """``rx_byte=1`` becomes ``=rx-byte=1``."""
    made = [b"!re"]
    for name, value in values.items():
        raw = value if isinstance(value, bytes) else str(value).encode()
        made.append(b"=" + name.replace("_", "-").encode() + b"=" + raw)
    return made


def rows(*many: Sentence) -> Answer:
    return [*many, [b"!done"]]


def number(value: int) -> Answer:
    return [[b"!done", b"=ret=%d" % value]]


def trap(message: str, *, category: int | None = None) -> Answer:
    first = [b"!trap", b"=message=" + message.encode()]
    if category is not None:
        first.insert(1, b"=category=%d" % category)
    return [first, [b"!done"]]


NO_MENU = trap("no such command prefix")


def ordinary_answers() -> dict[bytes, Answer]:
    """A hAP on RouterOS 6.49 with a hotspot."""
    return _board() | _network()


def _board() -> dict[bytes, Answer]:
    return {
        b"/login": [[b"!done"]],
        b"/system/identity/print": rows(row(name="Balai Desa")),
        b"/system/resource/print": rows(
            row(uptime="1w4d23h26m9s", version="6.49.10 (long-term)", cpu_load=7, free_memory=20971520)
            + row(total_memory=67108864, free_hdd_space=8388608, total_hdd_space=16777216, board_name="hAP lite")[1:]
        ),
        b"/system/routerboard/print": rows(row(model="RB941-2nD", serial_number="ABC123")),
        b"/system/health/print": rows(row(voltage="23.8", temperature="41")),
        b"/system/license/print": rows(row(software_id="AAAA-BBBB", nlevel=4)),
        b"/system/package/update/print": rows(row(channel="long-term", installed_version="6.49.10")),
        b"/system/package/print": rows(
            row(name="routeros-smips", disabled="false"), row(name="hotspot", disabled="false")
        ),
        b"/ip/firewall/filter/print": number(0),
        b"/interface/ethernet/print": rows(row(name="ether1", default_name="ether1")),
        b"/interface/print": rows(
            row(
                **{".id": "*1"},
                name="ether1",
                type="ether",
                running="true",
                disabled="false",
                rx_byte=70881296060,
                tx_byte=12,
            )
            + row(rx_packet=5, tx_packet=6, rx_error=0, tx_error=0, rx_drop=0, tx_drop=1, link_downs=2)[1:]
            + row(last_link_down_time="jan/02/1970 00:00:12")[1:],
            row(**{".id": "*2"}, name="wlan1", type="wlan", running="false", disabled="true"),
        ),
    }


def _network() -> dict[bytes, Answer]:
    return {
        b"/ip/hotspot/active/print": number(12),
        b"/ip/hotspot/host/print": number(30),
        b"/ip/hotspot/user/print": number(2),
        b"/ip/hotspot/print": rows(row(name="hotspot1", interface="bridge", profile="hsprof1", disabled="false")),
        b"/ip/dhcp-server/lease/print": number(25),
        b"/ip/route/print": rows(
            row(
                gateway="192.168.100.1", gateway_status="192.168.100.1 reachable via  ether1", active="true", distance=1
            )
        ),
        b"/tool/netwatch/print": rows(row(host="8.8.8.8", status="up", since="oct/04/2017 20:11:03", comment="DNS")),
        b"/interface/pppoe-client/print": rows(),
        b"/queue/simple/print": number(0),
        b"/log/print": number(0),
        b"/radius/print": rows(),
        b"/interface/wifi/registration-table/print": NO_MENU,
        b"/interface/wifiwave2/registration-table/print": NO_MENU,
        b"/interface/wireless/registration-table/print": number(9),
        b"/caps-man/registration-table/print": NO_MENU,
        b"/caps-man/remote-cap/print": number(0),
        b"/resolve": [[b"!done", b"=ret=142.250.4.99"]],
        b"/ping": rows(row(seq=0, host="1.1.1.1", time="31ms", sent=1, received=1, packet_loss=0, avg_rtt="31ms")),
    }


@dataclass
class ScriptedRouter:
    """What it answers may be changed between two polls."""

    answers: dict[bytes, Answer] = field(default_factory=ordinary_answers)
    tables: dict[bytes, Answer] = field(default_factory=dict)
    """Rows of menus that are counted first; ``answers`` holds the count then."""
    port: int = 0
    asked: list[Sentence] = field(default_factory=list)
    connections: int = 0
    chunk: int = 0
    """Bytes per write; 0 is all at once."""
    tag_last: bool = False

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            words = await read_sentence(reader)
            if not words:
                continue
            self.asked.append(words)
            await self.send(writer, self.reply_to(words))

    def reply_to(self, words: Sentence) -> bytes:
        tags = [one for one in words if one.startswith(b".tag=")]
        if b"=count-only=" not in words and words[0] in self.tables:
            answer = self.tables[words[0]]
        else:
            answer = self.answers.get(words[0], NO_MENU)
        if self.tag_last:
            return b"".join(sentence(*one, *tags) for one in answer)
        return b"".join(sentence(one[0], *tags, *one[1:]) for one in answer)

    async def send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        step = self.chunk or len(data) or 1
        for start in range(0, len(data), step):
            writer.write(data[start : start + step])
            await writer.drain()
            if self.chunk:
                await asyncio.sleep(0)

    def commands(self) -> list[bytes]:
        return [words[0] for words in self.asked]


@contextlib.asynccontextmanager
async def serving(speak: Speak, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run ``speak`` for each connection on a free loopback port; yield the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await speak(reader, writer)
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks), timeout=2)
