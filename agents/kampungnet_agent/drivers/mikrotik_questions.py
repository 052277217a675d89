"""What a router is asked: every command of a poll, with the properties that are used and no other.

Pure. Menus and properties: facts on RouterOS, section 7; properties that a version does not know
are simply absent from its answer, so one list serves 6 and 7.

How often: ``EACH`` at every poll; ``TABLES``, ``RARE`` and ``LASTING`` each tenth poll; ``FACTS`` once a
connection and every hour. Answers to ``LASTING`` and ``FACTS`` are kept and repeated in every reading.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .routeros_sentences import encode_command


@dataclass(frozen=True, slots=True)
class Question:
    """One command of a poll."""

    name: str
    """How ``missing`` calls it."""
    command: bytes
    right: str = "read"
    """The policy of the API user's group that it needs (MikroTik's page on users)."""
    group: str = ""
    """Menus that tell the same in different versions: only a router without any of them lacks something."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that are asked only when the router counted few enough of them."""

    question: Question
    count: str
    """Name of the ``count-only`` question."""
    most: int


def _menu(name: str, path: str, properties: str, *query: str, group: str = "") -> Question:
    return Question(name, encode_command(f"/{path}/print", "=.proplist=" + properties, *query), group=group)


def _count(name: str, path: str, *query: str, group: str = "") -> Question:
    return Question(name, encode_command(f"/{path}/print", "=count-only=", *query), group=group)


def _not(query: str) -> tuple[str, str]:
    """Return the words that drop rows with a property, and keep rows that do not know it."""
    return query, "?#!"


HEALTH_V6: Final = {
    b"voltage": "V",
    b"temperature": "C",
    b"cpu-temperature": "C",
    b"board-temperature": "C",
    b"board-temperature1": "C",
    b"board-temperature2": "C",
    b"fan1-speed": "RPM",
    b"fan2-speed": "RPM",
    b"fan3-speed": "RPM",
    b"fan4-speed": "RPM",
    b"psu1-voltage": "V",
    b"psu2-voltage": "V",
    b"psu1-current": "A",
    b"psu2-current": "A",
    b"power-consumption": "W",
    b"current": "",
}
"""Sensors that version 6 prints as properties of one row, with the unit version 7 gives them."""

_LOGINS: Final = (*_not("?default=true"), *_not("?name=default-trial"))
_STATIC: Final = _not("?dynamic=true")

WIRELESS: Final = tuple(
    _count(path, f"{path}/registration-table", group="wireless")
    for path in ("interface/wifi", "interface/wifiwave2", "interface/wireless", "caps-man")
)
"""Wi-Fi moved twice (facts 7.10). All are tried once a connection, those that exist are added up."""

CONTROLLERS: Final = tuple(
    _count(path, path, group="access points") for path in ("caps-man/remote-cap", "interface/wifi/capsman/remote-cap")
)

EACH: Final = (
    _menu(
        "resource",
        "system/resource",
        "uptime,version,cpu-load,free-memory,total-memory,free-hdd-space,total-hdd-space,board-name",
    ),
    _menu("health", "system/health", "name,value,type," + ",".join(name.decode() for name in HEALTH_V6)),
    _menu(
        "interfaces",
        "interface",
        ".id,name,type,running,disabled,rx-byte,tx-byte,rx-packet,tx-packet,"
        "rx-error,tx-error,rx-drop,tx-drop,link-downs,last-link-down-time",
    ),
    _count("hotspot sessions", "ip/hotspot/active"),
    _count("hotspot hosts", "ip/hotspot/host"),
    _count("dhcp leases", "ip/dhcp-server/lease", "?status=bound"),
    _menu(
        "default route",
        "ip/route",
        "gateway,active,disabled,distance,routing-mark,routing-table,immediate-gw,gateway-status",
        "?dst-address=0.0.0.0/0",
    ),
    *WIRELESS,
)

FACTS: Final = (
    _menu("identity", "system/identity", "name"),
    _menu("routerboard", "system/routerboard", "model,serial-number,current-firmware,upgrade-firmware"),
    _menu("licence", "system/license", "nlevel,level"),
    _menu("device-mode", "system/device-mode", "mode,hotspot"),
    # only what the router knows already: check-for-updates would wait for the internet (facts 7.2)
    _menu("package update", "system/package/update", "channel,installed-version,latest-version"),
    _menu("packages", "system/package", "name,version,disabled"),
    _menu("ethernet ports", "interface/ethernet", "name,default-name"),
    _count(
        "fasttrack",
        "ip/firewall/filter",
        "?action=fasttrack-connection",
        *_not("?disabled=true"),
    ),
)

