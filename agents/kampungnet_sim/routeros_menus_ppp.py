"""PPPoE both ways: the line this router dials, and lines that others dial to it.

Facts/routeros.md, section 8, item 3: dynamic interfaces get a new row and a new ``.id`` at each connect.
No recording of these menus exists; the names are the console's, the rows are synthetic.
"""

from dataclasses import dataclass
from math import floor

from kampungnet_sim.chance import key_of, unit
from kampungnet_sim.routeros_menu import Menu, numbered
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean, duration, stamp
from kampungnet_sim.village_events import CARRIER_ENDING, LINE_ENDING
from kampungnet_sim.village_interfaces import DIALLED

LINE_GATEWAY = "100.64.10.1"
_LINE_ADDRESS = "100.64.10.23"
_CUSTOMERS = ("kades", "sekolah", "warung-bu-siti")
_CALL_SECONDS = 5 * 3_600


@dataclass(frozen=True, slots=True)
class Call:
    """One customer's line as it is dialled now."""

    place: int
    user: str
    since: float

    @property
    def row_id(self) -> int:
        """Grows with each dial: interfaces of one name have new ids."""
        return 0xF00000 + (int(self.since) % 0x3FFFF) * 4 + self.place

    @property
    def name(self) -> str:
        """The dynamic interface."""
        return f"<pppoe-{self.user}>"


def calls(moment: Moment) -> list[Call]:
    """The lines that customers hold now; after five hours they dial anew."""
    if "pppoe-server" not in moment.profile.features:
        return []
    key, now = key_of(moment.profile.code, "calls"), moment.state.time
    found = []
    for place, user in enumerate(_CUSTOMERS):
        phase = unit(key, place) * _CALL_SECONDS
        since = floor((now - phase) / _CALL_SECONDS) * _CALL_SECONDS + phase
        found.append(Call(place, user, max(since, moment.state.boot_time + 30 + place)))
    return [call for call in found if call.since < now]


def call_interfaces(moment: Moment) -> list[Row]:
    """Rows of ``/interface`` for the customers' lines."""
    rows = []
    for call in calls(moment):
        seconds = moment.state.time - call.since
        rx, tx = int(seconds * 9_000 * (call.place + 1)), int(seconds * 85_000 * (call.place + 1))
        began = stamp(call.since, moment.version)
        rows.append(
            {
                ".id": f"*{call.row_id:X}", "name": call.name, "type": "pppoe-in", "mtu": "1480",
                "actual-mtu": "1480", "last-link-up-time": began, "link-downs": "0",
                "rx-byte": str(rx), "tx-byte": str(tx), "rx-packet": str(rx // 260), "tx-packet": str(tx // 1020),
                "rx-drop": "0", "tx-drop": "0", "tx-queue-drop": "0", "rx-error": "0", "tx-error": "0",
                "fp-rx-byte": str(rx), "fp-tx-byte": str(tx), "fp-rx-packet": "0", "fp-tx-packet": "0",
                "running": "true", "disabled": "false", "dynamic": "true",
            }
        )  # fmt: skip
    return rows


def line_is_up(moment: Moment) -> bool:
    """Is the line to the provider dialled?"""
    segment = moment.router.village.calendar.segment(moment.state.time)
    return not segment.kinds & LINE_ENDING


def line_since(moment: Moment) -> float:
    """When it was dialled last."""
    segment = moment.router.village.calendar.segment(moment.state.time)
    return max(segment.dial, moment.state.boot_time)


def _clients(moment: Moment) -> list[Row]:
    plan = moment.router.village.plan
    place = next((n for n, port in enumerate(plan, 1) if port.name == DIALLED), None)
    if place is None:
        return []
    return [
        {
            ".id": f"*{place:X}", "name": DIALLED, "max-mtu": "auto", "max-mru": "auto", "mrru": "disabled",
            "interface": moment.profile.router.wan_interface, "user": "desa@provider", "password": "rahasia",
            "profile": "default", "keepalive-timeout": "10", "service-name": "", "ac-name": "",
            "add-default-route": "true", "default-route-distance": "1", "dial-on-demand": "false",
            "use-peer-dns": "true", "allow": "pap,chap,mschap1,mschap2", "running": boolean(line_is_up(moment)),
            "disabled": "false", "invalid": "false", "comment": "Internet desa",
        }
    ]  # fmt: skip


def line_status(moment: Moment) -> Row:
    """What ``/interface/pppoe-client/monitor`` says."""
    kinds = moment.router.village.calendar.segment(moment.state.time).kinds
    if kinds & LINE_ENDING:
        # The words for a line that is not up are (unconfirmed).
        down = kinds & CARRIER_ENDING
        return {"status": "disconnected" if down else "dialing...", "active-links": "0"}
    return {
        "status": "connected", "uptime": duration(moment.state.time - line_since(moment)), "active-links": "1",
        "encoding": "", "service-name": "internet", "ac-name": "bras-banyuwangi", "ac-mac": "F4:4D:5C:10:20:30",
        "mtu": "1480", "mru": "1480", "local-address": _LINE_ADDRESS, "remote-address": LINE_GATEWAY,
    }  # fmt: skip


def _server_rows(moment: Moment) -> list[Row]:
    return [
        {
            ".id": f"*{call.row_id:X}", "name": call.name, "user": call.user, "service": "desa",
            "remote-address": f"02:50:56:00:00:{call.place:02X}", "uptime": duration(moment.state.time - call.since),
            "encoding": "", "mtu": "1480", "mru": "1480", "running": "true", "disabled": "false", "dynamic": "true",
        }
        for call in calls(moment)
    ]  # fmt: skip


def _active(moment: Moment) -> list[Row]:
    return numbered(
        {
            "name": call.user, "service": "pppoe", "caller-id": f"02:50:56:00:00:{call.place:02X}",
            "address": f"10.20.0.{10 + call.place}", "uptime": duration(moment.state.time - call.since),
            "encoding": "", "session-id": f"0x{0x81500000 + call.place:x}", "limit-bytes-in": "0",
            "limit-bytes-out": "0", "radius": "false",
        }
        for call in calls(moment)
    )  # fmt: skip


MENUS: dict[str, Menu] = {
    "/interface/pppoe-client": Menu(_clients),
    "/interface/pppoe-server": Menu(_server_rows),
    "/ppp/active": Menu(_active),
}
