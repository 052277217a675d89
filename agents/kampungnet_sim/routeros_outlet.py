"""What leaves a router: its answers as they are, or spoilt by the faults of the hour."""

import asyncio
import os
from collections.abc import Callable

TRICKLE_SECONDS = 1.0
_GARBAGE_BYTES = 200


class Outlet:
    """The last station before the line. ``stalled`` means that nothing will ever follow."""

    def __init__(
        self, write: Callable[[bytes], None], faults: Callable[[], frozenset[str]], reboot: Callable[[], None]
    ) -> None:
        self._write = write
        self._faults = faults
        self._reboot = reboot
        self._drops = bytearray()
        self._dripping: asyncio.Task[None] | None = None
        # A word that takes long to send: nothing may come between its bytes.
        self.occupied = False
        self.stalled = False

    def send(self, data: bytes) -> None:
        """Send an answer, or what the faults leave of it."""
        if not data or self.stalled or self.occupied:
            return
        faults = self._faults()
        if self._dripping is not None or "trickle" in faults:
            self._trickle(data)
        else:
            self._write(self._spoilt(data, faults) if faults else data)

    def _spoilt(self, data: bytes, faults: frozenset[str]) -> bytes:
        half = data[: max(len(data) // 2, 1)]
        if "garbage_bytes" in faults:
            return b"\xff\xfe" + os.urandom(min(len(data), _GARBAGE_BYTES))
        if "stalled_session" in faults:
            self.stalled = True
            return half
        if "reboot_mid_answer" in faults:
            self.stalled = True
            # Once this half is on its way.
            asyncio.get_running_loop().call_soon(self._reboot)
            return half
        return data

    def _trickle(self, data: bytes) -> None:
        self._drops += data
        if self._dripping is None:
            self._dripping = asyncio.get_running_loop().create_task(self._drip())

    async def _drip(self) -> None:
        while self._drops and "trickle" in self._faults():
            self._write(bytes(self._drops[:1]))
            del self._drops[:1]
            await asyncio.sleep(TRICKLE_SECONDS)
        self._write(bytes(self._drops))
        self._drops.clear()
        self._dripping = None

    def close(self) -> None:
        """Stop dripping."""
        if self._dripping is not None:
            self._dripping.cancel()
