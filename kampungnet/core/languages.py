"""What people read: two languages, and how numbers, ages and moments are written in each.

Texts in code and templates are English; ``locale/<code>/LC_MESSAGES/messages.po`` says them
in Indonesian and English. The catalogues are read as they are: without a compile step a wheel
and a working copy behave the same, and a translator sees a change at the next start.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from kampungnet.core import clock

Catalogue = Mapping[str, tuple[str, ...]]

DEFAULT: Final = "id"
_LINE: Final = re.compile(r'(msgid_plural|msgid|msgstr(?:\[\d\])?)?\s*(".*")')


def N_(message: str) -> str:  # noqa: N802 -- the name gettext tools know
    """Mark a text for translation where it stands; it is translated where it is shown."""
    return message


_MONTHS: Final = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"),
    N_("July"), N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip
_SHORT_MONTHS: Final = (
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
)  # fmt: skip


@dataclass(frozen=True)
class Language:
    """One language: its texts and its ways to write numbers and times."""

    code: str
    decimal_mark: str
    thousands_mark: str
    time_mark: str
    texts: Catalogue

    def say(self, message: str, **values: object) -> str:
        """Return a text in this language with its values filled in."""
        said = self.texts.get(message, ("",))[0] or message
        return said % values if values else said

    def say_many(self, one: str, many: str, n: int, **values: object) -> str:
        """Return the text for ``n`` things with its values filled in."""
        return self.form(one, many, n) % {"n": self.number(n), **values}

    def form(self, one: str, many: str, n: int) -> str:
        """Return the text for ``n`` things as it stands. Indonesian has one form, English two."""
        forms = self.texts.get(one) or (one, many)
        return forms[0] if n == 1 or len(forms) == 1 else forms[1]

    def number(self, value: float, decimals: int = 0) -> str:
        """Return 1.234,5 in Indonesian and 1,234.5 in English."""
        english = f"{value:,.{decimals}f}"
        if english.startswith("-") and not english.strip("-0.,"):
            english = english[1:]
        swap = {",": self.thousands_mark, ".": self.decimal_mark}
        return "".join(swap.get(letter, letter) for letter in english)

    def short(self, value: float) -> str:
        """Return a number with as many decimals as its size needs: 0,03 · 4,2 · 137."""
        size = abs(value)
        return self.number(value, 0 if size >= 100 or size == 0 else 1 if size >= 1 else 2)

    def size(self, count: float) -> str:
        """Return a number of bytes in decimal units, as providers count."""
        for unit, step in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if count >= step:
                return f"{self.short(count / step)} {unit}"
        return f"{self.number(count)} B"

    def age(self, then_ms: int | None, now_ms: int) -> str:
        """Return how long ago something was: "5 menit lalu"."""
        if then_ms is None:
            return self.say("never")
        minutes = (now_ms - then_ms) // 60_000
        if minutes < 1:
            return self.say("just now")
        if minutes < 60:
            return self.say_many("%(n)s minute ago", "%(n)s minutes ago", minutes)
        if minutes < 48 * 60:
            return self.say_many("%(n)s hour ago", "%(n)s hours ago", minutes // 60)
        return self.say_many("%(n)s day ago", "%(n)s days ago", minutes // 1440)

    def duration(self, seconds: float) -> str:
        """Return a length of time in its two largest units."""
        minutes = int(seconds) // 60
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        parts = [
            (days, self.say_many("%(n)s day", "%(n)s days", days)),
            (hours, self.say_many("%(n)s hour", "%(n)s hours", hours)),
            (minutes, self.say_many("%(n)s minute", "%(n)s minutes", minutes)),
        ]
        said = [words for amount, words in parts if amount][: 2 if days or hours else 1]
        return " ".join(said) or self.say("under a minute")

    def time(self, instant_ms: int, zone: str) -> str:
        """Return local wall time: 07.15 in Indonesian, 07:15 in English."""
        moment = clock.local(instant_ms, zone)
        return f"{moment.hour:02}{self.time_mark}{moment.minute:02}"

    def day(self, day: date) -> str:
        """Return a day without its year: 21 Nov."""
        return f"{day.day} {self.say(_SHORT_MONTHS[day.month - 1])}"

    def full_day(self, day: date) -> str:
        """Return a day with its year: 21 November 2025."""
        return f"{day.day} {self.say(_MONTHS[day.month - 1])} {day.year}"

    def month(self, day: date) -> str:
        """Return the month of a day, with its year: November 2025."""
        return f"{self.say(_MONTHS[day.month - 1])} {day.year}"

    def moment(self, instant_ms: int, zone: str, now_ms: int, *, with_zone: bool = True) -> str:
        """Return an instant as people here would say it."""
        day, today = clock.local_day(instant_ms, zone), clock.local_day(now_ms, zone)
        at = self.say("at %(time)s", time=self.time(instant_ms, zone))
        if with_zone:
            at += f"\N{NO-BREAK SPACE}{clock.abbreviation(zone)}"
        if day == today:
            return self.say("today %(at)s", at=at)
        if day == today - timedelta(days=1):
            return self.say("yesterday %(at)s", at=at)
        if day == today + timedelta(days=1):
            return self.say("tomorrow %(at)s", at=at)
        return f"{self.day(day) if day.year == today.year else self.full_day(day)} {at}"

    def stretch(self, start_ms: int, end_ms: int | None, zone: str, now_ms: int) -> str:
        """Return from when to when something lasts, and how long; without an end it lasts still.

        The end of a day is 24.00 to who read its beginning.
        """
        began = self.moment(start_ms, zone, now_ms, with_zone=False)
        length = self.duration(((end_ms or now_ms) - start_ms) / 1000)
        if end_ms is None:
            return self.say("%(began)s, still going on (%(length)s)", began=began, length=length)
        day = clock.local_day(start_ms, zone)
        if end_ms == clock.day_start_ms(day + timedelta(days=1), zone):
            end = f"24{self.time_mark}00"
        elif clock.local_day(end_ms, zone) == day:
            end = self.time(end_ms, zone)
        else:
            end = self.moment(end_ms, zone, now_ms, with_zone=False)
        return self.say("%(began)s to %(end)s (%(length)s)", began=began, end=end, length=length)


def load(folder: Path) -> dict[str, Language]:
    """Return the languages whose catalogues lie in ``folder``, by code."""
    marks = {"id": (",", ".", "."), "en": (".", ",", ":")}
    return {
        code: Language(
            code, *signs, texts=read_catalogue((folder / code / "LC_MESSAGES/messages.po").read_text("utf-8"))
        )
        for code, signs in marks.items()
    }


@cache
def all_languages() -> dict[str, Language]:
    """Return the languages of the program by code, read once."""
    return load(Path(__file__).parent.parent / "locale")


def read_catalogue(text: str) -> dict[str, tuple[str, ...]]:
    """Return the finished entries of a gettext ``.po`` file; those marked fuzzy are left out."""
    texts: dict[str, tuple[str, ...]] = {}
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        field = ""
        for line in block.splitlines():
            found = None if line.startswith("#") else _LINE.fullmatch(line.strip())
            if found:
                field = found[1] or field
                fields[field] = fields.get(field, "") + json.loads(found[2])
        fuzzy = re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE)
        forms = tuple(words for name, words in sorted(fields.items()) if name.startswith("msgstr") and words)
        if fields.get("msgid") and forms and not fuzzy:
            texts[fields["msgid"]] = forms
    return texts
