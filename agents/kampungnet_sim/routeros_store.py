"""What a village router has in its lists when it leaves the installer's hands."""

from kampungnet_sim.chance import generator
from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_tables import Table, TableSpec
from kampungnet_sim.village import VillageProfile
from kampungnet_sim.village_guests import TABLE_USERS, voucher_names

_HOTSPOT_USER = TableSpec(
    frozenset(
        "server name password address mac-address profile routes email limit-uptime limit-bytes-in"
        " limit-bytes-out limit-bytes-total disabled comment".split()
    ),
    {
        "profile": "default", "uptime": "0s", "bytes-in": "0", "bytes-out": "0",
        "packets-in": "0", "packets-out": "0", "dynamic": "false", "disabled": "false",
    },
    required=("name",),
)  # fmt: skip
_USER_PROFILE = TableSpec(
    frozenset(
        "name address-pool session-timeout idle-timeout keepalive-timeout status-autorefresh shared-users"
        " add-mac-cookie mac-cookie-timeout rate-limit insert-queue-before parent-queue queue-type"
        " address-list incoming-filter outgoing-filter incoming-packet-mark outgoing-packet-mark"
        " open-status-page on-login on-logout transparent-proxy".split()
    ),
    {
        "idle-timeout": "none", "keepalive-timeout": "2m", "status-autorefresh": "1m",
        "shared-users": "1", "add-mac-cookie": "true", "mac-cookie-timeout": "3d",
        "address-list": "", "transparent-proxy": "false", "default": "false",
    },
    required=("name",),
)  # fmt: skip
_SERVER_PROFILE = TableSpec(
    frozenset(
        "name hotspot-address dns-name html-directory html-directory-override install-hotspot-queue"
        " rate-limit http-proxy smtp-server login-by mac-auth-mode mac-auth-password"
        " http-cookie-lifetime https-redirect ssl-certificate split-user-domain trial-uptime-limit"
        " trial-uptime-reset trial-user-profile use-radius radius-accounting radius-interim-update"
        " radius-default-domain radius-location-id radius-location-name radius-mac-format"
        " nas-port-type".split()
    ),
    {
        "html-directory": "flash/hotspot", "login-by": "cookie,http-chap", "use-radius": "false",
        "http-cookie-lifetime": "3d", "split-user-domain": "false", "default": "false",
    },
    required=("name",),
)  # fmt: skip
_BINDING = TableSpec(
    frozenset("mac-address address to-address server type disabled comment".split()),
    {"type": "regular", "blocked": "false", "bypassed": "false", "disabled": "false"},
    unique="mac-address",
    choices={"type": frozenset({"regular", "bypassed", "blocked"})},
)
_GARDEN = TableSpec(
    frozenset("action server src-address dst-host dst-port method path disabled comment".split()),
    {"action": "allow", "hits": "0", "dynamic": "false", "disabled": "false"},
    unique=".none",
    choices={"action": frozenset({"allow", "deny"})},
)
_GARDEN_IP = TableSpec(
    frozenset(
        "action server protocol src-address dst-address src-address-list dst-address-list dst-host"
        " dst-port disabled comment".split()
    ),
    {"action": "accept", "invalid": "false", "disabled": "false"},
    unique=".none",
    choices={"action": frozenset({"accept", "drop", "reject"})},
)
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
        " connection-state src-address-list dst-address-list log log-prefix disabled comment".split()
    ),
    {"dynamic": "false", "disabled": "false", "invalid": "false", "log": "false"},
    unique=".none",
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
# Bytes of Latin-1, an emoji with a NUL behind it, and a name with the query's own signs.
_LATIN_USERS = ("Caf\udce9", "warga☕\x00", "?#=a,b")
# Comments that a client may take for a boolean or a number.
_ODD_COMMENTS = {"true": "yes", "no": "true", "007": "007", "628123": "yes", "Caf\udce9": "Bapak Jos\udce9"}


def _user_names(profile: VillageProfile) -> tuple[str, ...]:
    latin = _LATIN_USERS if "latin-names" in profile.features else ()
    names = (*TABLE_USERS, *latin, *voucher_names(profile.seed, profile.code, profile.scale.users))
    return names[: profile.scale.users]


def _user_rows(profile: VillageProfile) -> list[dict[str, str]]:
    chance = generator(profile.seed, profile.code, "hotspot users")
    rows = [{"name": "default-trial", "comment": "counters and limits for trial users",
             "default": "true"}]  # fmt: skip
    for place, name in enumerate(_user_names(profile)):
        used = chance.randrange(0, 40 * 3_600)
        row = {
            "name": name,
            "password": f"{chance.randrange(10**6):06d}",
            "profile": "voucher",
            "server": "hotspot1",
            "uptime": f"{used // 3600}h{used % 3600 // 60 + 1}m",
            "bytes-in": str(used * chance.randrange(1_000, 9_000)),
            "bytes-out": str(used * chance.randrange(9_000, 90_000)),
            "comment": _ODD_COMMENTS.get(name, "vc-241-11.20.25-" if name[0] == "v" else "up-desa"),
        }
        if place % 10 == 7:
            row |= {"limit-uptime": "1w", "limit-bytes-total": "5368709120"}
        if place % 40 == 11:
            row["disabled"] = "true"
        rows.append(row)
    return rows


def new_tables(profile: VillageProfile) -> dict[str, Table]:
    """All changeable lists of one router, by menu path."""
    return {**_hotspot_tables(profile), **_network_tables(profile), **_system_tables(profile)}


def _hotspot_tables(profile: VillageProfile) -> dict[str, Table]:
    return {
        "/ip/hotspot/user": Table(_HOTSPOT_USER, _user_rows(profile)),
        "/ip/hotspot/user/profile": Table(
            _USER_PROFILE,
            [
                {"name": "default", "default": "true"},
                {"name": "voucher", "shared-users": "3", "rate-limit": "1M/4M",
                 "session-timeout": "1d"},
            ],
        ),
        "/ip/hotspot/profile": Table(
            _SERVER_PROFILE,
            [
                {"name": "default", "default": "true"},
                {"name": "hsprof1", "hotspot-address": "10.5.50.1", "dns-name": "wifi.desa",
                 "use-radius": "true" if "radius" in profile.features else "false"},
            ],
        ),
        "/ip/hotspot/ip-binding": Table(
            _BINDING,
            [
                {"mac-address": "08:55:31:00:00:01", "type": "bypassed", "bypassed": "true",
                 "comment": "Printer kantor"},
                {"mac-address": "08:55:31:00:00:02", "type": "bypassed", "bypassed": "true",
                 "comment": "CCTV"},
                {"mac-address": "08:55:31:00:00:03", "type": "bypassed", "bypassed": "true",
                 "comment": "Komputer Kaur Keuangan"},
            ],
        ),
        "/ip/hotspot/walled-garden": Table(_GARDEN, [{"dst-host": "*.go.id", "action": "allow"}]),
        "/ip/hotspot/walled-garden/ip": Table(_GARDEN_IP),
    }  # fmt: skip


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
