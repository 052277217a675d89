"""Host keys of devices: believed at first sight, then pinned for ever, in a file beside the spool.

One line for each device: ``host:port type base64``. Whoever replaced a device deletes its line.
"""

import threading
from pathlib import Path
from typing import Final

from kampungnet_agent.driver import LoginRefused
from kampungnet_agent.safe_file import replace_file

FILE_NAME: Final = "ssh-host-keys"
_WRITING: Final = threading.Lock()
"""Several devices may be met for the first time at once, each in its own thread."""


class HostKeys:
    """The pins. Without a folder they last as long as the process."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / FILE_NAME if folder else None
        self._met: dict[str, str] = {}

    def kind_of(self, place: str) -> str:
        """Return the type of the pinned key, such as ``ssh-rsa``; empty for a device never met."""
        return self._pins().get(place, "").partition(" ")[0]

    def check(self, place: str, kind: str, base64: str) -> None:
        """Pin the key at first sight; raises ``LoginRefused`` for another one, ``OSError`` on a full disk."""
        with _WRITING:
            pins = self._pins()
            shown, pinned = f"{kind} {base64}", pins.get(place)
            if pinned == shown:
                return
            if pinned is not None:
                raise LoginRefused(
                    f"the SSH host key of {place} changed: another device answers there, or it was replaced; "
                    f"if that is right, delete its line in {self._path or 'memory: restart the agent'}"
                )
            self._met[place] = shown
            if self._path is not None:
                pins[place] = shown
                lines = "".join(f"{name} {key}\n" for name, key in sorted(pins.items()))
                replace_file(self._path, lines.encode())

    def _pins(self) -> dict[str, str]:
        if self._path is None or not self._path.is_file():
            return dict(self._met)
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        return {name: key for name, _, key in (line.partition(" ") for line in lines) if key}
