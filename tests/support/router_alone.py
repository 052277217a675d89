"""A village's router in a process of its own, as a network namespace needs it: new, with its owner's login alone.

``python -m tests.support.router_alone SCRIPT`` serves the API on port 8728 of loopback, and reads the file SCRIPT in as
soon as it is there, as its technician would (``/import``).
"""

import asyncio
import sys
from pathlib import Path

from kampungnet_sim.fleet import FleetOptions
from kampungnet_sim.routeros_script import run_script
from tests.sim.stage import on_stage

API_PORT = 8728


async def serve(script: Path) -> None:
    """Serve until the process is ended."""
    async with on_stage(FleetOptions(model="hex", base_port=API_PORT)) as stage:
        router = stage.site.router
        router.users = {"admin": router.users["admin"]}
        hotspots = router.tables["/ip/hotspot"]
        hotspots.remove(",".join(hotspots.ids()))
        while not script.exists():
            await asyncio.sleep(0.1)
        run_script(router, script.read_text())
        script.rename(script.with_suffix(".read"))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
