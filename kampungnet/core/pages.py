"""Pages: templates in two languages, and static files whose address changes with their content.

A page needs no JavaScript. The language is Indonesian until somebody asks for another one by
``?lang=en``; a cookie remembers that.
"""

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from kampungnet.core import clock, languages
from kampungnet.core.errors import NotFound
from kampungnet.core.languages import N_, Language
from kampungnet.core.security import HEADERS

PACKAGE: Final = Path(__file__).parent.parent
LANGUAGE_COOKIE: Final = "kampungnet-lang"
all_languages: Final = languages.all_languages
"""As everything that draws a page knows it."""
_YEAR_SECONDS: Final = 31_536_000
_TURNING: Final = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))

router = APIRouter(include_in_schema=False)


def language_of(request: Request) -> Language:
    """Return the language of whoever asks."""
    known = all_languages()
    for wanted in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wanted in known:
            return known[wanted]
    return known[languages.DEFAULT]


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page. Templates see ``values``, the language, who is signed in, the kabupaten's name and the time."""
    language = language_of(request)
    html = (
        _environment(language.code)
        .get_template(template)
        .render(
            now_ms=clock.now_ms(),
            path=request.url.path,
            signed_in=getattr(request.state, "signed_in", None),
            kabupaten=getattr(request.state, "kabupaten", ""),
            other_languages=_language_links(request, language),
            **values,
        )
    )
    answer = HTMLResponse(html, status, headers=HEADERS | {"Content-Language": language.code})
    if request.query_params.get("lang") == language.code:
        answer.set_cookie(LANGUAGE_COOKIE, language.code, max_age=_YEAR_SECONDS, httponly=True, samesite="lax")
    return answer


def draw(code: str, template: str, **values: Any) -> str:
    """Return a template in one language, for what is no page of ours: files that others show."""
    return _environment(code).get_template(template).render(**values)


def static_address(name: str) -> str:
    """Return the address of a static file; it changes when the file does, so it may be kept for a year."""
    return f"/static/{_static_names()[name]}"


@router.get("/static/{name}")
def static_file(name: str) -> Response:
    """Serve one static file from memory."""
    found = _static_files().get(name)
    if found is None:
        raise NotFound(N_("There is no such file here."))
    body, media_type = found
    headers = {"Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable"}
    return Response(body, media_type=media_type, headers=HEADERS | headers)


@cache
def _static_names() -> dict[str, str]:
    names = {}
    for file in sorted((PACKAGE / "static").iterdir()):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
        names[file.name] = f"{file.stem}.{digest}{file.suffix}"
    return names


@cache
def _static_files() -> dict[str, tuple[bytes, str]]:
    folder = PACKAGE / "static"
    return {
        hashed: (_lean(folder / name), mimetypes.guess_type(name)[0] or "application/octet-stream")
        for name, hashed in _static_names().items()
    }


def _lean(file: Path) -> bytes:
    """Return a file as it travels: a style sheet without the signs that only make it readable, a tenth of it."""
    if file.suffix != ".css":
        return file.read_bytes()
    text = re.sub(r"\s*([{};,])\s*", r"\1", file.read_text("utf-8"))
    return re.sub(r"\s+", " ", re.sub(r":\s+", ":", text)).replace(";}", "}").encode()


@cache
def _environment(code: str) -> Environment:
    language = all_languages()[code]
    environment = Environment(
        loader=PackageLoader("kampungnet", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_straight,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        language.say, language.form, newstyle=True
    )
    environment.globals.update(language=language, static=static_address)
    return environment


def _straight(value: Any) -> Any:
    """Return what a template shows without the signs that turn the letters after them around (Unicode UAX 9).

    A name with one of them would turn the rest of its line, and ``gnp.exe`` would read as a picture.
    """
    return value if not isinstance(value, str) or value.isascii() else value.translate(_TURNING)


def _language_links(request: Request, current: Language) -> list[tuple[str, str]]:
    """Return (code, address of this page) for every language but the current one."""
    kept = [(name, value) for name, value in parse_qsl(request.url.query) if name != "lang"]
    # After a refused form there is no page to GET at this address but the form itself.
    return [(code, "?" + urlencode([*kept, ("lang", code)])) for code in all_languages() if code != current.code]
