"""The login page and its sisters as files for a router's own flash, from one set of templates in two languages.

They work without script, cookies and the line to the server, and load nothing from elsewhere: before login only the
router answers. The router fills in ``$(name)`` (facts on RouterOS 9.2); what people wrote must never look like that.
Indonesian lies in the folder itself, English in ``en/``, which ``target=en`` chooses. Nothing says that the router
makes values safe for HTML: no page shows a name that a guest typed, and where a guest wanted to go stands only
URL-escaped, in links to the router itself.
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import pages
from kampungnet.core.languages import N_, Language
from kampungnet.devices.models import Site
from kampungnet.hotspot import desk, sessions
from kampungnet.hotspot.models import GardenEntry
from kampungnet.hotspot.policy import Policy
from kampungnet.hotspot.portals import Place, policy
from kampungnet.shared.wanted import WantedPage
from kampungnet.villages import service as villages

MOST_FREE: Final = 20
"""Free places in the list on the page."""
NAMES: Final = ("login.html", "alogin.html", "status.html", "logout.html", "error.html")
FOLDERS: Final = {"id": "", "en": "en/"}
LONGEST_NAME: Final = 120

_REDIRECT: Final = (
    '$(if http-status == 302)Wifi$(endif)\n$(if http-header == "Location")$(link-redirect)$(endif)\n'
    '<!doctype html><meta charset="utf-8"><title>Wifi</title>'
    '<meta http-equiv="refresh" content="0; url=$(link-redirect)"><p><a href="$(link-redirect)">Wifi</a></p>\n'
)
_API: Final = (
    '{\n"captive": $(if logged-in == \'yes\')false$(else)true$(endif),\n"user-portal-url": "$(link-login-only)",\n'
    '$(if session-timeout-secs != 0)"seconds-remaining": $(session-timeout-secs),\n$(endif)'
    '$(if remain-bytes-total)"bytes-remaining": $(remain-bytes-total),\n$(endif)"can-extend-session": true\n}\n'
)
"""RFC 8908, in the words of the router's own file."""
ERRORS: Final = {
    "internal-error": N_("The router has a problem of its own. Tell the village office."),
    "config-error": N_("The router is not set up right. Tell the village office."),
    "not-logged-in": N_("You are not logged in. Go back to the login page."),
    "ippool-empty": N_("Too many devices are here right now. Try again in some minutes."),
    "shutting-down": N_("The router is restarting. Try again in two minutes."),
    "user-session-limit": N_("This voucher or account is in use on another device. Log out there first."),
    "license-session-limit": N_("As many devices are online as this router can take. Try again later."),
    "wrong-mac-username": N_("Your device cannot be let in like this. Go back to the login page."),
    "chap-missing": N_("The page was open too long. Go back to the login page and try again."),
    "invalid-username": N_("The code, the name or the password is not right. Look at the paper and try again."),
    "invalid-mac": N_("This voucher or account belongs to another device. Ask the village office."),
    "uptime-limit": N_("The time of this voucher is used up. Ask the village office for another one."),
    "traffic-limit": N_("The data of this voucher is used up. Ask the village office for another one."),
    "radius-timeout": N_("The code, the name or the password is not right. Look at the paper and try again."),
    "auth-in-progress": N_("You are being logged in already. Wait a moment."),
    "radius-reply": N_("You cannot be let in right now. Ask the village office."),
}
"""Why the router refuses (facts on RouterOS 9.5), each with what to do."""


@dataclass(frozen=True, slots=True)
class Portal:
    """What the pages of one portal say besides what is the same everywhere."""

    village: str
    policy: Policy
    notices: tuple[str, ...] = ()
    garden: tuple[tuple[str, str], ...] = ()
    """Title and host of places that are free."""
    days: int = sessions.KEEP_DAYS


def of_site(db: Session, place: Place, now_ms: int) -> list[WantedPage]:
    """Return the pages of a site's portal."""
    village = villages.village(db, db.get_one(Site, place).village)
    garden = select(GardenEntry.title, GardenEntry.host).where(
        GardenEntry.regency == place[0], GardenEntry.ended_ms.is_(None), GardenEntry.host.not_like("%*%")
    )
    some = garden.order_by(GardenEntry.title).limit(MOST_FREE)
    free = tuple((title, host) for title, host in db.execute(some))
    notices = tuple(one.text for one in desk.notices(db, place, now_ms))
    return build(Portal(village.name, policy(db, place), notices, free, sessions.keep_days()))


def build(portal: Portal) -> list[WantedPage]:
    """Return every file of the portal's folder."""
    found = [WantedPage("redirect.html", _REDIRECT), WantedPage("rlogin.html", _REDIRECT), WantedPage("api.json", _API)]
    languages = pages.all_languages()
    for code, folder in FOLDERS.items():
        language, other = languages[code], languages["en" if code == "id" else "id"]
        words = {"portal": _shown(portal, language), "target": folder.rstrip("/"), "other": other}
        found += [
            WantedPage(folder + name, _lean(pages.draw(code, f"hotspot/portal/{name}", **words))) for name in NAMES
        ]
        found.append(WantedPage(f"{folder}errors.txt", _errors(language)))
    return found


def _shown(portal: Portal, language: Language) -> dict[str, object]:
    rules = portal.policy
    minutes = rules.click_seconds // 60
    click_words = (
        language.say("%(time)s a day for each device.", time=language.duration(minutes * 60))
        if minutes
        else language.say("As long as you like.")
    )
    return {
        "village": _safe(portal.village), "greeting": _safe(rules.greeting), "contact": _safe(rules.contact),
        "notices": [_safe(one) for one in portal.notices], "click": rules.click, "click_words": click_words,
        "vouchers": rules.vouchers, "accounts": rules.accounts, "days": portal.days,
        "garden": [(_safe(title), _safe(f"https://{host}/")) for title, host in portal.garden],
    }  # fmt: skip


def _safe(text: str) -> Markup:
    """Return what people wrote, safe for HTML and for the router, which would fill in ``$(…)``."""
    return Markup(str(escape(text[: LONGEST_NAME * 5])).replace("$", "&#36;"))  # noqa: S704 -- escaped just here


def _errors(language: Language) -> str:
    return "".join(f"{key} = {language.say(words)}\n" for key, words in ERRORS.items())


def _lean(html: str) -> str:
    """Return a page without empty lines: flash is small."""
    return "\n".join(line.strip() for line in html.splitlines() if line.strip()) + "\n"


def size(files: list[WantedPage]) -> int:
    """Return the bytes that files take on the flash."""
    return sum(len(one.content.encode()) for one in files)
