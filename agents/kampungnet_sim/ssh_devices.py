"""Which command line each simulated ONT and OLT has, and how it is logged in to.

Loaded only when a command line was asked for: paramiko costs memory and a second of start.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kampungnet_sim.chance import generator
from kampungnet_sim.olt_service import OltService
from kampungnet_sim.routeros_router import SimulatedRouter
from kampungnet_sim.ssh_command_line import CommandLine
from kampungnet_sim.ssh_huawei_ont import HuaweiOnt
from kampungnet_sim.ssh_routeros import RouterOsLine
from kampungnet_sim.ssh_server import SshDevice, SshServer
from kampungnet_sim.ssh_small_olts import CData, HsgqEpon
from kampungnet_sim.ssh_smartax import SmartAx
from kampungnet_sim.ssh_stick import GponStick, ZteOnt
from kampungnet_sim.ssh_zte import C300, C320, C600, ZteCommandLine, ZteSpelling
from kampungnet_sim.village import Village

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
Clock = Callable[[], float]


@dataclass(frozen=True)
class _OntKind:
    """One kind of ONT command line, and how old its SSH is."""

    command_line: Callable[[Village, Clock], CommandLine]
    username: str
    age: str


ONT_KINDS: dict[str, _OntKind] = {
    "huawei": _OntKind(HuaweiOnt, "root", "old"),
    "stick": _OntKind(GponStick, "admin", "ancient"),
    "zte": _OntKind(ZteOnt, "root", "old"),
}


@dataclass(frozen=True)
class Shell:
    """An open command line: how to log in to it, what it counted, how to end it."""

    access: dict[str, object]
    counts: Callable[[], dict[str, object]]
    close: Callable[[], None]


async def _open(device: SshDevice, port: int) -> Shell:
    server = SshServer(device)
    bound = await server.start(port)
    access: dict[str, object] = {
        "address": f"127.0.0.1:{bound}",
        "username": device.username,
        "password": device.password,
        "age": device.age,
    }
    return Shell(access, server.listed, server.close)


async def open_ont(
    kind: str, village: Village, clock: Clock, faults: Callable[[], frozenset[str]], where: tuple[str, int]
) -> Shell:
    """Open the command line of a village's ONT; cheap units bear one login at a time. ``where`` is age and port."""
    age, port = where
    chosen = ONT_KINDS[kind]
    code = village.profile.code
    device = SshDevice(
        username=chosen.username,
        password="".join(generator(village.profile.seed, code, "ont ssh").choices(_LETTERS, k=12)),
        command_line=lambda: chosen.command_line(village, clock),
        answers=lambda: village.ont_is_up(clock()),
        faults=faults,
        age=age or chosen.age,
    )
    return await _open(device, port)


async def open_router(router: SimulatedRouter, answers: Callable[[], bool]) -> Shell:
    """Open a router's command line for the login that takes backups."""
    user = router.users["pencadang"]
    line = RouterOsLine(router, user)
    device = SshDevice(
        username=user.name,
        password=user.password,
        command_line=lambda: line,
        answers=answers,
        faults=router.faults,
        age="new" if router.version.major >= 7 else "old",
        sessions=4,
        file=line.file,
    )
    return await _open(device, 0)


def _zte(spelling: ZteSpelling, service: OltService) -> CommandLine:
    def noisy() -> bool:
        return "noisy_terminal" in service.active_faults()

    return ZteCommandLine(service.olt, service.moment, noisy, spelling)


def _huawei(service: OltService) -> CommandLine:
    return SmartAx(service.olt, service.moment)


def _cdata(service: OltService) -> CommandLine:
    return CData(service.olt, service.moment)


def _hsgq(service: OltService) -> CommandLine:
    return HsgqEpon(service.olt, service.moment)


# By names of OLT_MODELS; of the others no command line is known.
OLT_LINES: dict[str, Callable[[OltService], CommandLine]] = {
    "zte-c300": partial(_zte, C300),
    "zte-c320": partial(_zte, C320),
    "zte-c320-v2.2": partial(_zte, C320),
    "zte-c600": partial(_zte, C600),
    "huawei": _huawei,
    "cdata": _cdata,
    "hsgq-epon": _hsgq,
}


async def open_olt(service: OltService, age: str, port: int) -> Shell | None:
    """Open the command line of an OLT, which bears a few logins; None when none is known."""
    line = OLT_LINES.get(service.wish.model)
    if line is None:
        return None
    device = SshDevice(
        username=service.access.username,
        password=service.access.password,
        command_line=lambda: line(service),
        answers=service.answers,
        faults=service.active_faults,
        age=age or "old",
        banner="Authorised users only!\r\n",
        sessions=4,
    )
    return await _open(device, port)
