"""Every decoder that reads bytes we did not write, with what it may raise; whatever else comes out is a defect."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from librouteros.exceptions import LibRouterosError, ProtocolError  # type: ignore[import-untyped]

from kampungnet.billing import sheets
from kampungnet.configs import history
from kampungnet.core.errors import Problem
from kampungnet.ingest.envelope import opened, unpacked
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.drivers import config_text, fields, snmp_ber, ssh_parse, ssh_text
from kampungnet_agent.drivers.routeros_sentences import RowMemory, SentenceReader, encode_command, row_in
from kampungnet_agent.drivers.routeros_wire import RouterConnection
from kampungnet_agent.settings import read_agent_settings
from kampungnet_sim.replay import RecordingError, read_snmprec
from kampungnet_sim.replay_recording import ROUTEROS_FILE, SSH_FILE, read_recording
from kampungnet_sim.replay_terminal import read_terminal

AGENT = "7XK2M9QDV4T8ZB31"
GZIP = b"\x1f\x8b"
FIELDS: tuple[Callable[[bytes], object], ...] = (
    fields.text, fields.count, fields.percent, fields.boolean, fields.number_and_unit, fields.milliseconds,
    fields.seconds, fields.excerpt,
)  # fmt: skip
SCREENS: tuple[Callable[[str], object], ...] = (
    ssh_text.clean, ssh_text.prompt_at_end, ssh_text.prompt_pattern, ssh_parse.pairs, ssh_parse.decimal,
    ssh_parse.level, ssh_parse.cause_of, ssh_parse.state_of, ssh_parse.huawei_optic, ssh_parse.huawei_device,
    ssh_parse.huawei_serial, ssh_parse.huawei_version, ssh_parse.activation, ssh_parse.stick_rx, ssh_parse.stick_tx,
    ssh_parse.shell_uptime, ssh_parse.zte_detail, ssh_parse.zte_attenuation, ssh_parse.smartax_info,
    ssh_parse.smartax_summary,
)  # fmt: skip


@dataclass(frozen=True)
class Decoder:
    """What takes the bytes, and how it may refuse them."""

    take: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()

    def __call__(self, data: bytes) -> None:
        """Feed it; raises what it should not have raised, and ``AssertionError`` where two ways disagree."""
        try:
            self.take(data)
        except self.refusals:
            return


def _report(data: bytes) -> None:
    report = opened(unpacked(data, "gzip" if data.startswith(GZIP) else ""), AGENT)
    places = [one.position for one in report.taken] + [one.position for one in report.refused]
    assert sorted(places) == list(range(len(report.envelope.readings))), "each reading is taken or refused, once"


def _sentences(data: bytes) -> None:
    """The first byte says how the network splits the rest."""
    size, data = (data[0] if data else 0) + 1, data[1:]
    pieces = SentenceReader()
    split = [one for at in range(0, len(data), size) for one in pieces.feed(data[at : at + size])]
    assert split == list(SentenceReader().feed(data)), "it does not matter how the network split it"


def _rows(data: bytes) -> None:
    memory = RowMemory()
    for tables in (False, False, True, True):
        memory.begin(tables=tables)
        assert memory.row_in(data) == row_in(data), "what is remembered is what would be read"


class _Wire(asyncio.Transport):
    """A line on which nobody listens."""

    def write(self, data: Any) -> None:
        pass

    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _router(data: bytes) -> None:
    _loop().run_until_complete(_answers(data))


async def _answers(data: bytes) -> None:
    """Two commands are asked, tagged 1000 and 1001; the data is what comes back before the line ends."""
    line = RouterConnection()
    line.connection_made(_Wire())
    asked = [encode_command("/system/resource/print"), encode_command("/interface/print")]
    asking = asyncio.ensure_future(line.ask(asked))
    await asyncio.sleep(0)
    inbox = line.get_buffer(-1)
    for at in range(0, len(data), len(inbox)):
        piece = data[at : at + len(inbox)]
        inbox[: len(piece)] = piece
        line.buffer_updated(len(piece))
    line.eof_received()
    line.connection_lost(None)
    for reply in await asking:
        reply.raise_traps()


def _values(data: bytes) -> None:
    for convert in FIELDS:
        convert(data)
    fields.pair(data, b",")
    fields.number_within(data, -50.0, 10.0)
    fields.counts([data, None])


def _screen(data: bytes) -> None:
    shown = data.decode("utf-8", "replace")
    for read in SCREENS:
        read(shown)
    ssh_parse.light_table(shown, 1)
    ssh_parse.hsgq_all(shown, "HWTC11223344")
    ssh_text.answer_to("show", shown, ssh_text.prompt_pattern("olt>"))


def _terminal(data: bytes) -> None:
    read_terminal(data.decode("utf-8", "surrogateescape"), "/ip/address/print")


def _recording(path: Path) -> None:
    read_recording(path.parent)


def _in_a_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def take(data: bytes) -> object:
        path = _folder(name) / name
        path.write_bytes(data)
        return read(path)

    return take


@cache
def _folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"kampungnet-fuzz-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


DECODERS = {
    "report": Decoder(_report, (Problem,)),
    "routeros-sentences": Decoder(_sentences, (ProtocolError,)),
    "routeros-rows": Decoder(_rows),
    "routeros-answers": Decoder(_router, (LibRouterosError,)),
    "routeros-values": Decoder(_values),
    "routeros-export": Decoder(lambda data: config_text.export_of(data.decode("utf-8", "replace")), (ValueError,)),
    "routeros-terminal": Decoder(_terminal),
    "snmp": Decoder(snmp_ber.decode, (snmp_ber.NotSnmp,)),
    "screens": Decoder(_screen),
    "settings-text": Decoder(lambda data: history.unpacked(data, "0" * 64), (ValueError,)),
    "agent-toml": Decoder(_in_a_file("agent.toml", read_agent_settings), (SettingsError,)),
    "recorded-routeros": Decoder(_in_a_file(ROUTEROS_FILE, _recording), (RecordingError,)),
    "recorded-ssh": Decoder(_in_a_file(SSH_FILE, _recording), (RecordingError,)),
    "recorded-snmp": Decoder(_in_a_file("answers.snmprec", read_snmprec), (RecordingError,)),
    "tables": Decoder(lambda data: sheets.read(b";" + data, ["kode", "pagu"], ["kode"]), (Problem,)),
}  # fmt: skip
