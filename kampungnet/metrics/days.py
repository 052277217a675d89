"""Days at rest, sent by the column: one is opened while the one before is mapped and the one before that travels."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final

from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.measurement import packing
from kampungnet.measurement.packing import Shared
from kampungnet.metrics import backlog, sending
from kampungnet.metrics.backlog import Places, Rested
from kampungnet.metrics.lanes import Lanes
from kampungnet.metrics.sending import Sender, When
from kampungnet.metrics.series import Gatherer

SAMPLES_AT_ONCE: Final = 40_000
_AHEAD: Final = 6
_FEW: Final = 3
"""When so few are ahead more are read, together."""

Opened = tuple[Rested, list[Shared]]


class Days:
    """Sends packs of one regency."""

    def __init__(self, database: Database, sender: Sender, gatherer: Gatherer, lanes: Lanes) -> None:
        self._database, self._sender, self._gatherer, self._lanes = database, sender, gatherer, lanes

    def send(self, regency: str, places: Places, packs: Iterable[Rested], window_ms: int) -> Iterator[Rested]:
        """Put packs on their way, and yield each. What fails is told by ``lanes.wait``."""
        for pack, texts in self._opened(regency, packs):
            when = When(clock.now_ms(), window_ms)
            polls = backlog.polls_of_pack(places, pack, texts, when)
            self._gatherer.take_day(pack.key[2].toordinal(), sending.in_time(self._sender, polls, when))
            for parts in self._gatherer.given(SAMPLES_AT_ONCE):
                self._lanes.put(pack.site, parts)
            yield pack

    def _opened(self, regency: str, packs: Iterable[Rested]) -> Iterator[Opened]:
        left = iter(packs)
        ahead: deque[tuple[Rested, Future[list[Shared]]]] = deque()
        with ThreadPoolExecutor(1, "opener") as opener:
            while True:
                if len(ahead) < _FEW:
                    with self._database.reads() as db:
                        for pack in islice(left, _AHEAD - len(ahead)):
                            blob = backlog.blob_of(db, regency, pack)
                            ahead.append((pack, opener.submit(packing.texts, blob) if blob else opener.submit(list)))
                if not ahead:
                    return
                pack, opened = ahead.popleft()
                yield pack, opened.result()
