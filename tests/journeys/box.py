"""A village's box whose clock the test moves: the agent's own poller, spool and uplink, minute by minute."""

import base64
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kampungnet.core import clock
from kampungnet.ingest import service as ingest
from kampungnet.shared import wire
from kampungnet_agent.agent import Watched, build_drivers
from kampungnet_agent.box import Box
from kampungnet_agent.line import Line
from kampungnet_agent.poller import Poller
from kampungnet_agent.report import Sender
from kampungnet_agent.settings import Device
from kampungnet_agent.signing import signer_for
from kampungnet_agent.spool import Spool
from kampungnet_agent.tally import Tally
from kampungnet_agent.uplink import Parts, Uplink
from kampungnet_agent.worker import Worker
from tests.journeys.centre import Centre


class SteppedBox(Box):
    """A box that booted at ``boot_ms`` and whose time is ``at_ms``, wall clock and boot time alike."""

    def __init__(self, boot_ms: int) -> None:
        super().__init__()
        self.boot_id = "11111111-2222-3333-4444-555555555555"
        self.boot_ms = self.at_ms = boot_ms

    def wall_ms(self) -> int:
        """The moment the test set."""
        return self.at_ms

    def boottime_ms(self) -> int:
        """Time since this box booted."""
        return self.at_ms - self.boot_ms

    def clock_synchronised(self) -> bool:
        """This box has NTP."""
        return True


class VillageBox:
    """Everything on the box of one village, wired as ``kampungnet_agent.agent`` does it."""

    def __init__(self, centre: Centre, village: str, devices: list[Device], folder: Path, boot_ms: int) -> None:
        self.box = SteppedBox(boot_ms)
        seed = b"\7" * 32
        self.agent = _enrol(centre, village, seed)
        self._watched: list[Watched] = build_drivers(devices)
        self.tally = Tally()
        self.spool = Spool(folder / "spool.db", 64, self.box)
        self._worker = Worker("spool")
        sender = Sender(self.agent, signer_for(seed), self.box)
        self._line_worker = Worker("line")
        self._parts = Parts(self.spool, self._worker, Line(centre.url), self._line_worker, sender, self.tally)
        self.uplink = Uplink(self._parts)
        self._pollers = [Poller(device, driver, self.box, self.tally) for device, driver in self._watched]

    async def poll_all(self, at_ms: int) -> list[wire.Reading]:
        """Poll every device at a moment and put what came on the spool."""
        self.box.at_ms = at_ms
        readings = [await poller.poll_once() for poller in self._pollers]
        for reading in readings:
            await self._worker.do(self.spool.add, reading)
        return readings

    async def send_all(self) -> None:
        """Send until the spool is empty."""
        now = 0.0  # the uplink's own waits are stepped over, not waited for
        for _ in range(200):
            if not self.spool.state().readings:
                return
            now += max(await self.uplink.turn(now), 0.001)
        raise AssertionError("the spool does not get empty")

    async def close(self) -> None:
        """End connections and files."""
        for _, driver in self._watched:
            await driver.close()
        self._parts.line.close()
        await self._worker.do(self.spool.close)
        self._worker.stop()
        self._line_worker.stop()


def _enrol(centre: Centre, village: str, seed: bytes) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    body = msgspec.json.encode(wire.EnrolmentRequest(centre.enrolment_code(village).splitlines()[0], public))
    signature = key.sign(wire.signing_bytes("POST", wire.ENROLMENTS_PATH, "-", body))
    with centre.database.writes() as db:
        return ingest.enrol(db, body, base64.b64encode(signature).decode(), clock.now_ms()).agent
