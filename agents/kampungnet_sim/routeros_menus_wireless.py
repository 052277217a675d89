"""Radio tables: old wireless, wifiwave2, wifi, CAPsMAN old and new (facts/routeros.md, 7.10).

A version has some of these menus and not the others; the devices on the air are shared out over
the radios, so that the tables a router has add up to the truth.
"""

from math import sin

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_menu import Menu, nothing, numbered
from kampungnet_sim.routeros_menus_interface import interface_rows, mac_of
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import duration
from kampungnet_sim.village import VillageProfile
from kampungnet_sim.village_guests import Visit

_SSID = "WiFi Desa"
_NEW = RosVersion(7, 13)


def has_wireless(profile: VillageProfile) -> bool:
    """The old wireless package: in v6 and up to 7.12 everywhere, later where it is installed."""
    return profile.ros < _NEW or profile.router.wireless == "wireless"


def has_wifi(profile: VillageProfile) -> bool:
    """``/interface/wifi`` is part of the system from 7.13 on, radios or not."""
    return profile.ros >= _NEW


def has_wave2(profile: VillageProfile) -> bool:
    """``/interface/wifiwave2`` came with an extra package and was gone in 7.13."""
    return RosVersion(7, 1) <= profile.ros < _NEW and profile.router.wireless == "wifi"


def _controlled(profile: VillageProfile) -> tuple[str, ...]:
    if "capsman" not in profile.features:
        return ()
    return ("cap-wifi1", "cap-wifi2") if has_wifi(profile) else ("cap1", "cap2")


def _radios(profile: VillageProfile) -> tuple[str, ...]:
    own = {"wireless": ("wlan1",), "wifi": ("wifi1",), "none": ()}[profile.router.wireless]
    return (*own, *_controlled(profile))


def _heard(moment: Moment, wanted: tuple[str, ...]) -> list[tuple[str, Visit]]:
    """The devices on some of the radios, each with its radio."""
    radios = _radios(moment.profile)
    if not wanted or not radios:
        return []
    found = ((radios[visit.number % len(radios)], visit) for visit in moment.hosts)
    return [(radio, visit) for radio, visit in found if radio in wanted]


def _signal(visit: Visit, moment: Moment) -> int:
    """dBm: near or far for a whole visit, and some steps back and forth."""
    return round(-46 - visit.number * 7 % 38 + 3 * sin(moment.state.time / 240 + visit.number))


def _row_id(visit: Visit) -> str:
    return f"*{int(visit.start) % 97 * 4096 + visit.number + 16:X}"


def _common(visit: Visit, moment: Moment) -> tuple[int, int, Row]:
    seconds = int(moment.state.time - visit.session_start(moment.state.boot_time))
    down, up = int(visit.down_bps * seconds / 8), int(visit.up_bps * seconds / 8)
    down, up = max(down, 0), max(up, 0)
    # From the access point to the device comes first: the download (facts, section 8).
    return down, up, {
        "packets": f"{down // 1020},{up // 260}",
        "bytes": f"{down},{up}",
        "uptime": duration(max(seconds, 1)),
        "last-activity": f"{visit.number % 90 * 10}ms",
    }  # fmt: skip


def _old_row(radio: str, visit: Visit, moment: Moment) -> Row:
    signal = _signal(visit, moment)
    down, up, common = _common(visit, moment)
    old = moment.version.major < 7
    return {
        ".id": _row_id(visit), "interface": radio, "mac-address": visit.mac,
        "ap": "false", "wds": "false", "bridge": "false",
        "rx-rate": "65Mbps-20MHz/1S", "tx-rate": "72.2Mbps-20MHz/1S/SGI", **common,
        "frames": common["packets"], "frame-bytes": common["bytes"],
        "hw-frames": f"{down // 900},{up // 240}", "hw-frame-bytes": f"{down * 103 // 100},{up * 104 // 100}",
        "tx-frames-timed-out": "0",
        "signal-strength": f"{signal}@6Mbps" if old else str(signal),
        "signal-to-noise": str(max(104 + signal, 1)), "signal-strength-ch0": str(signal - 1),
        "signal-strength-ch1": str(signal - 7), "tx-signal-strength": str(signal + 2),
        "tx-ccq": str(99 - visit.number % 40), "p-throughput": "54928", "last-ip": visit.address,
        "802.1x-port-enabled": "true", "authentication-type": "wpa2-psk", "encryption": "aes-ccm",
        "group-encryption": "aes-ccm", "management-protection": "false", "wmm-enabled": "true",
    }  # fmt: skip


def _new_row(radio: str, visit: Visit, moment: Moment) -> Row:
    _, _, common = _common(visit, moment)
    row = {
        ".id": _row_id(visit), "interface": radio, "ssid": _SSID, "mac-address": visit.mac,
        "band": "2ghz-ax", "auth-type": "wpa2-psk", "authorized": "true",
        "signal": str(_signal(visit, moment)), "tx-rate": "72200000", "rx-rate": "65000000", **common,
    }  # fmt: skip
    if moment.version >= _NEW:
        row["tx-bits-per-second"], row["rx-bits-per-second"] = str(int(visit.down_bps)), str(int(visit.up_bps))
    return row


