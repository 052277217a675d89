"""``/ip/dhcp-server`` and ``/ip/dhcp-client`` (facts/routeros.md, 7.8): leases in every state."""

from kampungnet_sim.routeros_menu import Menu, numbered
from kampungnet_sim.routeros_menus_ppp import LINE_GATEWAY
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import duration
from kampungnet_sim.village_guests import LEASE_TAIL_SECONDS, Visit

_STAFF_HOSTS = ("Printer-Kantor", "CCTV", "Komputer Kaur Keuangan")
_FLAGS = {"radius": "false", "blocked": "false", "disabled": "false"}


def _servers(_: Moment) -> list[Row]:
    row = {"lease-time": "30m", "dynamic": "false", "invalid": "false", "disabled": "false"}
    return numbered(
        [
            {"name": "dhcp-hotspot", "interface": "bridge-hotspot", "address-pool": "hs-pool", **row},
            {"name": "dhcp-kantor", "interface": "bridge-kantor", "address-pool": "dhcp-kantor", **row},
        ]
    )


def _office_leases() -> list[Row]:
    rows = []
    for index, name in enumerate(_STAFF_HOSTS, 1):
        mac, address = f"08:55:31:00:00:{index:02X}", f"192.168.88.{9 + index}"
        rows.append(
            {
                ".id": f"*{index:X}", "address": address, "mac-address": mac, "server": "dhcp-kantor",
                "address-lists": "", "dhcp-option": "", "status": "bound", "expires-after": "17m",
                "last-seen": "13m", "active-address": address, "active-mac-address": mac,
                "active-server": "dhcp-kantor", "host-name": name, **_FLAGS, "dynamic": "false",
                "comment": "Perangkat desa",
            }
        )  # fmt: skip
    return rows


def _unused_leases(moment: Moment) -> list[Row]:
    """Every state but ``bound``: a static lease whose owner is away has no ``active-*`` at all."""
    # Version 6 is said to call it "busy" (unconfirmed).
    conflict = "busy" if moment.version.major < 7 else "conflict"
    office = {"server": "dhcp-kantor", "dynamic": "false", **_FLAGS}
    guest = {"server": "dhcp-hotspot", "dynamic": "true", **_FLAGS}
    return [
        {".id": "*4", "address": "192.168.88.77", "mac-address": "08:55:31:00:00:77", "status": "waiting",
         "last-seen": "never", **office},
        {".id": "*5", "address": "192.168.88.78", "mac-address": "08:55:31:00:00:78", "status": "waiting",
         "last-seen": "4w2d3h", "comment": "Laptop lama", **office, "disabled": "true"},
        {".id": "*6", "address": "192.168.88.79", "mac-address": "08:55:31:00:00:79", "status": "waiting",
         "last-seen": "1d2h", "comment": "diblokir", **office, "blocked": "true"},
        {".id": "*7", "address": "10.5.53.250", "mac-address": "D2:00:00:00:00:01", "status": "offered",
         "expires-after": "12s", "last-seen": "18s", **guest},
        {".id": "*8", "address": "10.5.53.251", "mac-address": "00:00:00:00:00:00", "status": conflict,
         "last-seen": "3m", **guest},
    ]  # fmt: skip


def _guest_lease(visit: Visit, now: float, boot: float) -> Row:
    age = now - visit.session_start(boot)
    left = LEASE_TAIL_SECONDS - min(now - min(now, visit.end), LEASE_TAIL_SECONDS - 1)
    client = f"1:{visit.mac.lower()}"
    return {
        ".id": f"*{int(visit.start) % 97 * 4096 + visit.number + 16:X}",
        "address": visit.address, "mac-address": visit.mac, "client-id": client,
        "address-lists": "", "server": "dhcp-hotspot", "dhcp-option": "", "status": "bound",
        "expires-after": duration(left), "last-seen": duration(max(age, 0) % 900),
        "active-address": visit.address, "active-mac-address": visit.mac, "active-client-id": client,
        "active-server": "dhcp-hotspot", "host-name": visit.host_name, "radius": "false",
        "dynamic": "true", "blocked": "false", "disabled": "false",
    }  # fmt: skip


def _leases(moment: Moment) -> list[Row]:
    now, boot = moment.state.time, moment.state.boot_time
    guests = [_guest_lease(visit, now, boot) for visit in moment.leases]
    return [*_office_leases(), *_unused_leases(moment), *guests]


def _clients(moment: Moment) -> list[Row]:
    if moment.profile.dialled:
        return []
    row = {"interface": moment.profile.router.wan_interface, "add-default-route": "yes", "use-peer-dns": "true",
           "use-peer-ntp": "true", "invalid": "false", "dynamic": "false", "disabled": "false"}  # fmt: skip
    if not moment.state.line_up:
        return numbered([{**row, "status": "searching..."}])
    bound = {"status": "bound", "address": "100.64.10.23/24", "gateway": LINE_GATEWAY, "dhcp-server": LINE_GATEWAY,
             "primary-dns": "1.1.1.1", "expires-after": "41m7s"}  # fmt: skip
    return numbered([{**row, **bound}])


MENUS: dict[str, Menu] = {
    "/ip/dhcp-server": Menu(_servers, steady=True),
    "/ip/dhcp-server/lease": Menu(_leases, each_second=True),
    "/ip/dhcp-client": Menu(_clients),
}
