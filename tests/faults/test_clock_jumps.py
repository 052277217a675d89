"""The clock of a box jumps to 1970, ten years ahead and back, and says each time that it is synchronised."""

from pathlib import Path

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.shared import wire
from kampungnet_agent.box import Box as AgentsBox
from kampungnet_agent.spool import Spool
from tests.faults.reporters import Key, compare
from tests.faults.told import times, told
from tests.support.server import BOOT, Box, Running, router_body

YEAR_MS = 365 * clock.DAY_MS
JUMPS_MS = (-56 * YEAR_MS, 56 * YEAR_MS, 10 * YEAR_MS, -10 * YEAR_MS, -clock.DAY_MS) * times(2, 2)
AT_ONCE = 5


class JumpingBox(AgentsBox):
    """A box whose wall clock the test sets; the time since its boot goes on."""

    off_ms = 0

    def wall_ms(self) -> int:
        return max(1, super().wall_ms() + self.off_ms)

    def clock_synchronised(self) -> bool:
        return True


def test_a_jumping_clock_loses_and_doubles_nothing_on_its_way_from_spool_to_server(
    database: Database, server: Running, box: Box, tmp_path: Path
) -> None:
    agents, sent, receipted = JumpingBox(), dict[Key, bytes](), set[Key]()
    spool = Spool(tmp_path / "spool.db", 8, agents)
    for jump_ms in JUMPS_MS:
        for _ in range(AT_ONCE):
            reading = wire.Reading(
                BOOT, 0, "router", agents.wall_ms(), agents.boottime_ms(), wire.Outcome.OK, 40, body=router_body()
            )
            spool.add(reading)
        agents.off_ms += jump_ms
        assert spool.drop_too_old() == 0
        batch = spool.oldest(2**53, AT_ONCE - 1)  # one stays over the jump
        sent |= {(box.agent, one.sequence): one.payload for one in batch}
        answer = server.report(
            box, *(one.payload for one in batch), sent_at_ms=agents.wall_ms(), boottime_ms=agents.boottime_ms()
        )
        receipt = answer.receipt()
        assert receipt.refused == []
        spool.settle(receipt.accepted)
        receipted.update((box.agent, number) for number in receipt.accepted)
    state = spool.state()
    found = compare(database, receipted, sent)
    lost = found.lost + len(JUMPS_MS) * AT_ONCE - len(receipted) - state.readings
    line = told("clock jumps of a box", len(JUMPS_MS), lost, found.doubled + found.changed)
    assert (lost, found.doubled, found.changed, state.dropped) == (0, 0, 0, 0), line
    spool.close()
