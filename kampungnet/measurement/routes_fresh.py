"""Tell open pages that something new was measured: server-sent events, so that nobody has to reload.

The page then fetches itself again and puts the new content in its place (`static/fresh.js`). Without a script, or
without this stream, it is the page it always was.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select

from kampungnet.core.database import Database
from kampungnet.core.errors import Unavailable
from kampungnet.core.languages import N_
from kampungnet.core.web import whole_database_of
from kampungnet.devices.models import Agent, Site
from kampungnet.staff.access import CurrentStaff
from kampungnet.staff.service import Scope

MOST_OPEN: Final = 200
"""Streams of one process at once; whoever comes later has a page that does not renew itself."""
LOOK_SECONDS: Final = 2.0
VILLAGE_SECONDS: Final = 5.0
REGENCY_SECONDS: Final = 20.0
"""From one telling to the next: of 401 villages something is new every second, and a page costs 0.1 s to draw."""
ALIVE_SECONDS: Final = 15.0
LONGEST_SECONDS: Final = 600.0
"""Then the browser connects anew, and it is asked again who that is."""

Newest = Mapping[str, int]
"""When the box of each village reported last, ms since 1970."""

router = APIRouter(include_in_schema=False)


class Watch:
    """What is newest in each regency, looked up once for all who listen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[str, tuple[float, Newest]] = {}
        self._looking = asyncio.Lock()
        self.open = 0

    async def newest(self, regency: str) -> Newest:
        """Return the last reports of a regency, as they stood less than two seconds ago."""
        async with self._looking:
            until, found = self._found.get(regency, (0.0, {}))
            if time.monotonic() >= until:
                found = await asyncio.to_thread(self._look, regency)
                self._found[regency] = time.monotonic() + LOOK_SECONDS, found
            return found

    def _look(self, regency: str) -> Newest:
        here = (Site.regency == Agent.regency) & (Site.code == Agent.site)
        asked = select(Site.village, func.max(Agent.last_report_ms)).join(Site, here)
        with self._database.reads() as db:
            rows = db.execute(asked.where(Agent.regency == regency).group_by(Site.village))
            return {village: at_ms for village, at_ms in rows if at_ms is not None}


_WATCHES: Final[WeakKeyDictionary[Database, Watch]] = WeakKeyDictionary()


@router.get("/segar")
async def fresh(request: Request, staff: CurrentStaff, desa: str = "") -> StreamingResponse:
    """Send an event each time a village (or any that this person may see) has reported anew."""
    if desa:
        staff.scope.check(desa)
    database = whole_database_of(request)
    watch = _WATCHES.setdefault(database, Watch(database))
    if watch.open >= MOST_OPEN:
        raise Unavailable(N_("Too many pages are open just now: reload this one to see what is new."))
    ending: Callable[[], bool] = request.app.state.ending
    events = _events(watch, staff.scope, desa, ending)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(watch: Watch, scope: Scope, village: str, ending: Callable[[], bool]) -> AsyncIterator[str]:
    watch.open += 1
    try:
        yield "retry: 5000\n\n"
        began = told = spoke = time.monotonic()
        pause = VILLAGE_SECONDS if village else REGENCY_SECONDS
        seen = _state(await watch.newest(scope.regency), scope, village)
        while not ending() and (now := time.monotonic()) - began < LONGEST_SECONDS:
            state = _state(await watch.newest(scope.regency), scope, village) if now - told >= pause else seen
            if state != seen:
                seen, told, spoke = state, now, now
                yield f"event: segar\ndata: {state}\n\n"
            elif now - spoke >= ALIVE_SECONDS:
                spoke = now
                yield ":\n\n"
            await asyncio.sleep(1)
    finally:
        watch.open -= 1


def _state(newest: Newest, scope: Scope, village: str) -> int:
    seen = [at_ms for code, at_ms in newest.items() if (code == village if village else scope.covers(code))]
    return max(seen, default=0)
