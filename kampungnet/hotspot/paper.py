"""Pure: vouchers in, their paper as PDF out: sheets to cut, or a roll; Indonesian, tagged, the same bytes each time.

The QR code is the login request of the village's own router (facts on RouterOS 9.3: username and password in the
address of its login page, PAP), so that it works with the line cut. A voucher has no password: its code is its name.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import repeat
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from kampungnet.core.languages import Language
from kampungnet.core.typesetting import qr_svgs, typeset
from kampungnet.hotspot import codes
from kampungnet.hotspot.batches import Printed

_TEMPLATE: Final = Path(__file__).parent / "paper/vouchers.typ"
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?")
_HOW: Final = "Sambungkan ke wifi, lalu pindai QR atau ketik kode ini."
_HOW_WITHOUT_QR: Final = "Sambungkan ke wifi, buka halaman masuk, lalu ketik kode ini."


class PaperSize(enum.StrEnum):
    """What the village's printer takes. Of rolls 48 and 72 mm can be printed (facts on hotspots 10)."""

    A4 = "a4"
    ROLL_58 = "58"
    ROLL_80 = "80"


@dataclass(frozen=True, slots=True)
class Terms:
    """What all vouchers of a batch give. Seconds; 0 is no limit."""

    plan: str
    """As people read it."""
    down_kbps: int
    limit_seconds: int
    valid_seconds: int
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on every voucher of a paper."""

    village: str
    wifi_name: str
    login: str
    """Address of the router's login page; empty: no QR code."""
    batch: str
    made: date
    terms: Terms


def login_address(router_name: str) -> str | None:
    """Return the address of a router's login page by its name; empty for none, ``None`` for what is no name."""
    name = router_name.strip().lower()
    if not name:
        return ""
    return f"http://{name}/login" if _HOST.fullmatch(name) else None


def login_link(login: str, code: str) -> str:
    """Return the address that logs in with a code."""
    return f"{login}?{urlencode({'username': code, 'password': ''})}"


def terms_words(terms: Terms, say: Language) -> list[str]:
    """Return what a voucher gives, a line each."""
    found = []
    if terms.down_kbps:
        found.append(
            say.say(
                "Up to %(speed)s Mbps", speed=say.number(terms.down_kbps / 1000, 1 if terms.down_kbps % 1000 else 0)
            )
        )
    if terms.limit_seconds:
        found.append(say.say("%(time)s online in all", time=say.duration(terms.limit_seconds)))
    if terms.valid_seconds:
        found.append(say.say("%(time)s from the first use", time=say.duration(terms.valid_seconds)))
    if terms.last_day:
        found.append(say.say("until %(day)s", day=say.full_day(terms.last_day)))
    return found or [say.say("without end")]


def pdf(sheet: Sheet, vouchers: Sequence[Printed], size: PaperSize, language: Language) -> bytes:
    """Return the paper; ``language`` is Indonesian, given so that nothing is read here."""
    made, links = sheet.made, [login_link(sheet.login, one.code) for one in vouchers if sheet.login]
    drawings = qr_svgs(links) if links else repeat("")
    return typeset(
        _TEMPLATE,
        {
            "title": f"Voucher wifi {sheet.village} {sheet.batch}", "date": [made.year, made.month, made.day],
            "paper": size.value, "village": sheet.village, "wifi": sheet.wifi_name, "batch": sheet.batch,
            "plan": sheet.terms.plan, "terms": terms_words(sheet.terms, language),
            "how": _HOW if sheet.login else _HOW_WITHOUT_QR,
            "vouchers": [
                {"number": one.serial, "code": codes.shown(one.code), "qr": drawing}
                for one, drawing in zip(vouchers, drawings, strict=False)
            ],
        },
    )  # fmt: skip