PPPOE: Final = _menu("pppoe", "interface/pppoe-client", ".id,name,running,disabled")
"""Asked at every poll where there is such a line, with the tables where there is none."""
LASTING: Final = (
    _menu("hotspot servers", "ip/hotspot", "name,interface,profile,disabled,invalid"),
    _count("hotspot users", "ip/hotspot/user", *_LOGINS),
    _count("dhcp leases known", "ip/dhcp-server/lease"),
    *CONTROLLERS,
)
"""Asked with the tables, and repeated until the next: what changes by somebody's hand, not by the minute."""
RARE: Final = (
    _menu("netwatch", "tool/netwatch", "host,name,comment,status,since", *_not("?disabled=true")),
    _count("queue count", "queue/simple", *_STATIC),
    _count("log count", "log"),
    _menu("radius", "radius", ".id,address,service,disabled"),
)

STANDING: Final = (*EACH, PPPOE, *LASTING, *RARE, *FACTS)
"""All that is asked without knowing the router."""
TABLES: Final = (
    Table(
        _menu(
            "guests",
            "ip/hotspot/active",
            "user,mac-address,server,login-by,uptime,idle-time,bytes-in,bytes-out",
        ),
        "hotspot sessions",
        300,
    ),
    Table(
        _menu(
            "users",
            "ip/hotspot/user",
            "name,profile,server,disabled,comment,uptime,limit-uptime,limit-bytes-total,bytes-in,bytes-out",
            *_LOGINS,
        ),
        "hotspot users",
        400,
    ),
    Table(
        _menu("queues", "queue/simple", "name,target,disabled,max-limit,bytes,dropped", *_STATIC),
        "queue count",
        200,
    ),
    Table(_menu("log", "log", ".id,time,topics,message"), "log count", 1000),
    *(
        Table(
            _menu(
                f"{one.name} clients",
                f"{one.name}/registration-table",
                "interface,signal,signal-strength,rx-signal,bytes",
            ),
            one.name,
            500,
        )
        for one in WIRELESS
    ),
)

_LIGHT_LEVELS: Final = (
    "name,status,sfp-module-present,sfp-rx-loss,sfp-rx-power,sfp-tx-power,"
    "sfp-temperature,sfp-supply-voltage,sfp-tx-bias-current"
)
_LIGHT_MAKER: Final = ",sfp-vendor-name,sfp-vendor-part-number,sfp-vendor-serial,sfp-wavelength"


@lru_cache(maxsize=64)
def light_question(ports: tuple[str, ...], *, maker: bool) -> Question:
    """Return the look at some cages, ``maker`` for the module's name, too.

    ``.proplist`` is a hint here: only ``print`` promises to follow it (facts 3.2).
    """
    words = [f"=numbers={','.join(ports)}", "=once=", f"=.proplist={_LIGHT_LEVELS}{_LIGHT_MAKER if maker else ''}"]
    return Question("modules" if maker else "light", encode_command("/interface/ethernet/monitor", *words))


@lru_cache(maxsize=64)
def pppoe_question(name: str, number: str) -> Question:
    """Return the look at one dialled line; ``number`` is its ``.id``."""
    command = encode_command("/interface/pppoe-client/monitor", f"=numbers={number}", "=once=")
    return Question(f"pppoe {name}", command)


def radius_question(number: str) -> Question:
    """Return the look at the counters of one RADIUS server; ``number`` is its ``.id``."""
    return Question(f"radius {number}", encode_command("/radius/monitor", f"=numbers={number}", "=once="))


def server_questions(server: str) -> tuple[Question, Question]:
    """Return the counts of one of several captive portals."""
    query = f"?server={server}"
    return (
        _count(f"sessions of {server}", "ip/hotspot/active", query),
        _count(f"hosts of {server}", "ip/hotspot/host", query),
    )


@lru_cache(maxsize=64)
def ping_question(target: str, address: str, attempt: int = 1) -> Question:
    """Return one probe sent by the router itself. It waits a second at most: satellite links need 0.7.

    Several probes are several commands in flight: together they take no longer than one.
    """
    name = f"ping {target}" if attempt == 1 else f"ping {target} {attempt}"
    return Question(name, encode_command("/ping", f"=address={address}", "=count=1", "=interval=1s"), "test")


@lru_cache(maxsize=16)
def lookup_question(name: str) -> Question:
    """Return the question for one name, answered by the router's own resolver and its cache.

    The answer is ``=ret=`` with an address. That it needs ``test`` is not confirmed.
    """
    return Question(f"lookup {name}", encode_command("/resolve", f"=domain-name={name}"), "test")
