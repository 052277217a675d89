"""The hotspot's HTTP servlet: a request and its guest in, an answer out (facts/routeros.md, 9.1 to 9.6)."""

import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from kampungnet_sim.hotspot_portal import Challenge, Host, Proof
from kampungnet_sim.routeros_values import read_duration
from kampungnet_sim.servlet_errors import Refusal, read_errors
from kampungnet_sim.servlet_template import render
from kampungnet_sim.servlet_variables import Asking, Place, counters, octal, session_variables, variables

if TYPE_CHECKING:
    from kampungnet_sim.routeros_router import SimulatedRouter

COOKIE = "hotspot"
# Files in which variables are filled in; others are served as they lie there (9.1; api.json is a page too).
_TEMPLATES = (".html", ".htm", ".txt", ".json")
_MD5_DIGITS = 32
_Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came, ``target`` being a whole URL when the guest used the router as its proxy."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def host(self) -> str:
        """Whom it is for, with the port when one is named."""
        return urlsplit(self.target).netloc or self.headers.get("host", "")

    @property
    def url(self) -> str:
        """What the browser shows."""
        return self.target if "://" in self.target else f"http://{self.host}{self.target}"

    @property
    def path(self) -> str:
        """Without the query."""
        return unquote(urlsplit(self.target).path) or "/"

    def parameters(self) -> _Words:
        """Of the query and of a form."""
        form = self.body.decode("utf-8", "surrogateescape") if self.method == "POST" else ""
        pairs = [
            parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=100)
            for text in (urlsplit(self.target).query, form)
        ]
        return {name: value for some in pairs for name, value in some}


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int
    reason: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As bytes of HTTP; the servlet ends each connection."""
        lines = [f"HTTP/1.0 {self.status} {self.reason}"]
        given = {"Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
        lines += [f"{name}: {value}" for name, value in given.items()]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + self.body


def chap_response(challenge: Challenge, password: str) -> str:
    """What a browser must send for a password (9.3)."""
    word = password.encode("utf-8", "surrogateescape")
    digest = hashlib.md5(bytes([challenge.number]) + word + challenge.secret, usedforsecurity=False)
    return digest.hexdigest()


class Servlet:
    """The pages of one router."""

    def __init__(self, router: "SimulatedRouter", identity: str) -> None:
        self._router, self._identity = router, identity

    def is_own(self, host: str) -> bool:
        """Is a host the hotspot itself? Reached without a proxy it goes by its loopback address."""
        name = host.rpartition(":")[0] or host
        settings = self._router.portal.settings()
        own = {settings.get("dns-name", ""), settings.get("hotspot-address", "")} - {""}
        return name in own or name.startswith("127.") or name == "localhost" or not name

    def remote(self, request: Request, host: Host) -> Answer:
        """A guest who is not logged in asked for the internet: off to the login page."""
        view = _View(self._router, self._identity, request, host, wanted=request.url)
        return view.redirected(("rlogin.html", "redirect.html"), view.page_variables()["link-login"])

    def own(self, request: Request, host: Host) -> Answer:
        """A request for the hotspot itself."""
        view = _View(self._router, self._identity, request, host, wanted=request.parameters().get("dst", ""))
        pages: dict[str, Callable[[], Answer]] = {
            "": view.root, "login": view.login, "status": view.status, "logout": view.logout, "api": view.api,
        }  # fmt: skip
        return pages.get(view.name, view.file)()


class _View:
    """One request of one guest."""

    def __init__(self, router: "SimulatedRouter", identity: str, request: Request, host: Host, *, wanted: str) -> None:
        self._router, self._portal, self._request, self._host = router, router.portal, request, host
        self._now = router.clock()
        self._identity, self._wanted = identity, wanted
        self._settings = self._portal.settings()
        self._files = router.flash.folder(self._settings)
        self._parameters = request.parameters()
        self._session = self._portal.session_of(host.mac)
        self._headers: _Words = {}
        self._refusal: Refusal | None = None
        path = request.path.strip("/")
        target = self._parameters.get("target", "").strip("/")
        folder, _, self.name = path.rpartition("/") if path else ("", "", "")
        self._path = path
        # Only a folder with pages in it is a version of the pages.
        self._folder = next((f"{one}/" for one in (target, folder) if one and self._has_folder(one)), "")

    def _has_folder(self, folder: str) -> bool:
        return any(name.startswith(f"{self._files}/{folder}/") for name in self._router.flash.files)

    # -- pages ------------------------------------------------------------------------------------------

    def _find(self, *names: str) -> tuple[str, bytes] | None:
        for name in names:
            for folder in dict.fromkeys((self._folder, "")):
                data = self._router.flash.page(self._files, folder + name)
                if data is not None:
                    return name, data
        return None

    def page_variables(self) -> _Words:
        """What any page knows."""
        server, ways = self._portal.server(), self._portal.ways()
        address = self._settings.get("hotspot-address", "10.5.50.1")
        own = self._settings.get("dns-name") or address
        direct = self._request.host
        place = Place(
            base=f"http://{direct if direct.startswith(('127.', 'localhost')) else own}",
            folder=self._folder, identity=self._identity, server=server.get("name", ""), address=address,
            interface="wlan1", plain="http-pap" in ways, chap="http-chap" in ways,
        )  # fmt: skip
        asking = Asking(
            self._host.mac, self._host.address, self._wanted, self._parameters.get("username", ""),
            trial=self._portal.trial_seconds(self._host.mac, self._now) > 0,
            parameters=self._parameters, headers=self._request.headers,
        )  # fmt: skip
        found = variables(place, asking, self._session)
        return found | ({} if self._session is None else session_variables(self._session, self._now, self._refresh()))

    def _refresh(self) -> float:
        row = {"profile": "default"}
        if self._session is not None:
            row = self._router.tables["/ip/hotspot/user"].get(self._session.user) or row
        return read_duration(self._portal.profile_of(row).get("status-autorefresh", "1m")) or 0

    def _shown(self, names: tuple[str, ...], more: _Words | None = None) -> Answer:
        found = self._find(*names)
        if found is None:
            return Answer(404, "Not Found", b"<html><body>Error 404: Not Found</body></html>")
        name, data = found
        if not name.endswith(_TEMPLATES):
            return Answer(200, "OK", data, {"Content-Type": mimetypes.guess_type(name)[0] or "text/plain"})
        page = render(data.decode("utf-8", "surrogateescape"), {**self.page_variables(), **(more or {})})
        kind = "application/captive+json" if name == "api.json" else f"{mimetypes.guess_type(name)[0]}; charset=utf-8"
        status, reason = page.status or (200, "OK")
        headers = {"Content-Type": kind, "Cache-Control": "no-store", **self._headers, **page.headers}
        return Answer(status, reason, page.body.encode("utf-8", "surrogateescape"), headers)

    def redirected(self, names: tuple[str, ...], link: str) -> Answer:
        """A page that leads on to a link."""
        return self._shown(names, {"link-redirect": link})

    # -- what the router answers to ---------------------------------------------------------------------

    def root(self) -> Answer:
        """``/``"""
        links = self.page_variables()
        if self._session is not None:
            return self.redirected(("rstatus.html", "redirect.html"), links["link-status"])
        return self.redirected(("rlogin.html", "redirect.html"), links["link-login"])

    def status(self) -> Answer:
        """``/status``"""
        if self._session is not None:
            return self._shown(("status.html",), counters(self._session, self._now))
        return self.redirected(("fstatus.html", "redirect.html"), self.page_variables()["link-login"])

    def logout(self) -> Answer:
        """``/logout``: the figures of the session that is over."""
        session = self._session
        if session is None:
            return self.redirected(("flogout.html", "redirect.html"), self.page_variables()["link-login"])
        answer = self._shown(("logout.html",), counters(session, self._now))
        erase = "all" if self._parameters.get("erase-cookie") in ("on", "true") else "mac"
        self._portal.log_out(session, self._now, "user request", erase=erase)
        return answer

    def api(self) -> Answer:
        """``/api``: RFC 8908. A real router answers it over TLS only."""
        left = None if self._session is None else self._session.remaining("total", self._now)
        return self._shown(("api.json",), {"remain-bytes-total": "" if left is None else str(left)})

    def file(self) -> Answer:
        """Whatever else lies in the directory."""
        parts = self._path.split("/")
        if ".." in parts or self._path == "errors.txt":
            return Answer(404, "Not Found")
        self._folder = ""
        return self._shown((self._path,))

    def login(self) -> Answer:
        """``/login``: the page, an attempt, or what follows on success."""
        if self._session is None and not self._try():
            return self._shown(("login.html",), self._login_variables())
        if self._refusal is not None:
            return self._refused(self._refusal)
        links = self.page_variables()
        return self.redirected(("alogin.html", "redirect.html"), self._wanted or links["link-status"])

    def _try(self) -> bool:
        """Was a login tried? Its outcome is kept."""
        user = self._parameters.get("username", "")
        trial = f"T-{self._host.mac}"
        if self._parameters.get("trial") == "yes" or user == trial:
            return self._attempt(trial, "trial", lambda _: True)
        if user:
            way, proof = self._proof(self._parameters.get("password", ""))
            return self._attempt(user, way, proof)
        token = self._token()
        cookie = next((one for one in self._portal.cookies if token and one.token == token), None)
        if cookie is None or cookie.mac != self._host.mac or "cookie" not in self._portal.ways():
            return False
        self._attempt(cookie.user, "cookie", lambda password: password == cookie.password)
        if self._refusal is not None:
            # An old cookie is no reason to frighten anybody.
            self._portal.cookies.remove(cookie)
            self._refusal = None
            return False
        return True

    def _attempt(self, user: str, way: str, proof: Proof) -> bool:
        try:
            if way == "none":
                raise Refusal("chap-missing", user)
            self._session = self._portal.log_in(self._host, user, way, proof, self._now)
        except Refusal as refusal:
            self._refusal = refusal
            return True
        token = self._portal.browser_cookie(self._session, self._now) if way.startswith("http") else ""
        if token:
            lasts = read_duration(self._settings.get("http-cookie-lifetime", "3d")) or 0
            self._headers["Set-Cookie"] = f"{COOKIE}={token}; Max-Age={lasts}; Path=/; HttpOnly"
        return True

    def _proof(self, given: str) -> tuple[str, Proof]:
        """How a password came: answered to our challenge, or plain where that is allowed."""
        ways = self._portal.ways()
        challenge = self._portal.live_challenge(self._host.mac, self._now) if "http-chap" in ways else None
        if challenge is not None and len(given) == _MD5_DIGITS:
            asked = challenge
            plain = "http-pap" in ways

            def answered(password: str) -> bool:
                return chap_response(asked, password) == given.lower() or (plain and password == given)

            return "http-chap", answered
        return ("http-pap" if "http-pap" in ways else "none"), lambda password: password == given

    def _token(self) -> str:
        pairs = (one.strip().partition("=") for one in self._request.headers.get("cookie", "").split(";"))
        return next((value for name, _, value in pairs if name == COOKIE), "")

    def _login_variables(self) -> _Words:
        """What the login page alone knows."""
        found = {"popup": self._parameters.get("popup", "")}
        if "http-chap" not in self._portal.ways():
            return found
        challenge = self._portal.challenge(self._host.mac, self._now)
        return {**found, "chap-id": octal(bytes([challenge.number])), "chap-challenge": octal(challenge.secret)}

    def _refused(self, refusal: Refusal) -> Answer:
        address, texts = self._host.address, self._find("errors.txt")
        own = {} if texts is None else read_errors(texts[1].decode("utf-8", "surrogateescape"))
        said = {
            "error": refusal.shown(own, address), "error-orig": refusal.original(address), "error-type": refusal.key,
        }  # fmt: skip
        self._router.note(
            self._now, "hotspot,info,debug", f"{refusal.username} ({address}): login failed: {said['error-orig']}"
        )
        return self._shown(("flogin.html", "login.html"), {**self._login_variables(), **said})
