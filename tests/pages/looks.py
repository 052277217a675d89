"""What is measured of a page that stands in a browser: fields beside their labels, whole words, and its paper."""

from typing import Final

from tests.support.browser import Browser

WIDTHS: Final = (320, 480, 640, 720, 901, 1280)
"""Phones, and both sides of where the style sheet changes its ways."""
PAPER: Final = 718
"""Of A4 between the margins of the style sheet, in pixels of CSS: 190 mm."""

_WORDS: Final = """(() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const element = node.parentElement, isTable = element.closest("th, td, button, .button");
    // What goes into a machine is one long word; a list beside its words has little room on a small phone.
    if (element.closest("code") || !(isTable || matchMedia("print").matches)) continue;
    for (const word of node.data.matchAll(isTable ? /\\p{L}{3,20}|\\d+(\\.\\d+){2,7}/gu : /\\d+(\\.\\d+){2,7}/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(line => line.top)).size > 1) found.push(word[0]);
    }
  }
  return [...new Set(found)];
})()"""
"""Words, codes and sums of tables and buttons, and on paper all codes and sums, that go on in the next line."""

_PARTED: Final = """[...document.querySelectorAll("label")].filter(label => {
  if (!label.control || !label.control.checkVisibility()) return false;
  const text = document.createRange();
  text.selectNodeContents(label);
  if (label.contains(label.control)) {
    const [node] = [...label.childNodes].filter(one => one.nodeType == 3 && one.data.trim());
    text.selectNode(node);
  }
  const words = text.getBoundingClientRect(), field = label.control.getBoundingClientRect();
  const apart = Math.max(field.top - words.bottom, words.top - field.bottom);
  const aside = Math.max(field.left - words.right, words.left - field.right);
  return apart > 12 || aside > 12;
}).map(label => label.innerText.trim())"""
"""Labels that stand away from their field."""

_ON_PAPER: Final = """[...document.querySelectorAll("nav, button, .button, .skip, .filter, .foot")].filter(
  one => one.checkVisibility()).map(one => one.tagName + " " + one.innerText.slice(0, 40))"""
"""What a hand can press, printed."""


async def faults(page: Browser) -> list[str]:
    """Say what is wrong with the page that is open, on screens of several widths and on paper."""
    found = []
    for width in WIDTHS:
        await _set(page, width, "screen")
        for what, script in (("a word is broken", _WORDS), ("a label parted from its field", _PARTED)):
            found += [f"{what} at {width} px: {one}" for one in await page.value(script)]
    # Who prints by night still has white paper.
    await _set(page, PAPER, "print", scheme="dark")
    for what, script in (("a word is broken", _WORDS), ("a button", _ON_PAPER)):
        found += [f"{what} on paper: {one}" for one in await page.value(script)]
    if (wide := await page.value("document.scrollingElement.scrollWidth")) > PAPER:
        found.append(f"{wide} px wide on paper")
    if (ground := await page.value("getComputedStyle(document.body).backgroundColor")) != "rgb(255, 255, 255)":
        found.append(f"printed on {ground}")
    await _set(page, 360, "screen")
    return found


async def _set(page: Browser, width: int, media: str, scheme: str = "light") -> None:
    await page.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=740, deviceScaleFactor=1, mobile=width < 640
    )
    await page.call(
        "Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
