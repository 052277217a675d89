"""The name at which Caddy asks boxes for a certificate, on booted machines: who is let in, and what a renewal takes.

Set up by ``site.yml`` (``server_boxes_name``, ``server_boxes_ca``, ``server_boxes_only``); the box reports through it.
"""

import time
from pathlib import Path
from typing import Final

from kampungnet.shared import wire
from tests.ansible.kept import AS_POSTGRES
from tests.ansible.machines import Machine
from tests.support.front import Authority, Pair

PEOPLE, BOXES = "kampungnet.test", "boxes.kampungnet.test"
OK: Final = '200 {"status":"ok"}'
REFUSED: Final = "refused"
PATIENCE_SECONDS: Final = 120
_LAST: Final = f"{AS_POSTGRES} psql -XtAd kampungnet -c 'select max(last_report_ms) from agents'"
_STARTED: Final = "systemctl show kampungnet-agent -p ExecMainStartTimestampMonotonic --value"
_ASK: Final = """
import ssl, sys, urllib.error, urllib.request
url, *own = sys.argv[1:]
context = ssl.create_default_context(cafile="/etc/kampungnet/server-ca.pem")
if own:
    context.load_cert_chain(*own)
try:
    with urllib.request.urlopen(url, context=context, timeout=60) as answer:
        print(answer.status, answer.read().decode()[:200])
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode()[:200])
except OSError as error:
    print("refused", error)
"""


class Door:
    """Who signs certificates of boxes, now and after a renewal, and a stranger."""

    def __init__(self, folder: Path) -> None:
        self.authority, self._next, stranger = (Authority(folder, name) for name in ("boxes", "next", "stranger"))
        self.first, self._renewed = self.authority.issue("first"), self._next.issue("renewed")
        self._strange = stranger.issue("strange")

    def for_centre(self) -> dict[str, object]:
        """Return what the inventory says of it for the centre."""
        return {
            "server_boxes_name": BOXES, "server_boxes_ca": self.authority.certificate.read_text(),
            "server_boxes_only": True,
        }  # fmt: skip

    def for_box(self) -> dict[str, dict[str, object]]:
        """Return what it says for the box, to be merged with what else stands there."""
        own = {"client_certificate_file": "/etc/kampungnet/client.pem", "client_key_file": "/etc/kampungnet/client.key"}
        return {
            "agent_files": {"client.pem": self.first.certificate.read_text()},
            "agent_secrets": {"client.key": self.first.key.read_text()},
            "agent_settings": {"server": {"report_interval_seconds": 5, **own}},
        }  # fmt: skip

    def try_it(self, centre: Machine, box: Machine) -> None:
        """Knock as everybody would, then renew both sides while the box runs."""
        (box.root / "srv/ask.py").write_text(_ASK)
        first, strange, renewed = (_carried(box, pair) for pair in (self.first, self._strange, self._renewed))
        assert _answer(box, BOXES, "/healthz").startswith(REFUSED)
        assert _answer(box, BOXES, "/healthz", strange).startswith(REFUSED)
        assert _answer(box, BOXES, "/healthz", first) == OK
        assert _answer(box, PEOPLE, "/healthz") == OK
        assert _answer(box, PEOPLE, wire.REPORTS_PATH) == (
            f"403 No required SSL certificate was sent: boxes report to {BOXES}."
        )
        self.lets_reports_in(centre)

        started = box.say(_STARTED)
        # As docs/installing.md says: on the box new files, and nothing is restarted; at the centre as the role does.
        box.say(f"install -m 644 {renewed}.pem /etc/kampungnet/client.pem")
        box.say(f"install -m 640 -g kampungnet {renewed}.key /etc/kampungnet/client.key")
        (centre.root / "etc/caddy/boxes-ca.pem").write_bytes(self._next.certificate.read_bytes())
        centre.say("systemctl reload caddy")
        _is_refused_at_last(box, first)
        self.lets_reports_in(centre)
        assert box.say(_STARTED) == started, "the agent was restarted"

    def lets_reports_in(self, centre: Machine) -> None:
        """Wait for a report after now."""
        before, until = centre.say(_LAST), time.monotonic() + PATIENCE_SECONDS
        while int(centre.say(_LAST)) <= int(before):
            assert time.monotonic() < until, "no report came any more"
            time.sleep(0.5)


def _is_refused_at_last(box: Machine, own: str) -> None:
    """A server that is replaced may still take a connection that comes while it goes."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (said := _answer(box, BOXES, "/healthz", own)).startswith(REFUSED):
        assert time.monotonic() < until, said
        time.sleep(0.5)


def _carried(box: Machine, pair: Pair) -> str:
    name = f"srv/{pair.certificate.stem}"
    pair.copy_to(Pair(box.root / f"{name}.pem", box.root / f"{name}.key"))
    return f"/{name}"


def _answer(box: Machine, name: str, path: str, own: str = "") -> str:
    shown = f"{own}.pem {own}.key" if own else ""
    return box.say(f"/opt/kampungnet/bin/python /srv/ask.py https://{name}{path} {shown}")
