"""A scripted guest: a phone that tests and demos move by hand, over real HTTP where a phone would use it."""

import asyncio
import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode, urlsplit

from kampungnet_sim.hotspot_session import Truth

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

Way = Literal["pap", "chap", "trial"]
_CHAP = re.compile(r"hexMD5\('((?:\\\d{3})+)' \+ .*? \+ '((?:\\\d{3})+)'\)")


@dataclass(frozen=True, slots=True)
class Page:
    """What a guest's browser got."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""


def unescape(octal: str) -> bytes:
    r"""``\371\015`` as bytes."""
    return bytes(int(part, 8) for part in re.findall(r"\\(\d{3})", octal))


class Guest:
    """One device. ``door`` is its own address on loopback, a proxy for browsers (see :mod:`hotspot_server`)."""

    def __init__(self, router: "SimulatedRouter", mac: str, address: str, door: str) -> None:
        self.mac, self.address, self.door = mac, address, door
        self.cookie = ""
        self._router = router

    # -- over HTTP ------------------------------------------------------------------------------------------

    async def get(self, url: str) -> Page:
        """Ask for a page of the internet or of the portal (``/login``)."""
        return await self._ask("GET", url, b"")

    async def post(self, url: str, fields: dict[str, str]) -> Page:
        """Send a form."""
        return await self._ask("POST", url, urlencode(fields).encode())

    async def _ask(self, method: str, url: str, body: bytes) -> Page:
        name, _, port = self.door.partition(":")
        target = url if "://" in url else f"http://{self.door}{url}"
        # A browser escapes what may not stand in a request line.
        target = quote(target, safe="/:?&=%+#[]@!$'()*,;~")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(target).netloc}", f"Content-Length: {len(body)}"]
        lines += ["Content-Type: application/x-www-form-urlencoded"] if body else []
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        reader, writer = await asyncio.open_connection(name, int(port))
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            raw = await reader.read(-1)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        if not raw:
            raise ConnectionError("the router ended the connection without a word")
        return self._page(raw)

    def _page(self, raw: bytes) -> Page:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].partition(";")[0]
        return Page(int(first.split(" ")[1]), headers, body.decode("utf-8", "replace"))

    async def log_in(self, user: str = "", password: str = "", way: Way = "pap", *, dst: str = "") -> Page:
        """Log in as the page would: in clear, answering its challenge, or for a trial."""
        if way == "trial":
            return await self.get(f"/login?dst={quote(dst)}&username=T-{quote(self.mac)}")
        if way == "chap":
            found = _CHAP.search((await self.get("/login")).text)
            if found is None:
                raise ValueError("the login page holds no challenge")
            word = unescape(found[1]) + password.encode("utf-8", "surrogateescape") + unescape(found[2])
            password = hashlib.md5(word, usedforsecurity=False).hexdigest()
        return await self.post("/login", {"username": user, "password": password, "dst": dst, "popup": "false"})

    async def online(self) -> bool:
        """Does a page of the internet come?"""
        try:
            page = await self.get("http://connectivitycheck.gstatic.com/generate_204")
        except OSError:
            return False
        return page.status == 204

    # -- on the air -----------------------------------------------------------------------------------------

    def appear(self) -> None:
        """Come onto the wifi, or come back."""
        self._router.portal.see(self.mac, self.address, self._router.clock())

    def traffic(self, down: int, up: int) -> tuple[int, int]:
        """Move so many bytes through the router; those that passed, none while it is dark."""
        now = self._router.clock()
        if not self._router.village.router_answers_at(now):
            return 0, 0
        self.appear()
        return self._router.portal.traffic(self.mac, down, up, now)

    def leave(self) -> None:
        """Go out of reach without a word."""
        self._router.portal.leave(self.mac, self._router.clock())

    def truth(self) -> list[Truth]:
        """This device's sessions, oldest first."""
        return [one for one in self._router.portal.truth(self._router.clock()) if one.mac == self.mac]
