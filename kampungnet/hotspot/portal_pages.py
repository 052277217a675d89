"""The login page and its sisters, from one set of templates in two languages: files for a router's own flash, and the
same login page on the server (:mod:`kampungnet.hotspot.routes_portal`).

The files work without script, cookies and the line to the server, and load nothing from elsewhere: before login only
the router answers. Where a script may run it answers the router's challenge (CHAP), so that the password of an account
does not cross the open air; else it is sent as it is (PAP). The router fills in ``$(name)`` (facts on RouterOS 9.2);
what people wrote must never look like that.
Indonesian lies in the folder itself, English in ``en/``, which ``target=en`` chooses. Nothing says that the router
makes values safe for HTML: no page shows a name that a guest typed, and where a guest wanted to go stands only
URL-escaped, in links to the router itself.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import pages
from kampungnet.core.address import public_address
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
_STYLE: Final = "style.css"
_MD5: Final = "md5.js"
_ANSWER: Final = Markup("""$(if chap-id)<script src="/md5.js"></script><script>(function(){
var word=document.getElementById('word'),sent;
word.form.onsubmit=function(){
var hex=hexMD5('$(chap-id)'+unescape(encodeURIComponent(word.value))+'$(chap-challenge)');
if(!sent){sent=document.createElement('input');sent.type='hidden';sent.name='password';word.form.appendChild(sent)}
sent.value=hex;word.removeAttribute('name')}})()</script>$(endif)""")
"""The router writes both values as a script reads them (facts on RouterOS 9.3). The field itself keeps what was typed,
so that nobody sees it change and no browser offers to keep the answer. Fails anything, the form goes as it is."""
NOT_RIGHT: Final = N_(
    "The code, the name or the password is not right, or not valid now. Look at the paper, or ask the village office."
)
"""A router says no other word of a voucher that is over, or of a plan that is closed at this hour."""
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
    "invalid-username": NOT_RIGHT,
    "invalid-mac": N_("This voucher or account belongs to another device. Ask the village office."),
    "uptime-limit": N_("The time of this voucher is used up. Ask the village office for another one."),
    "traffic-limit": N_("The data of this voucher is used up. Ask the village office for another one."),
    "radius-timeout": NOT_RIGHT,
    "auth-in-progress": N_("You are being logged in already. Wait a moment."),
    "radius-reply": N_("You cannot be let in right now. Ask the village office."),
}
"""Why the router refuses (facts on RouterOS 9.5), each with what to do."""

SIGN: Final = "ada.svg"
"""A picture that the server shows while it has a login page for the village."""
_LEAD: Final = """$(if error)$(else)<p id="lead"><a class="b" href="{}">{}</a></p><script>(function(){{
var lead=document.getElementById('lead'),sign=new Image();
function stay(){{sign.onload=null}}
lead.hidden=true;document.oninput=stay;setTimeout(stay,8000);
sign.onload=function(){{location.replace(lead.firstChild.href)}};
sign.src='{}?'+(+new Date)}})()</script>$(endif)"""


@dataclass(frozen=True, slots=True)
class At:
    """What a page says about logging in; the place where it is served decides."""

    action: str = ""
    """Where the forms go; empty: nobody can log in by this page."""
    hidden: str = ""
    """What every form carries besides, as HTML."""
    click: str = ""
    other_link: str = ""
    """The same page in the other language."""
    back: str = ""
    error: str = ""
    style: str = ""
    """Where the style lies; empty: in the page itself."""
    answer: str = ""
    """Script that answers a challenge."""
    lead: str = ""
    """How to get to the page on the server."""
    if_error: str = ""
    if_trial: str = ""
    end: str = ""
    """Conditions that a router understands."""


@dataclass(frozen=True, slots=True)
class Portal:
    """What the pages of one portal say besides what is the same everywhere."""

    village: str
    policy: Policy
    notices: tuple[str, ...] = ()
    garden: tuple[tuple[str, str], ...] = ()
    """Title and host of places that are free."""
    days: int = sessions.KEEP_DAYS
    server: str = ""
    """Address of the login page on the server, where that is the one people get."""


def of_site(db: Session, place: Place, now_ms: int) -> list[WantedPage]:
    """Return the pages of a site's portal."""
    return build(shown_at(db, place, now_ms))


