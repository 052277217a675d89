"""A page for everybody: whoever holds a statement's paper learns whether its hash is ours, and nothing else of it."""

import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from kampungnet.billing import statements, words
from kampungnet.core import pages
from kampungnet.core.languages import Language
from kampungnet.core.sight import EVERYTHING
from kampungnet.core.web import Reads, sight_of

_HASH: Final = re.compile(r"[0-9a-f]{64}")

router = APIRouter(include_in_schema=False)


@router.get("/periksa")
def ask(request: Request, db: Reads, sidik: str = "") -> Response:
    """Show the field for a hash, and what is known of one that was typed."""
    return _page(request, db, sidik)


@router.get("/periksa/{content}")
def check(request: Request, db: Reads, content: str) -> Response:
    """Show what the QR on a paper points to."""
    return _page(request, db, content)


def _page(request: Request, db: Session, typed: str) -> Response:
    content = re.sub(r"[\s:-]", "", typed[:300]).lower()
    # Of whichever village: who knows the hash has the paper, and guesses no other of 256 bits.
    sight_of(request).see(EVERYTHING)
    facts = _facts(db, content, pages.language_of(request)) if _HASH.fullmatch(content) else []
    return pages.render(
        request, "billing/check.html", 404 if typed and not facts else 200, facts=facts, asked=bool(typed),
        typed=typed[:100],
    )  # fmt: skip


def _facts(db: Session, content: str, language: Language) -> list[tuple[str, str]]:
    row = statements.by_hash(db, content)
    if row is None:
        return []
    village = statements.document_of(row).village
    return [
        (language.say("Number"), statements.number_text(row)),
        (language.say("Village"), f"{village.name}, {language.say('Kecamatan %(name)s', name=village.district)}"),
        (language.say("Period"), words.month(language, row.month)),
        (language.say("Total"), words.rupiah(language, row.total_rupiah)),
        (language.say("Content hash"), row.hash),
    ]
