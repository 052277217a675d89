"""Simple queues and firewall, and what FastTrack does to both (facts/routeros.md, 7.9)."""

from collections import Counter

from kampungnet_sim.models import RosVersion
from kampungnet_sim.routeros_menu import Menu, nothing, numbered
from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import bits_per_second

# FastTrack takes established connections round the queues: about this share of the bytes is still seen.
_SEEN_PERCENT = 8
# Rules of these count all of the village's traffic; those of others count what they were asked about.
_BUSY_CHAINS = frozenset({"input", "forward", "output", "srcnat", "dstnat", "prerouting", "postrouting"})


def _fasttracked(moment: Moment) -> bool:
    """Is a FastTrack rule on now? An API user may switch it off."""
    rules = moment.router.tables["/ip/firewall/filter"].rows()
    return any(row.get("action") == "fasttrack-connection" and row.get("disabled") != "true" for row in rules)


def _queue_name(user: str, names: Counter[str]) -> str:
    """One voucher may be in use on several phones; names of queues are unique all the same."""
    names[user] += 1
    return f"<hotspot-{user}>" if names[user] == 1 else f"<hotspot-{user}-{names[user] - 1}>"


def _guest_queue(place: int, name: str, guest: tuple[str, int, int], rate: str) -> Row:
    address, up, down = guest
    return {
        ".id": f"*{0x1000 + place:X}", "name": name, "target": f"{address}/32", "parent": "none",
        "packet-marks": "", "priority": "8/8", "queue": "default-small/default-small", "limit-at": "0/0",
        "max-limit": "1000000/4000000", "burst-limit": "0/0", "burst-threshold": "0/0",
        "burst-time": "0s/0s", "bytes": f"{up}/{down}", "packets": f"{up // 260}/{down // 1020}",
        "dropped": f"{up // 900_000}/{down // 900_000}", "rate": rate, "packet-rate": "0/0",
        "queued-bytes": "0/0", "queued-packets": "0/0", "dynamic": "true", "invalid": "false",
        "disabled": "false",
    }  # fmt: skip


def _queues(moment: Moment) -> list[Row]:
    rows = moment.router.tables["/queue/simple"].rows()
    share = _SEEN_PERCENT if _fasttracked(moment) else 100
    wan = moment.state.interfaces[0]
    for row in rows[:1]:
        row |= {"bytes": f"{wan.tx_bytes * share // 100}/{wan.rx_bytes * share // 100}",
                "packets": f"{wan.tx_packets * share // 100}/{wan.rx_packets * share // 100}"}  # fmt: skip
    names: Counter[str] = Counter()
    now, boot = moment.state.time, moment.state.boot_time
    online = [(v.user, v.address, v.session_start(boot), v.up_bps, v.down_bps) for v in moment.active_visits()]
    for place, (user, address, since, up_bps, down_bps) in enumerate(online, 1):
        seconds = max(now - since, 0) * share / 800
        guest = (address, int(up_bps * seconds), int(down_bps * seconds))
        rows.append(_guest_queue(place, _queue_name(user, names), guest, f"{int(up_bps)}/{int(down_bps)}"))
    # A session whose profile sets no rate has no queue (7.6, item 11).
    for place, one in enumerate((s for s in moment.router.portal.sessions if s.rate_limit), len(online) + 1):
        counted = one.counted(now)
        guest = (one.address, counted["in"] * share // 100, counted["out"] * share // 100)
        row = _guest_queue(place, _queue_name(one.user, names), guest, f"{int(one.up_bps)}/{int(one.down_bps)}")
        rows.append({**row, "max-limit": bits_per_second(one.rate_limit)})
    return rows


def _dummy_rule(moment: Moment) -> list[Row]:
    """The router's own row that shows what FastTrack carried."""
    if not _fasttracked(moment):
        return []
    return [
        {
            ".id": "*FFFFFF", "chain": "forward", "action": "passthrough", "dynamic": "true",
            "disabled": "false", "invalid": "false", "log": "false",
            "comment": "special dummy rule to show fasttrack counters",
        }
    ]  # fmt: skip


def _rules(path: str) -> Menu:
    def rows(moment: Moment) -> list[Row]:
        found = moment.router.tables[path].rows()
        if path.endswith("/filter"):
            found = _dummy_rule(moment) + found
        wan = moment.state.interfaces[0]
        for place, row in enumerate(found, 2):
            packets = wan.rx_packets // place if row["chain"] in _BUSY_CHAINS else int(row.get("packets", "0"))
            row |= {"bytes": str(wan.rx_bytes // place if row["chain"] in _BUSY_CHAINS else 60 * packets),
                    "packets": str(packets)}  # fmt: skip
            if row["action"] == "fasttrack-connection" and moment.version >= RosVersion(7, 0):
                row["hw-offload"] = "true"
        return found

    return Menu(rows, table=True)


def _connections(moment: Moment) -> int:
    return 14 + 9 * moment.state.hotspot_hosts


def _connection_rows(moment: Moment) -> list[Row]:
    return numbered(
        {"protocol": "tcp", "src-address": f"{v.address}:40{v.number % 999:03d}",
         "dst-address": "142.250.4.1:443", "timeout": "5m", "tcp-state": "established"}
        for v in moment.hosts
    )  # fmt: skip


MENUS: dict[str, Menu] = {
    "/queue/simple": Menu(_queues, table=True, each_second=True),
    "/queue/tree": Menu(nothing, steady=True),
    "/ip/firewall/connection": Menu(_connection_rows, count=_connections),
    "/ip/firewall/filter": _rules("/ip/firewall/filter"),
    "/ip/firewall/nat": _rules("/ip/firewall/nat"),
    "/ip/firewall/mangle": _rules("/ip/firewall/mangle"),
    "/ip/firewall/raw": _rules("/ip/firewall/raw"),
    "/ip/firewall/address-list": Menu(
        lambda moment: moment.router.tables["/ip/firewall/address-list"].rows(), steady=True, table=True
    ),
}
