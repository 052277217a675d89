"""Pure: texts that fit, cut where it hurts least. Loads nothing: the process that sends needs it and little else."""

from typing import Final

MORE: Final = "…"


def cut(text: str, most: int) -> str:
    """Return a text that is not longer, without whole lines of its middle; its first and last line stay.

    Counted as Telegram counts, in UTF-16: an emoji is two.
    """
    if length(text) <= most:
        return text
    first, *middle, last = text.split("\n") if "\n" in text else (text, "")
    room = most - length(last) - 2 * len("\n") - len(MORE)
    kept = [shortened(first, max(0, room))]
    for line in middle:
        if length("\n".join([*kept, line])) > room:
            break
        kept.append(line)
    return "\n".join(one for one in (*kept, MORE, last) if one)


def length(text: str) -> int:
    """Return how long a text is in UTF-16."""
    return len(text.encode("utf-16-le", "replace")) // 2


def shortened(text: str, most: int) -> str:
    """Return a text that is not longer, cut between letters."""
    if length(text) <= most:
        return text
    kept = text[:most]
    while kept and length(kept) > most - len(MORE):
        kept = kept[:-1]
    return kept.rstrip() + MORE
