"""``/system`` and ``/user`` (facts/routeros.md, 7.1, 7.2, 7.13)."""

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_menu import Menu, numbered
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import (
    boolean,
    date_text,
    duration,
    stamp,
    time_text,
)
from kampungnet_sim.village import VillageProfile
from kampungnet_sim.village_day import WIB_SECONDS

# 2025-09-01, before every version simulated here was built into a board.
_BUILD = 1_756_684_800.0
_V6_PACKAGES = ("routeros-", "system", "security", "dhcp", "hotspot", "ppp", "wireless", "advanced-tools")


def _resource(moment: Moment) -> list[Row]:
    state, router = moment.state, moment.profile.router
    return [
        {
            "uptime": duration(state.uptime_seconds),
            "version": moment.profile.version,
            "build-time": stamp(_BUILD, moment.version),
            "factory-software": "6.44.6",
            "free-memory": str(state.free_memory_bytes),
            "total-memory": str(router.memory_bytes),
            "cpu": router.cpu,
            "cpu-count": str(router.cpu_count),
            "cpu-frequency": str(router.cpu_mhz),
            "cpu-load": str(state.cpu_load_percent),
            "free-hdd-space": str(moment.router.flash.free(state.free_storage_bytes)),
            "total-hdd-space": str(router.disk_bytes),
            "write-sect-since-reboot": str(1_200 + state.uptime_seconds // 90),
            "write-sect-total": str(181_000 + int(state.time) // 90 % 900_000),
            "bad-blocks": "0",
            "architecture-name": router.architecture,
            "board-name": router.board_name,
            "platform": "MikroTik",
        }
    ]


def _cpu(moment: Moment) -> list[Row]:
    load = moment.state.cpu_load_percent
    return numbered(
        ({"cpu": f"cpu{n}", "load": str(load), "irq": "1", "disk": "0"}) for n in range(moment.profile.router.cpu_count)
    )


def _identity(moment: Moment) -> list[Row]:
    return [{"name": f"Desa {moment.profile.name}"}]


def _clock(moment: Moment) -> list[Row]:
    return [
        {
            "time": time_text(moment.wall),
            "date": date_text(moment.wall, moment.version),
            "time-zone-autodetect": "true",
            "time-zone-name": "Asia/Jakarta",
            "gmt-offset": f"+{WIB_SECONDS // 3_600:02d}:00",
            "dst-active": "false",
        }
    ]


def _routerboard(moment: Moment) -> list[Row]:
    profile = moment.profile
    if profile.router.is_virtual:
        return [{"routerboard": "false"}]
    firmware = profile.version.split(" ", 1)[0]
    older = "6.48.6" if moment.version.major < 7 else "7.1.5"
    return [
        {
            "routerboard": "true",
            "board-name": profile.router.board_name,
            "model": profile.router.model,
            "serial-number": profile.router_serial,
            "firmware-type": "mt7621L" if profile.router.architecture == "mmips" else "qca9531L",
            "factory-firmware": "6.44.6",
            "current-firmware": older if "old-firmware" in profile.features else firmware,
            "upgrade-firmware": firmware,
        }
    ]


def _sensors(moment: Moment) -> dict[str, tuple[str, str]]:
    state = moment.state
    known = {
        "voltage": (f"{state.voltage_volts:.1f}", "V"),
        "temperature": (str(state.temperature_celsius), "C"),
        "cpu-temperature": (str(state.temperature_celsius + 9), "C"),
    }
    return {name: known[name] for name in moment.profile.router.sensors}


def _health(moment: Moment) -> list[Row]:
    if moment.profile.router.is_virtual:
        # CHR has a settings row here and no sensor at all.
        return [{"state": "disabled", "state-after-reboot": "disabled"}]
    sensors = _sensors(moment)
    if moment.version.major < 7:
        return [{name: value for name, (value, _) in sensors.items()}]
    return numbered(({"name": name, "value": value, "type": kind} for name, (value, kind) in sensors.items()), 13)


def _has_health(profile: VillageProfile) -> bool:
    # Some v6 boards without sensors have no such menu (routeros-check).
    return profile.ros.major >= 7 or bool(profile.router.sensors)


def _package(moment: Moment) -> list[Row]:
    version = moment.profile.version.split(" ", 1)[0]
    arch = moment.profile.router.architecture
    names = [n + arch if n.endswith("-") else n for n in _V6_PACKAGES]
    if moment.version.major >= 7:
        wireless = moment.profile.router.wireless
        extra = {"wifi": ["wifi-qcom"], "wireless": ["wireless"], "none": []}[wireless]
        names = ["routeros", *(extra if moment.version >= RosVersion(7, 13) else [])]
    row = {
        "version": version,
        "build-time": stamp(_BUILD, moment.version),
        "scheduled": "",
        "disabled": "false",
    }
    rows = [{"name": name, **row} for name in names]
    if "no-hotspot-package" in moment.profile.features:
        rows = [{**r, "disabled": "true"} if r["name"] == "hotspot" else r for r in rows]
    if moment.version >= RosVersion(7, 18):
        # From here on packages that could be installed are listed too.
        rows = [{**r, "available": "false", "size": "11534336"} for r in rows]
        rows += [{"name": name, "available": "true", "size": "1048576"} for name in ("container", "zerotier")]
    return numbered(rows)


def newer_version(profile: VillageProfile) -> str:
    """The next patch release of what is installed."""
    ros = profile.ros
    return f"{ros.major}.{ros.minor}.{ros.patch + 1}"


def _update(moment: Moment) -> list[Row]:
    """What the router found at its last look; it forgets it at a restart, so most routers know nothing."""
    version = moment.profile.version.split(" ", 1)[0]
    row = {"channel": "stable" if moment.version.major > 6 else "long-term", "installed-version": version}
    if "update-known" in moment.profile.features:
        row |= {"latest-version": newer_version(moment.profile), "status": "New version is available"}
    return [row]


def _license(moment: Moment) -> list[Row]:
    if moment.profile.router.is_virtual:
        return [{"system-id": "Kz7bX2cPq4J", "level": "free", "limited-upgrades": "false"}]
    level = "3" if "level-3" in moment.profile.features else "4"
    return [{"software-id": "KN42-0001", "nlevel": level, "features": ""}]


_MODE_FLAGS = (
    "scheduler socks fetch pptp l2tp bandwidth-test traffic-gen sniffer ipsec romon proxy hotspot smb email"
    " zerotier container"
).split()
# What the mode "home" blocks of them (facts/routeros.md, 7.2).
_NOT_AT_HOME = frozenset("scheduler socks fetch bandwidth-test traffic-gen sniffer romon proxy hotspot email".split())


def _device_mode(moment: Moment) -> list[Row]:
    """The menu is in every version 7; 7.17 brought new names of modes and stricter factory settings."""
    forbidden = "hotspot-forbidden" in moment.profile.features
    new = moment.version >= RosVersion(7, 17)
    at_home = moment.profile.router.wireless != "none"
    blocked = (_NOT_AT_HOME if at_home else {"hotspot", "proxy", "socks", "container"}) if forbidden else {"container"}
    mode = ("home" if at_home or not new else "basic") if forbidden else ("advanced" if new else "enterprise")
    row = {"mode": mode, **{flag: boolean(flag not in blocked) for flag in _MODE_FLAGS}}
    row |= {"flagged": "false", "flagging-enabled": "true", "attempt-count": "0"}
    if new:
        row["allowed-versions"] = "7.13+,6.49.8+"
    return [row]


def _own(path: str) -> Menu:
    """A list the router has for itself (:mod:`kampungnet_sim.routeros_own`)."""
    return Menu(lambda moment: moment.router.own.rows(path))


def _user_active(moment: Moment) -> list[Row]:
    return numbered(
        {
            "when": stamp(s.since, moment.version),
            "name": s.user,
            "address": s.address,
            "via": "api",
            "group": moment.router.users[s.user].group if s.user in moment.router.users else "",
            "radius": "false",
        }
        for s in moment.router.sessions.values()
    )


def _real_board(profile: VillageProfile) -> bool:
    return not profile.router.is_virtual


MENUS: dict[str, Menu] = {
    "/system/resource": Menu(_resource),
    "/system/resource/cpu": Menu(_cpu),
    "/system/identity": Menu(_identity, steady=True),
    "/system/clock": Menu(_clock),
    "/system/routerboard": Menu(_routerboard, steady=True, owners=lambda p: _real_board(p) or p.ros.major < 7),
    "/system/health": Menu(_health, owners=_has_health),
    "/system/package": Menu(_package, steady=True),
    "/system/package/update": Menu(_update, steady=True),
    "/system/license": Menu(_license, steady=True),
    "/system/device-mode": Menu(_device_mode, steady=True, owners=lambda p: p.ros.major >= 7),
    "/user": _own("/user"),
    "/user/group": _own("/user/group"),
    "/user/active": Menu(_user_active),
    "/ip/service": _own("/ip/service"),
    "/certificate": _own("/certificate"),
    "/system/ntp/client": _own("/system/ntp/client"),
    # In version 6 the server is a package of its own, which villages do not have.
    "/system/ntp/server": Menu(
        lambda moment: moment.router.own.rows("/system/ntp/server"), owners=lambda p: p.ros.major >= 7
    ),
}
