"""What a village router's hotspot has in its lists when it leaves the installer's hands."""

from kampungnet_sim import routeros_inputs as inputs
from kampungnet_sim.chance import generator
from kampungnet_sim.routeros_tables import Row, Table, TableSpec
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
    readers={
        **inputs.each(inputs.size, "limit-bytes-in limit-bytes-out limit-bytes-total"),
        "limit-uptime": inputs.time, "mac-address": inputs.mac, "disabled": inputs.truth,
    },
    twin="failure: already have user with this name for this server",
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
    readers={
        **inputs.each(inputs.time, "session-timeout idle-timeout keepalive-timeout status-autorefresh"),
        **inputs.each(inputs.truth, "add-mac-cookie transparent-proxy"),
        "mac-cookie-timeout": inputs.time, "shared-users": inputs.many, "rate-limit": inputs.rate,
    },
)  # fmt: skip
_SERVER = TableSpec(
    frozenset(
        "name interface address-pool profile idle-timeout keepalive-timeout login-timeout addresses-per-mac"
        " disabled".split()
    ),
    {
        "address-pool": "none", "profile": "default", "idle-timeout": "5m", "keepalive-timeout": "none",
        "login-timeout": "none", "addresses-per-mac": "2", "disabled": "true",
    },
    required=("interface",),
    readers={
        **inputs.each(inputs.time, "idle-timeout keepalive-timeout login-timeout"),
        "addresses-per-mac": inputs.many, "disabled": inputs.truth,
    },
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
        "html-directory": "hotspot", "html-directory-override": "", "login-by": "cookie,http-chap",
        "use-radius": "false", "http-cookie-lifetime": "3d", "split-user-domain": "false", "default": "false",
    },
    required=("name",),
    readers={
        **inputs.each(inputs.time, "http-cookie-lifetime trial-uptime-limit trial-uptime-reset"),
        **inputs.each(inputs.truth, "use-radius radius-accounting split-user-domain https-redirect"),
        "login-by": inputs.some_of("mac", "cookie", "http-chap", "https", "http-pap", "trial", "mac-cookie"),
        "rate-limit": inputs.rate,
    },
)  # fmt: skip
_BINDING = TableSpec(
    frozenset("mac-address address to-address server type disabled comment".split()),
    {"type": "regular", "blocked": "false", "bypassed": "false", "disabled": "false"},
    unique="mac-address",
    ordered=True,
    choices={"type": frozenset({"regular", "bypassed", "blocked"})},
    readers={"mac-address": inputs.mac, "disabled": inputs.truth},
    follows=lambda row: {one: str(row.get("type") == one).lower() for one in ("blocked", "bypassed")},
    twin="failure: already have such item",
)
_GARDEN = TableSpec(
    frozenset("action server src-address dst-host dst-port method path disabled comment".split()),
    {"action": "allow", "hits": "0", "dynamic": "false", "disabled": "false"},
    unique=".none",
    ordered=True,
    choices={"action": frozenset({"allow", "deny"})},
    readers={"disabled": inputs.truth},
)
_GARDEN_IP = TableSpec(
    frozenset(
        "action server protocol src-address dst-address src-address-list dst-address-list dst-host"
        " dst-port disabled comment".split()
    ),
    {"action": "accept", "invalid": "false", "disabled": "false"},
    unique=".none",
    ordered=True,
    choices={"action": frozenset({"accept", "drop", "reject"})},
    readers={"disabled": inputs.truth},
)
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
    rows = [{"name": "default-trial", "comment": "counters and limits for trial users", "default": "true"}]
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


def _servers(profile: VillageProfile) -> list[Row]:
    rows = [{"name": "hotspot1", "interface": "bridge-hotspot"}]
    if "second-hotspot" in profile.features:
        rows.append({"name": "hotspot-sekolah", "interface": "ether3", "disabled": "true"})
    return [{"disabled": "false", "address-pool": "hs-pool", "profile": "hsprof1", **row} for row in rows]


def hotspot_tables(profile: VillageProfile) -> dict[str, Table]:
    """The lists of the hotspot, by menu path."""
    # Boards with a flash folder keep only what lies in it (facts/routeros.md, 4.1 and 12.8).
    pages = {"html-directory": "flash/hotspot" if profile.router.has_flash_folder else "hotspot"}
    return {
        "/ip/hotspot": Table(_SERVER, _servers(profile)),
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
                {"name": "default", "default": "true", **pages},
                {"name": "hsprof1", **pages, "hotspot-address": "10.5.50.1", "dns-name": "wifi.desa",
                 "use-radius": "true" if "radius" in profile.features else "false"},
            ],
        ),
        "/ip/hotspot/ip-binding": Table(
            _BINDING,
            [
                {"mac-address": "08:55:31:00:00:01", "type": "bypassed", "comment": "Printer kantor"},
                {"mac-address": "08:55:31:00:00:02", "type": "bypassed", "comment": "CCTV"},
                {"mac-address": "08:55:31:00:00:03", "type": "bypassed", "comment": "Komputer Kaur Keuangan"},
            ],
        ),
        "/ip/hotspot/walled-garden": Table(_GARDEN, [{"dst-host": "*.go.id", "action": "allow"}]),
        "/ip/hotspot/walled-garden/ip": Table(_GARDEN_IP),
    }  # fmt: skip
