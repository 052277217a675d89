"""``make pictures``: takes the pictures of the guides and of the README from a real demo with a real browser.

``--at URL --data FOLDER`` uses a demo of twelve villages that runs already. The guides' pictures are WebP: a phone's
page takes 15 kB.
"""

import argparse
import asyncio
import base64
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kampungnet.demo import cast
from kampungnet.villages import service as villages
from tests.guides.paper import GUIDES, print_paper
from tests.support.browser import Browser, browser
from tests.support.ports import free_port

README_PICTURE: Final = GUIDES.parent / "pictures/overview.webp"
FOLDERS: Final = {"id": GUIDES / "gambar", "en": GUIDES / "en/gambar"}
DEMO_SECONDS: Final = 900
VILLAGES: Final = 12
PHONE, DESK, POSTER = 360, 980, 1180
QUALITY: Final = 72
MARGIN: Final = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: who looks at which page, and which part of it."""

    name: str
    who: str
    path: str
    width: int = DESK
    height: int = 640
    """Of the page from its top, in pixels; or at most so much of ``part``."""
    part: str = ""
    """A CSS selector: the picture shows only this."""
    follow: tuple[str, ...] = ()
    """CSS selectors of links to follow from there, or ``text:`` and what stands in the line of the link."""
    sent: tuple[str, str] = ("", "")
    """CSS selector of a field there, and what is typed into it before its form is sent; the answer is the picture."""


_FIRST: Final = "a[href^='/laporan/{own}']"
PICTURES: Final = (
    Picture("masuk", "", "/masuk", PHONE, 480),
    Picture("desa", "budi", "/desa/{own}", PHONE, 640),
    Picture("desa-mati", "sari", "/desa/{fibre}", PHONE, 420, part=".state"),
    Picture("wifi", "budi", "/desa/{own}/wifi", PHONE, 640),
    Picture("voucher", "budi", "/desa/{own}/wifi/voucher", PHONE, 640),
    Picture("info", "", "/info/{own}", PHONE, 640),
    Picture("ringkasan", "sari", "/", height=800),
    Picture("gangguan", "sari", "/gangguan", height=620),
    Picture("gangguan-satu", "sari", "/gangguan", height=560, follow=(f"text:{cast.TRUNK_NAME}",)),
    Picture("cahaya", "sari", "/desa/{ageing}", height=620, part="section.card:has(.level)"),
    Picture("hitungan", "sari", "/desa/{own}/hitungan", height=560),
    Picture("laporan", "dewi", "/anggaran", height=680),
    Picture("laporan-satu", "eko", "/anggaran", height=780, follow=(_FIRST,)),
    Picture("tagihan", "dewi", "/anggaran", height=520, part="#tagihan", follow=(_FIRST,)),
    Picture("pagu", "dewi", "/pagu", height=560),
    Picture("periksa", "dewi", "/anggaran", PHONE, 560, follow=("tr:has(.step-paid) a", "a[href^='/periksa/']")),
    Picture("perangkat", "sari", "/desa/{extras}", PHONE, 640, part="section.card:has(.devices)"),
    Picture("kode-kotak", "sari", "/desa/{ageing}", PHONE, 640, sent=("#new-reason", "Kotak lama rusak")),
    Picture("wifi-aturan", "sari", "/desa/{own}/wifi", PHONE, 420, part="section.card:has([value=managed])"),
)


def main() -> None:
    """Take all pictures and print the paper."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", help="address of a demo that runs already")
    parser.add_argument("--data", type=Path, help="its folder")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium takes the pictures, and is not installed here (on Debian: apt install chromium).")
    with demo_of(options.at, options.data) as (url, password):
        asyncio.run(_take_all(chromium, url, password))


