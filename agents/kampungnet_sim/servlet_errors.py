"""Why a router refuses: the keys of ``errors.txt`` and its default English texts (facts/routeros.md, 9.5)."""

from collections.abc import Mapping

from kampungnet_sim.servlet_template import render

# Where a text was not seen in public copies it is (unconfirmed): all but the four of 9.5 and those of section 5.
DEFAULT_ERRORS: dict[str, str] = {
    "internal-error": "internal error ($(error-orig))",
    "config-error": "configuration error ($(error-orig))",
    "not-logged-in": "you are not logged in (ip $(ip))",
    "ippool-empty": "cannot assign ip address - no more free addresses from pool",
    "shutting-down": "hotspot service is shutting down",
    "user-session-limit": "no more sessions are allowed for user $(username)",
    "license-session-limit": "session limit reached ($(error-orig))",
    "wrong-mac-username": "invalid username ($(username)): this MAC address is not yours",
    "chap-missing": "web browser did not send challenge response (try again, enable JavaScript)",
    "invalid-username": "invalid username or password",
    "invalid-mac": "user $(username) is not allowed to log in from this MAC address",
    "uptime-limit": "user $(username) has reached uptime limit",
    "traffic-limit": "user $(username) has reached traffic limit",
    "radius-timeout": "RADIUS server is not responding",
    "auth-in-progress": "already authorizing, retry later",
    "radius-reply": "$(error-orig)",
}
LICENCE_TEXT = "max number of allowed sessions for license reached"


class Refusal(Exception):
    """A login that is not granted, by its key in ``errors.txt``."""

    def __init__(self, key: str, username: str = "", detail: str = "") -> None:
        super().__init__(key)
        self.key = key
        self.username = username
        self._detail = detail

    def original(self, address: str = "") -> str:
        """What the router says by itself, as the API and ``$(error-orig)`` have it."""
        return self._filled(DEFAULT_ERRORS[self.key], address, self._detail)

    def shown(self, texts: Mapping[str, str], address: str) -> str:
        """What the page says: the directory's own text, or the router's."""
        own = texts.get(self.key)
        return self.original(address) if own is None else self._filled(own, address, self.original(address))

    def _filled(self, text: str, address: str, detail: str) -> str:
        return render(text, {"error-orig": detail, "ip": address, "username": self.username}).body


def read_errors(text: str) -> dict[str, str]:
    """``key = text`` lines; comments and everything else are passed over."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, sign, value in pairs if sign and key.strip() in DEFAULT_ERRORS}


def default_errors_txt() -> str:
    """The file a new directory has."""
    head = "# Texts of refusals. Variables: $(error-orig), $(ip), $(username)\n\n"
    return head + "".join(f"{key} = {text}\n" for key, text in DEFAULT_ERRORS.items())
