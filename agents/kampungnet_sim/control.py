"""The control socket: a few HTTP calls on loopback to switch faults and lines while it runs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kampungnet_sim import control_hotspot
from kampungnet_sim.faults import FAULTS
from kampungnet_sim.fleet import Fleet
from kampungnet_sim.gateway import LineState

_MAX_BODY = 65_536
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}
Answer = tuple[int, object]


class Refused(ValueError):
    """A request that cannot be carried out, with the status to say so."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Control:
    """``GET /villages``, ``/devices``, ``/truth?village=``, ``/sessions?village=``; ``GET|POST|DELETE /faults``;
    ``GET|POST /lines``; ``POST /guests``, ``/far``, ``/routers`` (see :mod:`kampungnet_sim.control_hotspot`)."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, body = await self._one(reader)
            data = json.dumps(body, ensure_ascii=False).encode()
            head = (
                f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + data)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # The caller went away or speaks no HTTP: nobody is left to tell.
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        words = head[0].split(" ")
        if len(words) != 3:
            return 400, {"detail": "not an HTTP request"}
        lengths = [h.split(":", 1)[1] for h in head[1:] if h.lower().startswith("content-length:")]
        length = int(lengths[0]) if lengths and lengths[0].strip().isdecimal() else 0
        if length > _MAX_BODY:
            return 400, {"detail": "the body is too long"}
        body = await reader.readexactly(length)
        try:
            done = self._do(words[0], words[1], body)
            return 200, await done if isinstance(done, Awaitable) else done
        except Refused as refused:
            return refused.status, {"detail": str(refused)}
        except ValueError as error:
            return 400, {"detail": str(error)}

    def _do(self, method: str, target: str, body: bytes) -> object:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        calls: dict[tuple[str, str], Callable[[], object]] = {
            ("GET", "/villages"): self._villages,
            ("GET", "/truth"): lambda: self._truth(query),
            ("GET", "/faults"): lambda: {
                "known": {name: kind.meaning for name, kind in FAULTS.items()},
                "faults": self._fleet.faults.listed(),
            },
            ("POST", "/faults"): lambda: self._add_fault(_object(body)),
            ("DELETE", "/faults"): lambda: {
                "ended": self._fleet.faults.clear(query.get("village"), query.get("fault"))
            },
            ("GET", "/devices"): self._fleet.extras.listed,
            ("GET", "/lines"): lambda: {k: asdict(v) for k, v in self._fleet.lines.listed().items()},
            ("POST", "/lines"): lambda: self._set_line(_object(body)),
            ("GET", "/sessions"): lambda: control_hotspot.sessions(self._fleet, self._one_village(query)),
            ("POST", "/guests"): lambda: self._hotspot(control_hotspot.move_guest, _object(body)),
            ("POST", "/far"): lambda: self._hotspot(control_hotspot.place_far, _object(body)),
            ("POST", "/routers"): lambda: self._hotspot(control_hotspot.replace_router, _object(body)),
        }
        call = calls.get((method, parts.path))
        if call is not None:
            return call()
        known = any(path == parts.path for _, path in calls)
        raise Refused(405 if known else 404, f"{method} {parts.path} is not offered")

    def _known(self, village: object) -> str:
        if village == "*" or (isinstance(village, str) and village in self._fleet.sites):
            return str(village)
        raise Refused(404, f"no village {village!r} is simulated here")

    def _one_village(self, wish: Mapping[str, object]) -> str:
        if wish.get("village") == "*":
            raise Refused(400, "name one village")
        return self._known(wish.get("village"))

    def _hotspot(self, action: Callable[[Fleet, str, dict[str, object]], object], wish: dict[str, object]) -> object:
        return action(self._fleet, self._one_village(wish), wish)

    def _villages(self) -> list[dict[str, object]]:
        now = self._fleet.clock()
        found = []
        for code, site in self._fleet.sites.items():
            state = site.village.state_at(now)
            found.append(
                {
                    "village": code,
                    "name": site.village.profile.name,
                    "router_up": state.router_up,
                    "internet_up": state.internet_up,
                    "rx_power_dbm": state.rx_power_dbm,
                    "hotspot_active": state.hotspot_active,
                    "faults": sorted(self._fleet.faults.active(code)),
                    "line": asdict(self._fleet.lines.state(code)),
                }
            )
        return found

    def _truth(self, query: dict[str, str]) -> dict[str, Any]:
        code = self._known(query.get("village"))
        at = float(query.get("at", self._fleet.clock()))
        state = asdict(self._fleet.sites[code].village.state_at(at))
        for name in ("interfaces", "ont_interfaces"):
            state[name] = [port._asdict() for port in state[name]]
        return state

    def _add_fault(self, wish: dict[str, object]) -> dict[str, object]:
        village = wish.get("village")
        if not isinstance(village, str) or village not in self._fleet.targets():
            raise Refused(404, f"nothing called {village!r} is simulated here")
        seconds = wish.get("seconds")
        if not isinstance(seconds, int | float | None):
            raise Refused(400, "seconds must be a number")
        made = self._fleet.faults.add(str(wish.get("fault")), village, seconds)
        return asdict(made)

    def _set_line(self, wish: dict[str, object]) -> dict[str, object]:
        village = self._known(wish.get("village"))
        delay, rate = wish.get("delay_ms", 0.0), wish.get("kbit_per_second", 0.0)
        if not isinstance(delay, int | float) or not isinstance(rate, int | float):
            raise Refused(400, "delay_ms and kbit_per_second must be numbers")
        state = LineState(bool(wish.get("cut", False)), float(delay), float(rate))
        self._fleet.lines.put(village, state)
        return {"village": village, **asdict(state)}


def _object(body: bytes) -> dict[str, object]:
    found = json.loads(body or b"{}")
    if not isinstance(found, dict):
        raise Refused(400, "a JSON object is expected")
    return found