@contextmanager
def demo_of(url: str | None, folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield address and password of a demo; of one that was begun for this, until all pictures are there."""
    if url and folder:
        yield url, (folder / "password").read_text().strip()
        return
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        data, port = Path(name), free_port()
        command = [sys.executable, "-m", "kampungnet.cli", "demo", "--port", str(port), "--data", name]
        with (data / "told").open("w+") as told:
            demo = subprocess.Popen([*command, "--villages", str(VILLAGES)], stdout=told)
            try:
                _wait_for(demo, data / "told")
                yield f"http://127.0.0.1:{port}", (data / "password").read_text().strip()
            finally:
                demo.send_signal(signal.SIGINT)
                demo.wait(timeout=60)


def _wait_for(demo: "subprocess.Popen[bytes]", told: Path) -> None:
    deadline = time.monotonic() + DEMO_SECONDS
    while "Siap:" not in told.read_text():
        if demo.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The demo did not come up:\n{told.read_text()}")
        time.sleep(1)


def places_of_demo() -> dict[str, str]:
    """Return the codes of the villages that play a part, by the part."""
    with villages.register_path("banyuwangi").open(encoding="utf-8") as register:
        codes = [line[:13] for line in register][1:]
    parts = cast.choose(codes, VILLAGES)
    return {"own": parts.codes[0], "fibre": parts.fibre, "ageing": parts.ageing, "extras": parts.extras}


async def _take_all(chromium: str, url: str, password: str) -> None:
    places = places_of_demo()
    for who in dict.fromkeys(one.who for one in PICTURES):
        async with browser(chromium, size=(PHONE, 800)) as page:
            if who:
                await sign_in(page, url, who, password)
            for language, folder in FOLDERS.items():
                folder.mkdir(parents=True, exist_ok=True)
                await page.go(f"{url}/masuk?lang={language}" if not who else f"{url}/akun?lang={language}")
                for one in [one for one in PICTURES if one.who == who]:
                    file = folder / f"{one.name}.webp"
                    file.write_bytes(await _take(page, url, one, places))
            if who == "sari":
                await page.go(f"{url}/akun?lang=id")
                poster = Picture("overview", who, "/", POSTER, 900)
                README_PICTURE.write_bytes(await _take(page, url, poster, places))
    async with browser(chromium) as page:
        for language in FOLDERS:
            await print_paper(page, language)


async def sign_in(page: Browser, url: str, who: str, password: str) -> None:
    """Let somebody of the demo's cast sign in."""
    await page.go(f"{url}/masuk")
    await page.fill("[name=username]", who)
    await page.fill("[name=password]", password)
    await page.click("main button")
    await page.until("location.pathname != '/masuk'")


async def _take(page: Browser, url: str, one: Picture, places: Mapping[str, str]) -> bytes:
    """Return one picture, as bytes of its file."""
    await page.call(
        "Emulation.setDeviceMetricsOverride", width=one.width, height=one.height, deviceScaleFactor=1,
        mobile=one.width == PHONE,
    )  # fmt: skip
    await page.go(url + one.path.format(**places))
    for link in one.follow:
        await page.go(url + await page.value(_address_of(link.format(**places))))
    field, typed = one.sent
    if field:
        here = await page.value("location.pathname")
        await page.value("document.querySelectorAll('details').forEach(one => one.open = true)")
        await page.fill(field, typed)
        await page.value(f"document.querySelector({json.dumps(field)}).form.requestSubmit()")
        await page.until(f"location.pathname != {json.dumps(here)} && document.readyState == 'complete'")
    left, top, width, height = await page.value(_rectangle(one))
    clip = {"x": left, "y": top, "width": width, "height": height, "scale": 1}
    taken = await page.call(
        "Page.captureScreenshot", captureBeyondViewport=True, clip=clip, format="webp", quality=QUALITY
    )  # fmt: skip
    return base64.b64decode(taken["data"])


def _address_of(link: str) -> str:
    words = json.dumps(link.removeprefix("text:"))
    if not link.startswith("text:"):
        return f"document.querySelector({words}).getAttribute('href')"
    line = f"[...document.querySelectorAll('main li')].find(one => one.innerText.includes({words}))"
    return f"{line}.querySelector('a').getAttribute('href')"


def _rectangle(one: Picture) -> str:
    """Return a script that says left, top, width and height of what is shown, in pixels."""
    if not one.part:
        return f"[0, 0, {one.width}, Math.min({one.height}, document.documentElement.scrollHeight)]"
    part = json.dumps(one.part)
    return (
        f"(() => {{ const at = document.querySelector({part}).getBoundingClientRect();"
        f" return [Math.max(0, at.left + scrollX - {MARGIN}), at.top + scrollY - {MARGIN},"
        f" at.width + {2 * MARGIN}, Math.min({one.height}, at.height + {2 * MARGIN})] }})()"
    )


if __name__ == "__main__":
    main()
