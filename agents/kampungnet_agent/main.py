"""``kampungnet-agent``: run, poll, check, record, enrol, setup, rotate.

Exit codes: 0 all well, 1 something does not work, 2 wrong usage or settings: the same again will not help.
Each command imports only what it needs, because ``run`` lives on boxes with little memory.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from kampungnet.shared.one_time_code import LEAST_LETTERS, plain_code
from kampungnet.shared.settings_file import SettingsError
from kampungnet_agent.plain_log import lines_of, logged, printable
from kampungnet_agent.safe_file import DiskError

OK, DOES_NOT_WORK, WRONG_USAGE = 0, 1, 2
DEFAULT_CONFIG = Path("/etc/kampungnet/agent.toml")
DEFAULT_CREDENTIAL = Path("/var/lib/kampungnet/credential")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        with logged(verbose=options.verbose):
            return int(options.command(options))
    except SettingsError as error:
        print(f"kampungnet-agent: {error}", file=sys.stderr)
        return WRONG_USAGE
    except DiskError as error:
        print(f"kampungnet-agent: {error}", file=sys.stderr)
        return DOES_NOT_WORK
    except KeyboardInterrupt:
        return DOES_NOT_WORK


def run(options: argparse.Namespace) -> int:
    """Poll, keep and send until a signal comes."""
    from kampungnet_agent.agent import run_agents
    from kampungnet_agent.box import Box, save_memory
    from kampungnet_agent.settings import read_agent_settings
    from kampungnet_agent.spool import SpoolError

    save_memory()
    try:
        with lines_of(""):
            asyncio.run(run_agents([read_agent_settings(path) for path in options.config or [DEFAULT_CONFIG]], Box()))
    except (SpoolError, OSError) as error:
        print(f"kampungnet-agent: {error}", file=sys.stderr)
        return DOES_NOT_WORK
    return OK


def poll(options: argparse.Namespace) -> int:
    """Poll every device once and print one reading per line; spool and server are left alone."""
    from kampungnet_agent.once import poll_each
    from kampungnet_agent.settings import read_agent_settings

    async def print_each() -> bool:
        all_ok = True
        async for ok, line in poll_each(read_agent_settings(options.config).devices):
            print(line, flush=True)
            all_ok = all_ok and ok
        return all_ok

    return OK if asyncio.run(print_each()) else DOES_NOT_WORK


def check(options: argparse.Namespace) -> int:
    """Say in sentences what works and what does not."""
    from kampungnet_agent.box import Box
    from kampungnet_agent.check import Voice, check_all
    from kampungnet_agent.settings import read_agent_settings

    settings = read_agent_settings(options.config)
    voice = Voice(english=options.english)
    read = voice.good(
        f"{options.config} dan berkas rahasianya terbaca.", f"{options.config} and its secrets can be read."
    )
    print(voice.mark(read), read.sentence)

    async def print_each() -> bool:
        all_good = True
        async for about, finding in check_all(settings, Box(), voice):
            print(voice.mark(finding), f"{about}: {printable(finding.sentence)}", flush=True)
            all_good = all_good and finding.good
        return all_good

    return OK if asyncio.run(print_each()) else DOES_NOT_WORK


def record(options: argparse.Namespace) -> int:
    """Save one device's masked answers as a folder that can be replayed and becomes a test."""
    import secrets

    from kampungnet_agent.driver import DeviceError
    from kampungnet_agent.record import RecordError, record
    from kampungnet_agent.settings import read_agent_settings

    devices = {device.name: device for device in read_agent_settings(options.config).devices}
    if options.device not in devices:
        raise SettingsError(f'no device is named "{options.device}"; {options.config} has {", ".join(devices)}.')
    try:
        folder = record(devices[options.device], options.output, secrets.token_bytes(32))
    except (RecordError, DeviceError, OSError) as error:
        print(f"kampungnet-agent: {printable(str(error))}", file=sys.stderr)
        return DOES_NOT_WORK
    print(f"Rekaman ada di {folder}. Baca isinya sebelum dikirim: nama dan nomor seri sudah disamarkan.")
    return OK


def enrol(options: argparse.Namespace) -> int:
    """Make this box's key and register it with a one-time code."""
    from kampungnet_agent.box import Box
    from kampungnet_agent.enrolment import EnrolmentError, enrol, make_room_for_credential
    from kampungnet_agent.line import Line, LineError
    from kampungnet_agent.settings import check_server_url, own_certificate, read_server_table

    path, ca_file, own = options.credential, options.ca_file, None
    if options.config is not None:
        server = read_server_table(options.config)
        path = path or Path(server.credential_file)
        ca_file = ca_file or (Path(server.ca_file) if server.ca_file else None)
        own = own_certificate(server)
    path = path or DEFAULT_CREDENTIAL
    check_server_url(options.server, "--server")
    if len(plain_code(options.code)) < LEAST_LETTERS:
        raise SettingsError("the code after --code is cut short; write all of it, as it was printed.")
    make_room_for_credential(path, replace=options.replace)
    line = Line(options.server, ca_file, own=own)
    try:
        credential = enrol(line, options.server, options.code, Box(), path)
    except (EnrolmentError, LineError) as error:
        print(f"kampungnet-agent: {printable(str(error))}", file=sys.stderr)
        return DOES_NOT_WORK
    print(printable(f"Kotak ini terdaftar untuk desa {credential.village_words} sebagai {credential.agent}."))
    print(f"Kunci rahasianya di {path}, jangan disalin ke kotak lain. Berikutnya: kampungnet-agent check")
    return OK


