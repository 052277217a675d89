"""A headless Chromium that a test drives: its own debugging protocol over two pipes, no further library."""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_READ, _WRITE = 3, 4  # the numbers Chromium expects
_ABOVE = 10
_PATIENCE_SECONDS = 60.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
    "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """One tab."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._count, self._session = 0, ""

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol, and its result. AssertionError when the browser refuses it."""
        self._count += 1
        number, body = self._count, {"id": self._count, "method": method, "params": parameters}
        if self._session:
            body["sessionId"] = self._session
        self._writer.write(json.dumps(body).encode() + b"\0")
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                said = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                if said.get("id") == number:
                    assert "error" not in said, f"{method}: {said['error']}"
                    return dict(said["result"])

    async def attach(self, width: int, height: int) -> None:
        """Open a tab as wide and high as a phone."""
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        session = await self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True
        )

    async def go(self, url: str) -> None:
        """Open a page."""
        found = await self.call("Page.navigate", url=url)
        assert "errorText" not in found, f"{url}: {found['errorText']}"
        await self.until("document.readyState == 'complete'")

    async def value(self, script: str) -> Any:
        """What a piece of script comes to in the page."""
        found = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, f"{script}: {found['exceptionDetails']}"
        return found["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until something is true in the page, also while it changes to another."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                try:
                    if await self.value(script):
                        return
                except AssertionError:
                    # The page it asked went away under it.
                    pass
                await asyncio.sleep(0.05)

    async def reads(self, words: str) -> None:
        """Wait until a reader sees some words."""
        await self.until(f"document.body && document.body.innerText.includes({json.dumps(words)})")

    async def text(self) -> str:
        """What a reader sees."""
        return str(await self.value("document.body.innerText"))

    async def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        await self.value(f"{await self._there(selector)}.focus()")
        await self.call("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        """Press a button or follow a link."""
        await self.value(f"{await self._there(selector)}.click()")

    async def _there(self, selector: str) -> str:
        """Wait until a page has come to its end and has an element; return it as a script has it."""
        element = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"document.readyState == 'complete' && {element} !== null")
        return element


@asynccontextmanager
async def browser(
    chromium: str, *, proxy: str = "", size: tuple[int, int] = (360, 740), script: bool = True
) -> AsyncIterator[Browser]:
    """A browser for the length of a test. ``proxy`` is ``127.0.0.1:PORT``; ``script`` False runs none of the pages'."""
    to_child, from_child = os.pipe(), os.pipe()
    ends = [fcntl.fcntl(one, fcntl.F_DUPFD, _ABOVE) for one in (to_child[0], from_child[1])]
    for one in (to_child[0], from_child[1]):
        os.close(one)

    def number_them() -> None:
        os.dup2(ends[0], _READ)
        os.dup2(ends[1], _WRITE)

    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as home:
        flags = [*_FLAGS, f"--user-data-dir={Path(home) / 'profile'}"]
        flags += [f"--proxy-server=http://{proxy}", "--proxy-bypass-list=<-loopback>"] if proxy else []
        process = await asyncio.create_subprocess_exec(
            chromium, *flags, pass_fds=(_READ, _WRITE), preexec_fn=number_them,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        for one in ends:
            os.close(one)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=1 << 24)
        protocol = asyncio.StreamReaderProtocol(reader)
        inward, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(from_child[0], "rb"))
        outward, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(to_child[1], "wb"))
        tab = Browser(reader, asyncio.StreamWriter(outward, flow, None, loop))
        try:
            await tab.attach(*size)
            if not script:
                await tab.call("Emulation.setScriptExecutionDisabled", value=True)
            yield tab
        finally:
            process.kill()
            await process.wait()
            inward.close()
            outward.close()
