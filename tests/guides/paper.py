"""The operator's guide on paper: two A4 pages for the wall of the village office, from the text of the guide."""

import base64
import re
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from tests.support.browser import Browser

GUIDES: Final = Path(__file__).parents[2] / "docs/panduan"
NAME: Final = "operator-desa"
TEXTS: Final = {"id": GUIDES / f"{NAME}.md", "en": GUIDES / "en" / f"{NAME}.md"}
_TO_JPEG: Final = """(async () => {
  for (const one of document.images) {
    await one.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [one.naturalWidth, one.naturalHeight];
    canvas.getContext("2d").drawImage(one, 0, 0);
    one.src = canvas.toDataURL("image/jpeg", .82);
    await one.decode();
  }
})()"""
"""A PDF holds a JPEG as it is, and anything else as bare pixels: ten times as much."""
A4: Final = {"paperWidth": 8.27, "paperHeight": 11.69}
_STYLE: Final = """
@page { margin: 13mm 15mm; }
body { font: 11pt/1.42 "DejaVu Sans", sans-serif; color: #17272a; margin: 0; }
h1, h2 { color: #0d4f4a; break-after: avoid; }
h1 { font-size: 20pt; margin: 0 0 2mm; }
h2 { font-size: 13pt; margin: 5mm 0 1.5mm; }
h2:last-of-type { break-before: page; }
p, ul, ol { margin: 0 0 2mm; }
ol, ul { padding-left: 6mm; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2mm; }
td, th { border-bottom: .3mm solid #d5d0c4; padding: 1.3mm 2mm 1.3mm 0; vertical-align: top; }
th { text-align: left; font-size: 9.5pt; color: #55656a; }
tr { break-inside: avoid; }
img { width: 52mm; border: .3mm solid #d5d0c4; border-radius: 2mm; margin: 1mm 2mm 0 0; vertical-align: top; }
a { color: inherit; text-decoration: none; }
"""


def paper_of(language: str) -> Path:
    """Return where the paper of a language lies."""
    return TEXTS[language].with_suffix(".pdf")


def html_of(language: str) -> str:
    """Return the guide as a page that stands alone, its pictures inside; links to other pages are left out."""
    file = TEXTS[language]
    text = re.sub(r"^\[.*\]\(.*\)$", "", file.read_text("utf-8"), flags=re.MULTILINE)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)

    def inside(found: re.Match[str]) -> str:
        picture = base64.b64encode((file.parent / found[1]).read_bytes()).decode()
        return f'src="data:image/webp;base64,{picture}"'

    body = re.sub(r'src="([^"]+)"', inside, body)
    head = f'<meta charset="utf-8"><title>{NAME}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="{language}">{head}{body}'


async def printed(page: Browser, language: str) -> bytes:
    """Return the guide as a PDF."""
    await page.go("about:blank")
    frame = (await page.call("Page.getFrameTree"))["frameTree"]["frame"]["id"]
    await page.call("Page.setDocumentContent", frameId=frame, html=html_of(language))
    await page.value(_TO_JPEG)
    made = await page.call("Page.printToPDF", preferCSSPageSize=False, printBackground=True, **A4)
    return base64.b64decode(made["data"])


async def print_paper(page: Browser, language: str) -> None:
    """Write the guide of a language as a PDF beside its text."""
    paper_of(language).write_bytes(await printed(page, language))