def rotate(options: argparse.Namespace) -> int:
    """Change this box's key now; a running agent goes on with the new one."""
    from kampungnet_agent.box import Box
    from kampungnet_agent.key_change import Identity, KeyChangeError, change_key
    from kampungnet_agent.line import LineError, line_to
    from kampungnet_agent.settings import read_server_table

    server = read_server_table(options.config)
    identity = Identity(Path(server.credential_file))
    line = line_to(server)
    try:
        change_key(identity, line, Box().wall_ms())
    except (KeyChangeError, LineError, OSError) as error:
        print(f"kampungnet-agent: {printable(str(error))}", file=sys.stderr)
        return DOES_NOT_WORK
    finally:
        line.close()
    print(f"Kotak {identity.credential.agent} punya kunci baru; kunci lama tidak berlaku lagi.")
    return OK


def setup(options: argparse.Namespace) -> int:
    """Make this the box of a village by the file of its kit."""
    from kampungnet_agent.box import Box
    from kampungnet_agent.check import Voice
    from kampungnet_agent.enrolment import CodeRefusedError
    from kampungnet_agent.setup import Places, is_lent, read_kit, set_up

    kit, places = read_kit(options.kit), Places(options.settings.resolve(), options.state.resolve())
    voice = Voice(english=options.english)

    async def print_each() -> bool:
        all_good = True
        async for about, finding in set_up(kit, places, Box(), voice):
            print(voice.mark(finding), f"{about}: {printable(finding.sentence)}", flush=True)
            all_good = all_good and finding.good
        return all_good

    try:
        if not asyncio.run(print_each()):
            return DOES_NOT_WORK
    except CodeRefusedError:
        return WRONG_USAGE  # the reason was said already
    if is_lent(options.kit):
        print("Selesai.")  # by systemd, whose unit takes the file itself away
    else:
        print(f"Selesai. Hapus {options.kit}: isinya rahasia dan tidak diperlukan lagi.")
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kampungnet-agent",
        description="Measures the devices of a village office and delivers what it measured, also after outages.",
        epilog="Exit codes: 0 all well, 1 something does not work, 2 wrong usage or settings.",
    )
    parser.add_argument("--verbose", action="store_true", help="log also what goes well")
    commands = parser.add_subparsers(required=True, metavar="run | poll | check | record | enrol | setup | rotate")
    for name, command, text in (
        ("run", run, "poll, keep and send until SIGTERM"),
        ("poll", poll, "poll each device once and print readings as JSON lines; nothing is stored or sent"),
        ("check", check, "say in sentences (Indonesian) what works and what does not"),
        ("rotate", rotate, "change this box's key now; done by itself after key_days"),
        ("record", record, "save one device's answers, names masked, as a folder that can be replayed"),
    ):
        one = commands.add_parser(name, help=text, description=text)
        if name == "run":
            help_text = f"agent.toml (default {DEFAULT_CONFIG}); repeat it to run several agents in one process"
            one.add_argument("--config", type=Path, action="append", help=help_text)
        else:
            one.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="agent.toml (default %(default)s)")
        one.set_defaults(command=command)
        if name == "check":
            one.add_argument("--english", action="store_true", help="say it in English; drivers speak Indonesian")
        if name == "record":
            one.add_argument("--device", required=True, metavar="NAME", help="its name in agent.toml")
            one.add_argument("--output", type=Path, metavar="FOLDER", help="new folder (default: model and version)")
    _add_enrol(commands.add_parser("enrol", help="make this box's key and register it with a one-time code"))
    _add_setup(commands.add_parser("setup", help="make this the box of a village by the file of its kit"))
    return parser


def _add_setup(one: argparse.ArgumentParser) -> None:
    one.add_argument("--kit", type=Path, required=True, metavar="FILE", help="made by: kampungnet kit --village …")
    one.add_argument(
        "--settings", type=Path, default=DEFAULT_CONFIG.parent, metavar="FOLDER", help="default %(default)s"
    )
    one.add_argument(
        "--state", type=Path, default=DEFAULT_CREDENTIAL.parent, metavar="FOLDER", help="default %(default)s"
    )
    one.add_argument("--english", action="store_true", help="say it in English; drivers speak Indonesian")
    one.set_defaults(command=setup)


def _add_enrol(one: argparse.ArgumentParser) -> None:
    one.add_argument("--server", required=True, metavar="URL", help="https://kampungnet.example.go.id")
    one.add_argument("--code", required=True, help="one-time code printed by: kampungnet enrol --village …")
    one.add_argument(
        "--config", type=Path, help="take the credential's place and the box's certificate from this agent.toml"
    )
    one.add_argument("--credential", type=Path, help=f"where to keep the credential (default {DEFAULT_CREDENTIAL})")
    one.add_argument("--ca-file", type=Path, help="trust this certificate authority instead of the system's")
    one.add_argument("--replace", action="store_true", help="replace a credential that is already there")
    one.set_defaults(command=enrol)


if __name__ == "__main__":
    sys.exit(main())
