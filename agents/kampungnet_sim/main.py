"""Command line of the simulator."""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

from kampungnet_sim.control import Control
from kampungnet_sim.fleet import Fleet, FleetOptions
from kampungnet_sim.history import Span, history
from kampungnet_sim.models import ROUTER_MODELS
from kampungnet_sim.register import (
    RegisteredVillage,
    RegisterError,
    made_up,
    read_register,
    spread,
)

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def _chosen(options: argparse.Namespace) -> list[RegisteredVillage]:
    villages = read_register(options.register) if options.register else made_up(options.villages or 12)
    if options.only:
        missing = set(options.only) - {v.code for v in villages}
        if missing:
            raise RegisterError(f"not in the register: {', '.join(sorted(missing))}")
        return [v for v in villages if v.code in options.only]
    return spread(villages, options.villages or len(villages))


def _write_private(path: Path, text: str) -> None:
    """Passwords stand in it: write beside, for the owner alone, then put in place."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _server_address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        raise argparse.ArgumentTypeError("must be 127.0.0.1:PORT; nothing leaves loopback")
    return host, int(port)


async def _run(options: argparse.Namespace, villages: list[RegisteredVillage]) -> int:
    stop = _stop_event()
    fleet = Fleet(
        time.time,
        FleetOptions(
            seed=options.seed,
            base_port=options.base_port,
            rtt_ms=options.rtt_ms,
            instant_ping=options.instant_ping,
            model=options.model,
            version=options.version,
            server=options.line_to,
        ),
    )
    control = Control(fleet)
    try:
        await fleet.start(villages)
        inventory = fleet.inventory()
        if options.control is not None:
            url = f"http://127.0.0.1:{await control.start(options.control)}"
            inventory = [{**one, "control": url} for one in inventory]
        if options.inventory is not None:
            _write_private(options.inventory, json.dumps(inventory, indent=1, ensure_ascii=False))
        print("ready", flush=True)
        await stop.wait()
    finally:
        await control.close()
        await fleet.close()
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kampungnet-sim",
        description="Simulates village offices (MikroTik router and fibre ONT) on 127.0.0.1.",
        epilog="Exit codes: 0 ended as asked, 1 could not do it, 2 wrong arguments.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve villages over the real protocols until stopped")
    _add_village_arguments(run)
    run.add_argument("--base-port", type=int, default=0, metavar="P",
                     help="first port; four for each village (API, API-TLS, SNMP, line); 0: any")  # fmt: skip
    run.add_argument("--control", type=int, metavar="PORT", help="control socket; 0: any free port")
    run.add_argument("--inventory", type=Path, metavar="FILE",
                     help="write addresses and passwords here (mode 600) before saying ready")  # fmt: skip
    run.add_argument("--rtt-ms", type=float, default=0.0, metavar="X",
                     help="round trip of the line to each router, half in each direction")  # fmt: skip
    run.add_argument("--instant-ping", action="store_true",
                     help="/ping answers at once instead of after the round trip it reports")  # fmt: skip
    run.add_argument("--model", choices=sorted(ROUTER_MODELS), help="give every village this router")
    run.add_argument("--version", metavar="V", help='RouterOS version, such as "7.18.2 (stable)"')
    run.add_argument("--line-to", type=_server_address, metavar="127.0.0.1:PORT",
                     help="open a line for each village that leads to this server")  # fmt: skip
    _add_history(commands)
    return parser


def _add_history(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    past = commands.add_parser("history", help="print what agents would have read in the past, as JSON lines")
    _add_village_arguments(past)
    past.add_argument("--days", type=float, default=30.0, help="how far back (default: 30)")
    past.add_argument("--step", type=int, default=300, help="seconds between two polls (default: 300)")
    past.add_argument("--until", type=_instant, metavar="ISO", help="where it ends (default: now)")
    past.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes to use")


def _instant(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not an ISO 8601 instant: {text}") from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("say the zone too, as in 2026-08-01T00:00:00+07:00")
    return moment.timestamp()


def _history(options: argparse.Namespace, villages: list[RegisteredVillage]) -> int:
    if options.step < 1 or options.days <= 0:
        raise RegisterError("--step and --days must be more than 0")
    end = options.until if options.until is not None else time.time()
    span = Span(end - options.days * 86_400, end, options.step)
    for lines in history(villages, options.seed, span, workers=options.workers):
        print(lines)
    return EXIT_OK


def _add_village_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--register", type=Path, metavar="CSV", help="register of villages")
    parser.add_argument("--villages", type=int, metavar="N",
                        help="how many, spread over the kecamatan (default: all, or 12 made-up ones)")  # fmt: skip
    parser.add_argument("--only", nargs="+", metavar="CODE", help="these villages of the register")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="same seed, same villages")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        villages = _chosen(options)
        if options.command == "history":
            return _history(options, villages)
        return asyncio.run(_run(options, villages))
    except BrokenPipeError:
        # Whoever read the lines has seen enough; the interpreter must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        return EXIT_FAILED
    except (OSError, RegisterError) as error:
        print(f"kampungnet-sim: {error}", file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
