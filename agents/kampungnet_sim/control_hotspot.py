"""What the control socket does with guests and routers: for tests and demos in a process of their own."""

from dataclasses import asdict

from kampungnet_sim.fleet import Fleet

Wish = dict[str, object]


def sessions(fleet: Fleet, village: str) -> list[dict[str, object]]:
    """The truth about every hotspot session of scripted guests and browsers, oldest first."""
    router = fleet.sites[village].router
    return [asdict(one) for one in router.portal.truth(router.clock())]


def _text(wish: Wish, name: str) -> str:
    found = wish.get(name)
    if not isinstance(found, str) or not found:
        raise ValueError(f"{name} must be a text")
    return found


def _bytes(wish: Wish, name: str) -> int:
    found = wish.get(name, 0)
    if not isinstance(found, int) or found < 0:
        raise ValueError(f"{name} must be a number of bytes")
    return found


async def move_guest(fleet: Fleet, village: str, wish: Wish) -> dict[str, object]:
    """A device may ``join`` (gives its ``door``), move ``traffic`` (``down``, ``up``: what passed) or ``leave``."""
    hotspot = fleet.sites[village].hotspot
    mac, do = _text(wish, "mac").upper(), _text(wish, "do")
    if do == "join":
        guest = await hotspot.join(mac)
        return {"mac": mac, "address": guest.address, "door": guest.door}
    known = hotspot.guests.get(mac)
    if known is None:
        raise ValueError(f"{mac} has not joined")
    if do == "traffic":
        down, up = known.traffic(_bytes(wish, "down"), _bytes(wish, "up"))
        return {"mac": mac, "down": down, "up": up}
    if do != "leave":
        raise ValueError("do must be join, traffic or leave")
    known.leave()
    return {"mac": mac}


def replace_router(fleet: Fleet, village: str, wish: Wish) -> dict[str, object]:
    """``{"model"}``: another router stands there after 40 seconds, or after ``seconds``."""
    seconds = wish.get("seconds", 40)
    if not isinstance(seconds, int | float):
        raise ValueError("seconds must be a number")
    fleet.replace_router(village, _text(wish, "model"), seconds)
    return fleet.sites[village].inventory()


def place_far(fleet: Fleet, village: str, wish: Wish) -> dict[str, object]:
    """``{"host", "port"}``: a name of the internet is a real server on 127.0.0.1, as guests and the garden see it."""
    host, port = _text(wish, "host"), _bytes(wish, "port")
    fleet.sites[village].hotspot.far[host] = ("127.0.0.1", port)
    return {"host": host, "port": port}
