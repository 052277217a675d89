"""What a terminal shows, as lines of text: without escape codes, pagers, carriage returns. Pure."""

import re
from typing import Final

_ESCAPES: Final = re.compile(
    r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Za-z0-9]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_=>78])"
)
_PAGERS: Final = re.compile(r"-{2,} ?(?:\( ?)?More\b[^\n\r]{0,60}?(?:-{2,}|$)", re.IGNORECASE)
PAGER: Final = re.compile(r"-{2,} ?(?:\( ?)?More\b[^\n]{0,60}$|Press any key to continue[^\n]{0,40}$", re.IGNORECASE)
"""At the end of what came: the device waits for a key."""
QUESTION: Final = re.compile(r"\{ ?<cr>[^}\n]{0,200}\}: ?$|\(y/n\)\s?\[[yn]\]: ?$", re.IGNORECASE)
"""At the end: Huawei wants a further word, or a yes."""
LOGIN: Final = re.compile(r"(?:user ?name|login|account): ?$", re.IGNORECASE)
PASSWORD: Final = re.compile(r"password: ?$", re.IGNORECASE)
_PROMPT: Final = re.compile(r"([\w.@:~/\- ]{0,60}?)((?:\([^()\n]{1,60}\))?[>#$] ?)$")
_LONGEST_LINE: Final = 2_000


def unescaped(raw: str) -> str:
    """Return text without escape codes, the rest as it came."""
    return _ESCAPES.sub("", raw)


def clean(raw: str) -> str:
    """Return what a person would read: escape codes gone, backspaces carried out, pagers wiped."""
    text = _PAGERS.sub("", unescaped(raw.replace("\r\n", "\n").replace("\0", "")))
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    if "\b" in line:
        shown: list[str] = []
        for character in line[:_LONGEST_LINE]:
            if character != "\b":
                shown.append(character)
            elif shown:
                shown.pop()
        line = "".join(shown)
    return line.rpartition("\r")[2] if line.rpartition("\r")[2].strip() else line.replace("\r", "")


def prompt_at_end(text: str) -> str:
    """Return the prompt a device stopped at, without trailing blanks; empty when its last line is none."""
    last = text.rpartition("\n")[2]
    found = _PROMPT.fullmatch(last)
    return last.rstrip() if found else ""


def prompt_pattern(prompt: str) -> "re.Pattern[str]":
    """Return what this device's prompts look like in every view: same name, other brackets, ``>`` or ``#``."""
    found = _PROMPT.fullmatch(prompt)
    name = found[1] if found else prompt
    if not name.strip():
        return re.compile(re.escape(prompt.rstrip()) + r" ?")
    return re.compile(re.escape(name) + r"(?:\([^()\n]{1,60}\))?[>#$] ?")


def answer_to(command: str, text: str, prompt: "re.Pattern[str]") -> str:
    """Return the lines of one answer: without the echoed command before and the prompt behind."""
    lines = text.split("\n")
    if lines and lines[0].strip().endswith(command):
        lines = lines[1:]
    while lines and (not lines[-1].strip() or prompt.fullmatch(lines[-1])):
        lines = lines[:-1]
    return "\n".join(lines)
