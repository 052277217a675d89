"""Every text people read, from code and templates, and the two catalogues that must say them all.

`python -m tests.pages.translations` puts new texts into both catalogues and takes unused ones out;
what then stands empty in `id` is to be translated by hand.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parent.parent.parent / "kampungnet"
KEYWORDS = dict(DEFAULT_KEYWORDS) | {"say": None, "say_many": (1, 2), "N_": None}
PLURALS = {"id": "nplurals=1; plural=0;", "en": "nplurals=2; plural=(n != 1);"}
# The demo talks to whoever installs, in English, through a `say` of its own.
METHODS = [("demo/**.py", "ignore"), ("**.py", "python"), ("templates/**.html", "jinja2")]


def extracted() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """Yield file, line and text (singular and plural) of everything marked for translation."""
    options = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    for found in extract_from_dir(PACKAGE, METHODS, options, keywords=KEYWORDS):
        yield found[0], found[1], found[2]


def catalogue_path(code: str) -> Path:
    return PACKAGE / "locale" / code / "LC_MESSAGES" / "messages.po"


def catalogue(code: str) -> Catalog:
    path = catalogue_path(code)
    if not path.exists():
        return Catalog(locale=code)
    with path.open("rb") as file:
        return read_po(file, locale=code)


def updated(code: str) -> bytes:
    """Return one catalogue brought up to date; English says what the code says."""
    old, new = catalogue(code), Catalog(locale=code, fuzzy=False)
    new.mime_headers = [("Plural-Forms", PLURALS[code])]
    for _file, _line, text in extracted():
        known = old.get(text[0] if isinstance(text, tuple) else text)
        empty = ("",) * new.num_plurals if isinstance(text, tuple) else ""
        new.add(text, text if code == "en" else known.string if known else empty)
    body = BytesIO()
    write_po(body, new, sort_output=True, no_location=True, omit_header=True, width=110)
    # The header says only what never changes by itself.
    lines = (f"Language: {code}", "Content-Type: text/plain; charset=utf-8", f"Plural-Forms: {PLURALS[code]}")
    header = "".join(f'"{line}\\n"\n' for line in lines)
    return f'msgid ""\nmsgstr ""\n{header}\n'.encode() + body.getvalue().strip() + b"\n"


if __name__ == "__main__":
    for language in PLURALS:
        catalogue_path(language).write_bytes(updated(language))