def _cap_row(radio: str, visit: Visit, moment: Moment) -> Row:
    _, _, common = _common(visit, moment)
    del common["last-activity"]
    signal = _signal(visit, moment)
    return {
        ".id": _row_id(visit), "interface": radio, "ssid": _SSID, "mac-address": visit.mac,
        "tx-rate": "72.2Mbps-20MHz/1S/SGI", "rx-rate": "65Mbps-20MHz/1S",
        "rx-signal": str(signal), "tx-signal": str(signal + 3), **common, "eap-identity": "",
    }  # fmt: skip


def _old_clients(moment: Moment) -> list[Row]:
    return [_old_row(radio, visit, moment) for radio, visit in _heard(moment, ("wlan1",))]


def _new_clients(moment: Moment) -> list[Row]:
    radios = ("wifi1", *_controlled(moment.profile))
    return [_new_row(radio, visit, moment) for radio, visit in _heard(moment, radios)]


def _wave2_clients(moment: Moment) -> list[Row]:
    return [_new_row(radio, visit, moment) for radio, visit in _heard(moment, ("wifi1",))]


def _cap_clients(moment: Moment) -> list[Row]:
    radios = () if has_wifi(moment.profile) else _controlled(moment.profile)
    return [_cap_row(radio, visit, moment) for radio, visit in _heard(moment, radios)]


def _own_radios(kind: str) -> Menu:
    def rows(moment: Moment) -> list[Row]:
        found = [row for row in interface_rows(moment) if row["type"] == kind]
        for row in found:
            row |= {"ssid": _SSID, "band": "2ghz-b/g/n", "frequency": "2437", "mode": "ap-bridge"}
        return found

    return Menu(rows)


def _points(moment: Moment) -> list[tuple[int, str, str]]:
    """Controlled access points: place, name, address of the radio."""
    names = _controlled(moment.profile)
    return [(n, f"AP-{'Pasar' if n == 1 else 'Sekolah'}", mac_of(moment.profile.code, 60 + n))
            for n in range(1, len(names) + 1)]  # fmt: skip


def _old_caps(moment: Moment) -> list[Row]:
    if has_wifi(moment.profile):
        return []
    return numbered(
        {"address": f"{mac}/1", "name": f"[{mac}]", "board": "RBcAPGi-5acD2nD", "serial": f"AD1B0{place}7C55E1",
         "version": "6.49.10", "identity": name, "base-mac": mac, "state": "Run", "radios": "1"}
        for place, name, mac in _points(moment)
    )  # fmt: skip


def _new_caps(moment: Moment) -> list[Row]:
    return numbered(
        {"address": f"192.168.88.{200 + place}", "identity": name, "board-name": "cAP ax",
         "serial": f"HGB0{place}8M2KXA", "version": "7.20.6", "base-mac": mac, "common-name": "", "state": "Ok"}
        for place, name, mac in _points(moment)
    )  # fmt: skip


def _old_interfaces(moment: Moment) -> list[Row]:
    if has_wifi(moment.profile):
        return []
    return numbered(
        ({"name": f"cap{place}", "mac-address": mac, "arp": "enabled", "master-interface": "none", "running": "true",
          "disabled": "false", "bound": "true", "dynamic": "true", "current-state": "running-ap",
          "current-registered-clients": "0"}
         for place, _, mac in _points(moment)), 0x40
    )  # fmt: skip


def _capsman_settings(moment: Moment) -> list[Row]:
    return [{"enabled": "true" if "capsman" in moment.profile.features else "false", "interfaces": "all"}]


MENUS: dict[str, Menu] = {
    "/interface/wireless": Menu(lambda moment: _own_radios("wlan").rows(moment), owners=has_wireless),
    "/interface/wireless/registration-table": Menu(_old_clients, each_second=True, owners=has_wireless),
    "/interface/wifi": Menu(lambda moment: _own_radios("wifi").rows(moment), owners=has_wifi),
    "/interface/wifi/registration-table": Menu(_new_clients, each_second=True, owners=has_wifi),
    "/interface/wifi/capsman": Menu(_capsman_settings, steady=True, owners=has_wifi),
    "/interface/wifi/capsman/remote-cap": Menu(_new_caps, steady=True, owners=has_wifi),
    "/interface/wifiwave2": Menu(lambda moment: _own_radios("wifi").rows(moment), owners=has_wave2),
    "/interface/wifiwave2/registration-table": Menu(_wave2_clients, each_second=True, owners=has_wave2),
    "/interface/wifiwave2/capsman/remote-cap": Menu(nothing, steady=True, owners=has_wave2),
    "/caps-man/interface": Menu(_old_interfaces, steady=True, owners=has_wireless),
    "/caps-man/remote-cap": Menu(_old_caps, steady=True, owners=has_wireless),
    "/caps-man/registration-table": Menu(_cap_clients, each_second=True, owners=has_wireless),
}