def shown_at(db: Session, place: Place, now_ms: int) -> Portal:
    """Gather what the pages of a site's portal say."""
    village = villages.village(db, db.get_one(Site, place).village)
    garden = select(GardenEntry.title, GardenEntry.host).where(
        GardenEntry.regency == place[0], GardenEntry.ended_ms.is_(None), GardenEntry.host.not_like("%*%")
    )
    some = garden.order_by(GardenEntry.title).limit(MOST_FREE)
    free = tuple((title, host) for title, host in db.execute(some))
    notices = tuple(one.text for one in desk.notices(db, place, now_ms))
    rules, address = policy(db, place), public_address()
    server = f"{address}/portal/{village.code}" if address and rules.logins else ""
    return Portal(village.name, rules, notices, free, sessions.keep_days(), server)


def build(portal: Portal) -> list[WantedPage]:
    """Return every file of the portal's folder."""
    found = [WantedPage("redirect.html", _REDIRECT), WantedPage("rlogin.html", _REDIRECT)]
    found += [WantedPage("api.json", _api(portal)), *(WantedPage(name, _plain(name)) for name in (_STYLE, _MD5))]
    for code, folder in FOLDERS.items():
        at = _on_router(portal, code, folder.rstrip("/"))
        found += [WantedPage(folder + name, draw(portal, code, name, at)) for name in NAMES]
        found.append(WantedPage(f"{folder}errors.txt", _errors(pages.all_languages()[code])))
    return found


def draw(portal: Portal, code: str, name: str, at: At) -> str:
    """Return one page in one language; ``$`` of what people wrote is safe in all of them."""
    language, other = pages.all_languages()[code], pages.all_languages()["en" if code == "id" else "id"]
    return _lean(pages.draw(code, f"hotspot/portal/{name}", portal=_shown(portal, language), other=other, at=at))


def sentences() -> dict[str, str]:
    """Return the key of each sentence that a router of ours says when it refuses, in all languages."""
    return {language.say(words): key for language in pages.all_languages().values() for key, words in ERRORS.items()}


def style_hash() -> str:
    """Return the name of the pages' own style for a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_plain(_STYLE).encode()).digest()).decode()}'"


def _plain(name: str) -> str:
    """Return a file that is the same everywhere."""
    return pages.draw("id", f"hotspot/portal/{name}").lstrip()


def _on_router(portal: Portal, code: str, target: str) -> At:
    here, dst, english = Markup("$(link-login-only)?"), Markup("dst=$(link-orig-esc)"), Markup("target=en&amp;")
    login = here + (english if target else Markup()) + dst
    return At(
        action=login, click=login + Markup("&amp;username=T-$(mac-esc)"), back=Markup("$(link-login)"),
        other_link=here + (Markup() if target else english) + dst, error=Markup("$(error)"),
        style=f"/{_STYLE}", answer=_ANSWER, lead=_lead(portal, code),
        if_error=Markup("$(if error)"), if_trial=Markup("$(if trial == 'yes')"),
        end=Markup("$(endif)"),
    )  # fmt: skip


def _lead(portal: Portal, code: str) -> Markup:
    """Lead on to the page on the server; what the router refused is said at once, by its own page.

    A script goes there by itself, but only when the server answers: this page stays with the line cut, and all ways in
    stand on it. Who began to type stays as well. Without a script there is a link.
    """
    if not portal.server:
        return Markup()
    names = ("link-login-only", "mac", "trial", "chap-id", "chap-challenge")
    handed = "".join(f"&amp;{name}=$({name}-esc)" for name in names)
    words = escape(pages.all_languages()[code].say(N_("Open the village's login page")))
    return Markup(_LEAD.format(f"{portal.server}?lang={code}{handed}", words, f"{portal.server}/{SIGN}"))  # noqa: S704 -- ours


def _api(portal: Portal) -> str:
    """Return what phones ask (RFC 8908); it may name a page about the place, which has to be reached by TLS."""
    told = f'"venue-info-url": "{portal.server}",\n' if portal.server.startswith("https://") else ""
    return _API.replace('"can-extend', told + '"can-extend')


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
