"""Where messages go in the tests: a real HTTP server and a real mail server on loopback."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Chat:
    """A service that takes messages as JSON; it answers with ``status``, and ``elsewhere`` as the place to go."""

    port: int = 0
    status: int = 200
    elsewhere: str = ""
    messages: list[str] = field(default_factory=list)
    asked: int = 0

    @property
    def address(self) -> str:
        """Where apprise finds it; the path is the secret."""
        return f"json://127.0.0.1:{self.port}/rahasia-9d41"


@contextmanager
def chat() -> Iterator[Chat]:
    """Run a chat until the block ends."""
    found = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            found.asked += 1
            if found.status == 200:
                found.messages.append("\n".join(part for part in (body["title"], body["message"]) if part))
            self.send_response(found.status)
            if found.elsewhere:
                self.send_header("location", found.elsewhere)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as it takes to hand in a mail."""

    def handle(self) -> None:
        self.wfile.write(b"220 loopback\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))  # type: ignore[attr-defined]  # ours
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@contextmanager
def mailbox() -> Iterator[tuple[int, list[bytes]]]:
    """Run a mail server until the block ends; yield its port and the mails it got."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.mails = []  # type: ignore[attr-defined]  # ours
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1], server.mails  # type: ignore[attr-defined]  # ours
        server.shutdown()
        thread.join()
