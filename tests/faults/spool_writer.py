"""A child process that spools without a pause, and says each number as soon as it may not get lost any more."""

import sys
from pathlib import Path

from kampungnet.shared import wire
from kampungnet_agent.box import Box
from kampungnet_agent.spool import Spool

MOST_WAITING = 2_000


def main(folder: Path, *, careless: bool) -> None:
    """Write until killed, and settle now and then what is said as a negative number before.

    ``careless``: without waiting for the disk, as a control that must lose readings.
    """
    spool = Spool(folder / "spool.db", 8, Box())
    if careless:
        spool._db.execute("PRAGMA synchronous=OFF")
    number = 0
    while True:
        number += 1
        body = wire.RouterBody(identity=f"Balai Desa {number}", missing=["x" * 190] * 5)
        sequence = spool.add(wire.Reading("boot", 0, "router", Box().wall_ms(), number, wire.Outcome.OK, 12, body=body))
        sys.stdout.write(f"{sequence}\n")
        sys.stdout.flush()
        if number % 40 == 0:
            # A backlog that grows, and then stays: at the cap of the spool the oldest would go, as they should.
            most = 15 if spool.state().readings < MOST_WAITING else 60
            receipted = [one.sequence for one in spool.oldest(sequence - 20, most)]
            sys.stdout.write("".join(f"-{one}\n" for one in receipted))
            sys.stdout.flush()
            spool.settle(receipted)


if __name__ == "__main__":
    main(Path(sys.argv[1]), careless="--careless" in sys.argv)
