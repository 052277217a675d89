"""What a village router has in its lists when it leaves the installer's hands."""

from kampungnet_sim import routeros_inputs as inputs
from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_store_hotspot import hotspot_tables
from kampungnet_sim.routeros_tables import Table, TableSpec
from kampungnet_sim.village import VillageProfile

_POOL = TableSpec(frozenset({"name", "ranges", "next-pool", "comment"}), {}, required=("name",))
_QUEUE = TableSpec(
    frozenset(
        "name target dst parent packet-marks priority queue limit-at max-limit burst-limit"
        " burst-threshold burst-time bucket-size disabled comment".split()
    ),
    {
        "parent": "none", "packet-marks": "", "priority": "8/8", "limit-at": "0/0",
        "queue": "default-small/default-small", "burst-limit": "0/0", "burst-threshold": "0/0",
        "burst-time": "0s/0s", "bucket-size": "0.1/0.1", "bytes": "0/0", "packets": "0/0",
        "dropped": "0/0", "rate": "0/0", "packet-rate": "0/0", "queued-bytes": "0/0",
        "queued-packets": "0/0", "invalid": "false", "dynamic": "false", "disabled": "false",
    },
    ordered=True,
)  # fmt: skip
_RADIUS = TableSpec(
    frozenset(
        "service address secret authentication-port accounting-port timeout accounting-backup"
        " called-id domain realm protocol certificate src-address require-message-auth disabled"
        " comment".split()
    ),
    {
        "authentication-port": "1812", "accounting-port": "1813", "timeout": "1100ms",
        "accounting-backup": "false", "called-id": "", "domain": "", "realm": "",
        "protocol": "udp", "disabled": "false",
    },
    unique=".none",
)  # fmt: skip
_SCHEDULER = TableSpec(
    frozenset("name start-date start-time interval on-event policy disabled comment".split()),
    {"owner": "admin", "run-count": "0", "disabled": "false"},
    required=("name",),
)
_SCRIPT = TableSpec(
    frozenset("name owner policy dont-require-permissions source comment".split()),
    {"owner": "admin", "run-count": "0", "invalid": "false"},
    required=("name",),
)
_NETWATCH = TableSpec(
    frozenset("name host type interval timeout up-script down-script disabled comment".split()),
    {"interval": "1m", "timeout": "3s", "disabled": "false"},
    unique="host",
)
_FILTER = TableSpec(
    frozenset(
        "chain action protocol src-address dst-address dst-port src-port in-interface out-interface"
        " connection-state src-address-list dst-address-list log log-prefix jump-target dst-limit reject-with hotspot"
        " disabled comment".split()
    ),
    {"dynamic": "false", "disabled": "false", "invalid": "false", "log": "false"},
    unique=".none",
    required=("chain", "action"),
    ordered=True,
    readers={"dst-limit": inputs.dst_limit},
)
_ADDRESS_LIST = TableSpec(
    frozenset("list address timeout disabled comment".split()),
    {"dynamic": "false", "disabled": "false"},
    unique=".none",
)
_LOGGING = TableSpec(
    frozenset("topics action prefix regex disabled".split()),
    {"prefix": "", "invalid": "false", "default": "false", "disabled": "false"},
    unique=".none",
)

_FILTER_ROWS = (
    {"chain": "input", "action": "accept", "connection-state": "established,related,untracked",
     "comment": "defconf: accept established,related,untracked"},
    {"chain": "input", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"},
    {"chain": "input", "action": "accept", "protocol": "icmp", "comment": "defconf: accept ICMP"},
    {"chain": "forward", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"},
)  # fmt: skip
_FASTTRACK = {"chain": "forward", "action": "fasttrack-connection", "comment": "defconf: fasttrack",
              "connection-state": "established,related"}  # fmt: skip


def new_tables(profile: VillageProfile) -> dict[str, Table]:
    """All changeable lists of one router, by menu path."""
    return {**hotspot_tables(profile), **_network_tables(profile), **_system_tables(profile)}


def _network_tables(profile: VillageProfile) -> dict[str, Table]:
    wan = profile.router.wan_interface
    mbps = profile.contract_mbps
    fasttrack = [_FASTTRACK] if "fasttrack" in profile.features else []
    return {
        "/ip/pool": Table(
            _POOL,
            [
                {"name": "hs-pool", "ranges": "10.5.50.10-10.5.53.254"},
                {"name": "dhcp-kantor", "ranges": "192.168.88.10-192.168.88.254"},
            ],
        ),
        "/queue/simple": Table(
            _QUEUE,
            [{"name": "total-desa", "target": wan, "max-limit": f"{mbps}000000/{mbps}000000"}],
        ),
        "/ip/firewall/filter": Table(_FILTER, [*_FILTER_ROWS[:3], *fasttrack, *_FILTER_ROWS[3:]]),
        "/ip/firewall/nat": Table(
            _FILTER,
            [{"chain": "srcnat", "action": "masquerade", "out-interface": wan,
              "comment": "defconf: masquerade"}],
        ),
        "/ip/firewall/mangle": Table(_FILTER),
        "/ip/firewall/raw": Table(_FILTER),
        "/ip/firewall/address-list": Table(
            _ADDRESS_LIST, [{"list": "kantor", "address": "192.168.88.0/24"}]
        ),
    }  # fmt: skip


def _system_tables(profile: VillageProfile) -> dict[str, Table]:
    server = {"service": "hotspot", "address": "10.100.0.10", "secret": "rahasia-radius", "timeout": "3s"}
    if profile.ros >= RosVersion(7, 15):
        server["require-message-auth"] = "yes-for-request-resp"
    logging = [
        {"topics": topic, "action": "memory", "default": "true"} for topic in ("info", "error", "warning", "critical")
    ]
    if "hotspot-log" in profile.features:
        logging.append({"topics": "hotspot,info,debug", "action": "disk", "prefix": "->"})
    return {
        "/radius": Table(_RADIUS, [server] if "radius" in profile.features else []),
        "/system/scheduler": Table(_SCHEDULER),
        "/system/script": Table(_SCRIPT),
        "/system/logging": Table(_LOGGING, logging),
        "/tool/netwatch": Table(
            _NETWATCH,
            [
                {"host": "8.8.8.8", "comment": "internet", "type": "icmp", "name": "internet"},
                {"host": "1.1.1.1"},
                {"host": "192.168.88.10", "comment": "Printer kantor"},
                {"host": "203.0.113.9", "comment": "server lama", "disabled": "true"},
            ],
        ),
    }
