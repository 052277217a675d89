"""A CCTV camera: RTSP that answers OPTIONS, and a web page with a snapshot behind a password.

RTSP by RFC 2326, digest login by RFC 2617 (MD5), as IP cameras of the last fifteen years speak it.
No camera was recorded for this.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from kampungnet_sim.camera_doors import Door, field, http
from kampungnet_sim.chance import generator

_REALM = "IP Camera"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
# The smallest picture there is: one grey dot.
_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////"
    "////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
_SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Media Server\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"


@dataclass(frozen=True, slots=True)
class CameraLogin:
    """Made from the seed: never a fixed default."""

    username: str
    password: str


def draw_camera_login(seed: int, code: str) -> CameraLogin:
    """The login of a village's camera."""
    return CameraLogin("admin", "".join(generator(seed, code, "camera").choices(_LETTERS, k=12)))


class Camera:
    """One camera on two ports."""

    def __init__(self, login: CameraLogin, faults: Callable[[], frozenset[str]]) -> None:
        self._login, self._faults = login, faults
        self._nonce = secrets.token_hex(16)
        self.rtsp = Door(self._rtsp, self._rtsp_faults)
        self.web = Door(self._web, faults)

    def _rtsp_faults(self) -> frozenset[str]:
        faults = self._faults()
        return faults | {"stalled_session"} if "rtsp_hangs" in faults else faults

    async def _rtsp(self, head: str) -> bytes | None:
        method, _, rest = head.partition(" ")
        if not rest.split("\r\n", 1)[0].endswith("RTSP/1.0"):
            return b"RTSP/1.0 400 Bad Request\r\n\r\n"
        common = f"CSeq: {field(head, 'cseq') or '0'}"
        if method == "OPTIONS":
            lines = ["RTSP/1.0 200 OK", common, "Public: OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, GET_PARAMETER"]
        elif method != "DESCRIBE":
            lines = ["RTSP/1.0 455 Method Not Valid in This State", common]
        elif not self._allowed(head, method):
            lines = ["RTSP/1.0 401 Unauthorized", common, self._challenge()]
        else:
            lines = ["RTSP/1.0 200 OK", common, "Content-Type: application/sdp", f"Content-Length: {len(_SDP)}"]
            return "\r\n".join([*lines, "", ""]).encode() + _SDP
        return "\r\n".join([*lines, "", ""]).encode()

    async def _web(self, head: str) -> bytes | None:
        method, path, *_ = [*head.split("\r\n", 1)[0].split(" "), "", ""]
        if method not in ("GET", "HEAD"):
            return http("405 Method Not Allowed")
        if path == "/":
            return http("200 OK", b"<html><title>NETSurveillance WEB</title></html>")
        if path != "/snapshot.jpg":
            return http("404 Not Found")
        if not self._allowed(head, method):
            return http("401 Unauthorized", b"", "text/html", self._challenge())
        return http("200 OK", _JPEG, "image/jpeg")

    # -- digest login -----------------------------------------------------------------------------

    def _challenge(self) -> str:
        return f'WWW-Authenticate: Digest realm="{_REALM}", nonce="{self._nonce}", algorithm=MD5, qop="auth"'

    def _allowed(self, head: str, method: str) -> bool:
        given = field(head, "authorization")
        if not given.lower().startswith("digest ") or "wrong_password" in self._faults():
            return False
        parts = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given)}
        if parts.get("nonce") != self._nonce or parts.get("username") != self._login.username:
            return False
        first = _md5(f"{self._login.username}:{_REALM}:{self._login.password}")
        second = _md5(f"{method}:{parts.get('uri', '')}")
        middle = [parts[name] for name in ("nonce", "nc", "cnonce", "qop") if name in parts]
        wanted = _md5(":".join([first, *middle, second]))
        return hmac.compare_digest(wanted, parts.get("response", ""))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
