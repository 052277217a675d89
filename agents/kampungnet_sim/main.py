"""Command line of the simulator."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path

from kampungnet_sim.extras import ExtraError, ExtraWish
from kampungnet_sim.faults import FAULTS
from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.history import Span, history
from kampungnet_sim.models import ROUTER_MODELS, RosVersion
from kampungnet_sim.olt_models import OLT_MODELS
from kampungnet_sim.olt_service import OltWish
from kampungnet_sim.register import RegisteredVillage, RegisterError, made_up, read_register, spread
from kampungnet_sim.replay import RecordingError
from kampungnet_sim.replay_serve import ReplayOptions
from kampungnet_sim.serve import run_fleet, run_replay
from kampungnet_sim.tls import anonymous_context, self_signed_context
from kampungnet_sim.village_features import FEATURES, MOST_ROWS, Scale, Wish

EXIT_OK, EXIT_FAILED = 0, 1
MOST_DAYS = 3_660


def _chosen(options: argparse.Namespace) -> list[RegisteredVillage]:
    villages = read_register(options.register) if options.register else made_up(options.villages or 12)
    named = {*(options.only or ()), *options.silent_onts, *dict(options.ageing), *dict(options.cuts)}
    if missing := named - {v.code for v in villages}:
        raise RegisterError(f"not in the register: {', '.join(sorted(missing))}")
    if options.only:
        by_code = {v.code: v for v in villages}
        return [by_code[code] for code in dict.fromkeys(options.only)]
    return spread(villages, options.villages or len(villages))


# -- arguments --------------------------------------------------------------------------


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _days(text: str) -> float:
    number = float(text)
    if not 0 < number <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be more than 0, and {MOST_DAYS:,} at most")
    return number


def _fit(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MOST_ROWS:
        raise argparse.ArgumentTypeError(f"must be 0 to {MOST_ROWS}; more rows: the fault huge_tables")
    return number


def _olt(text: str) -> OltWish:
    model, _, houses = text.partition(":")
    if model not in OLT_MODELS or not (houses or "0").isdecimal():
        raise argparse.ArgumentTypeError(f"must be MODEL or MODEL:HOUSES; models: {', '.join(OLT_MODELS)}")
    return OltWish(model, int(houses)) if houses else OltWish(model)


def _loopback(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        raise argparse.ArgumentTypeError("must be 127.0.0.1:PORT; nothing leaves loopback")
    return host, int(port)


def _instant(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not an ISO 8601 instant: {text}") from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("say the zone too, as in 2026-08-01T00:00:00+07:00")
    return moment.timestamp()


def _ageing(text: str) -> tuple[str, float]:
    code, equals, since = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be CODE=ISO")
    return code, _instant(since)


def _cut(text: str) -> tuple[str, tuple[float, float]]:
    code, equals, span = text.partition("=")
    start, comma, end = span.partition(",")
    if not equals or not comma:
        raise argparse.ArgumentTypeError("must be CODE=ISO,ISO")
    if _instant(end) <= _instant(start):
        raise argparse.ArgumentTypeError("the cut must end after it begins")
    return code, (_instant(start), _instant(end))


def _ros_version(text: str) -> str:
    RosVersion.parse(text)
    return text


def _add_village_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--register", type=Path, metavar="CSV", help="register of villages (columns kode, nama, kode_kecamatan)")
    add("--villages", type=_positive, metavar="N", help="how many, spread over the kecamatan (default: all, or 12)")
    add("--only", nargs="+", metavar="CODE", help="these villages of the register, in this order")
    add("--seed", type=int, default=1, metavar="S", help="same seed, same villages and passwords (default: 1)")
    add(
        "--silent-ont",
        dest="silent_onts",
        nargs="+",
        default=[],
        metavar="CODE",
        help="the ONTs of these villages answer nothing, as most ONTs of providers do",
    )
    add(
        "--ageing",
        type=_ageing,
        nargs="+",
        default=[],
        metavar="CODE=ISO",
        help="a connector of this village's fibre loses some 2 dB a month since that instant",
    )
    add(
        "--cut",
        dest="cuts",
        type=_cut,
        nargs="+",
        default=[],
        metavar="CODE=ISO,ISO",
        help="this village's fibre is cut from one instant to another",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_village_arguments(parser)
    add = parser.add_argument
    add("--base-port", type=int, default=0, metavar="P", help="first of five ports a village; 0: any free ones")
    add("--control", type=int, metavar="PORT", help="control socket for faults and lines; 0: any free port")
    add("--inventory", type=Path, metavar="FILE", help="addresses and passwords, mode 600, there before `ready`")
    add("--writes-config", type=Path, metavar="DIR", help="write DIR/CODE/agent.toml and its secrets for each village")
    add("--rtt-ms", type=float, default=0.0, metavar="X", help="round trip to each router, half in each direction")
    add("--instant-ping", action="store_true", help="/ping answers at once, not after the time it reports")
    add("--quick-ack", action="store_true", help="acknowledge packets at once: fair to clients that send word by word")
    add("--model", choices=sorted(ROUTER_MODELS), help="give every village this router")
    add("--version", type=_ros_version, metavar="V", help='RouterOS version, such as "7.18.2 (stable)"')
    add(
        "--with",
        dest="features",
        nargs="*",
        choices=sorted(FEATURES),
        metavar="FEATURE",
        help="give every village exactly these features, listed below (default: each village draws its own)",
    )
    add("--guests", type=_fit, metavar="N", help="devices logged in at every instant (default: as the day goes)")
    add("--users", type=_fit, metavar="N", help="rows of the hotspot's user list (default: 129)")
    add("--leases", type=_fit, metavar="N", help="rows of the lease table (default: as many as the guests need)")
    add("--tls", choices=("self-signed", "anonymous"), help="offer api-ssl too")
    add("--line-to", type=_loopback, metavar="127.0.0.1:PORT", help="a line for each village that leads there")
    _add_extras(parser)


def _add_extras(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--olt",
        dest="olts",
        type=_olt,
        action="append",
        default=[],
        metavar="MODEL[:HOUSES]",
        help="an OLT that carries the villages and so many strangers (default 60); again for more OLTs",
    )
    add("--olt-ssh", action="store_true", help="open the OLTs' command lines")
    add("--ont-ssh", choices=("huawei", "stick", "zte"), default="", help="open a command line on each ONT")
    add("--router-ssh", nargs="*", metavar="CODE", help="open the command line and files of each router, or of these")
    add("--ssh-age", choices=("new", "old", "ancient"), default="", help="key exchange (default: as old as the device)")
    add("--cameras", nargs="*", metavar="CODE", help="a CCTV camera in each village, or in these")
    add("--access-points", nargs="*", metavar="CODE", help="a wifi access point in each village, or in these")


def _add_history(parser: argparse.ArgumentParser) -> None:
    _add_village_arguments(parser)
    add = parser.add_argument
    add("--days", type=_days, default=30.0, help="how far back (default: 30)")
    add("--step", type=_positive, default=300, help="seconds between two polls of a device (default: 300)")
    add("--until", type=_instant, metavar="ISO", help="where it ends, with zone (default: now)")
    add("--workers", type=_positive, default=os.cpu_count() or 1, help="processes to use (default: one a core)")


def _add_replay(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "recordings", type=Path, nargs="*", metavar="FOLDER", help="what kampungnet-agent record wrote, one device each"
    )
    add("--routeros", type=Path, nargs="+", default=[], metavar="DIR", help="folders of *.json, one router each")
    add("--snmprec", type=Path, nargs="+", default=[], metavar="FILE", help="recorded walks, one agent each")
    add("--base-port", type=int, default=0, metavar="P", help="first port; 0: any free ones")
    add("--inventory", type=Path, metavar="FILE", help="addresses and passwords, mode 600")
    add("--seed", type=int, default=1, metavar="S", help="the passwords follow from it")


def _lists() -> str:
    """What ``--with`` and the control socket know."""
    features = [f"  {name:<20} {one.meaning}" for name, one in sorted(FEATURES.items())]
    faults = [f"  {name:<20} {one.meaning}" for name, one in sorted(FAULTS.items())]
    ways = 'faults (control socket: POST /faults {"village": CODE or "*", "fault": NAME, "seconds": S}):'
    return "\n".join(["features (--with):", *features, "", ways, *faults])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kampungnet-sim",
        description="Simulates village offices (MikroTik router and fibre ONT) on 127.0.0.1, and nowhere else.",
        epilog="Exit codes: 0 ended as asked, 1 could not do it, 2 wrong arguments.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = "serve villages over the real protocols until stopped"
    _add_run(
        commands.add_parser("run", help=run, epilog=_lists(), formatter_class=argparse.RawDescriptionHelpFormatter)
    )
    _add_history(commands.add_parser("history", help="print what agents would have read, as JSON lines"))
    _add_replay(commands.add_parser("replay", help="serve recorded answers over the real protocols until stopped"))
    return parser


# -- commands ---------------------------------------------------------------------------


def _announce() -> None:
    print("ready", flush=True)


def _where(codes: list[str] | None) -> bool | frozenset[str]:
    """Nothing said: nowhere; no codes said: everywhere."""
    return frozenset(codes) if codes else codes is not None


def _run(options: argparse.Namespace) -> Coroutine[None, None, None]:
    tls = {"self-signed": self_signed_context, "anonymous": anonymous_context}.get(options.tls or "")
    fleet = FleetOptions(
        seed=options.seed,
        base_port=options.base_port,
        rtt_ms=options.rtt_ms,
        instant_ping=options.instant_ping,
        quick_ack=options.quick_ack,
        model=options.model,
        version=options.version,
        tls=tls() if tls else None,
        server=options.line_to,
        wish=Wish(
            None if options.features is None else frozenset(options.features),
            Scale(options.guests, options.users, options.leases),
            frozenset(options.silent_onts),
            dict(options.ageing),
            dict(options.cuts),
        ),
        router_ssh=_where(options.router_ssh),
        extras=ExtraWish(
            olts=tuple(options.olts),
            olt_ssh=options.olt_ssh,
            ont_ssh=options.ont_ssh,
            ssh_age=options.ssh_age,
            cameras=_where(options.cameras),
            access_points=_where(options.access_points),
        ),
    )
    return run_fleet(
        _chosen(options),
        fleet,
        control_port=options.control,
        inventory=options.inventory,
        configs=options.writes_config,
        announce=_announce,
    )


def _replay(options: argparse.Namespace) -> Coroutine[None, None, None]:
    if not options.routeros and not options.snmprec and not options.recordings:
        raise RecordingError("nothing to replay: give a FOLDER, --routeros or --snmprec")
    replay = ReplayOptions(
        folders=options.routeros,
        snmprecs=options.snmprec,
        recordings=options.recordings,
        base_port=options.base_port,
        seed=options.seed,
        inventory=options.inventory,
    )
    return run_replay(replay, _announce)


def _print_history(options: argparse.Namespace) -> None:
    end = options.until if options.until is not None else time.time()
    span = Span(end - options.days * 86_400, end, options.step)
    wish = Wish(
        silent_onts=frozenset(options.silent_onts), ageing=dict(options.ageing), cuts=dict(options.cuts)
    )  # fmt: skip
    for lines in history(_chosen(options), options.seed, span, workers=options.workers, wish=wish):
        print(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "history":
            _print_history(options)
        else:
            asyncio.run({"run": _run, "replay": _replay}[options.command](options))
    except BrokenPipeError:
        # Whoever read the lines has seen enough; the interpreter must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return EXIT_FAILED
    except (OSError, ExtraError, RegisterError, RecordingError) as error:
        print(f"kampungnet-sim: {error}", file=sys.stderr)
        return EXIT_FAILED
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
