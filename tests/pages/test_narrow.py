"""A phone of 320 px shows every page without scrolling sideways; measured by a real browser."""

import html
import re
import subprocess
from pathlib import Path

from kampungnet.app import Server
from kampungnet.core.pages import PACKAGE
from tests.pages.cast import browser, signed_in
from tests.pages.kinds import CAMERA, DECLINING, MUTE, OLT_ONLY
from tests.pages.losses import LOSING
from tests.pages.sample import KAMPUNGANYAR

PATHS = (
    "/", "/?keadaan=up", f"/desa/{KAMPUNGANYAR}", "/desa/35.10.03.2001", "/tentang", "/nowhere", "/masuk", "/onu",
    "/cari?nama=kampunganyr", "/gangguan", "/pekerjaan", "/janggal", "/layanan-gratis", "/pemakaian", "/paket-wifi",
    "/pemberitahuan", "/catatan", "/anggaran", "/kontrak", "/pagu", "/rekap", "/ukuran", f"/info/{KAMPUNGANYAR}",
    f"/desa/{KAMPUNGANYAR}/wifi", f"/desa/{KAMPUNGANYAR}/wifi/voucher", f"/desa/{KAMPUNGANYAR}/hitungan",
    *(f"/desa/{code}" for code in (DECLINING, OLT_ONLY, CAMERA, MUTE, LOSING)),
)  # fmt: skip
MOST_BYTES = 150_000
MEASURE = """<script>
onload = () => document.querySelectorAll("iframe").forEach(frame =>
  frame.dataset.wide = frame.contentDocument.scrollingElement.scrollWidth)
</script>"""


async def test_no_page_is_wider_than_a_small_phone(server: Server, chromium: str, tmp_path: Path) -> None:
    sari = await signed_in(server, "sari")
    style = (PACKAGE / "static/style.css").read_text("utf-8")
    frames = ""
    for path in PATHS:
        visitor = browser(server) if path == "/masuk" else sari
        page = (await visitor.get(path)).text
        assert len(page.encode()) < MOST_BYTES, path
        page = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{style}</style>", page)
        page = page.replace("<details", "<details open")
        frames += f'<iframe width="320" height="800" data-path="{path}" srcdoc="{html.escape(page)}"></iframe>'
    wrapper = tmp_path / "narrow.html"
    wrapper.write_text(f'<!doctype html><meta charset="utf-8">{frames}{MEASURE}', "utf-8")
    command = (
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", wrapper.as_uri(),
    )  # fmt: skip
    seen = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    wide = dict(re.findall(r'data-path="([^"]+)"[^>]*data-wide="(\d+)"', re.sub(r'srcdoc="[^"]*"', "", seen)))
    assert len(wide) == len(PATHS)
    assert {path: width for path, width in wide.items() if int(width) > 320} == {}
