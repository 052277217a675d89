"""Puts what was measured into a page, between its markers."""

from pathlib import Path

START, END = "<!-- bench:start -->", "<!-- bench:end -->"


def write(page: Path, text: str) -> None:
    """Replace what stands between the markers. ``SystemExit`` when there are none."""
    before, start, rest = page.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{page.name} has no place for the table between {START} and {END}")
    page.write_text(f"{before}{START}\n{text}\n{END}{after}", encoding="utf-8")
