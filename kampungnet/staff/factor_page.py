"""What a page shows for setting up a second factor: a QR code, the same as letters, and the offer that comes back."""

import io
from dataclasses import dataclass
from typing import Final

import segno
from sqlalchemy.orm import Session

from kampungnet.staff import one_time_codes, second_factor

ISSUER: Final = "KampungNet"


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret on its way to a phone."""

    picture: str
    """SVG, ours from the first letter to the last."""
    letters: str
    sealed: str


def offer(db: Session, username: str) -> Offer:
    """Make a new secret, and show it."""
    secret, sealed = second_factor.offer(db, username)
    return Offer(picture(one_time_codes.address(secret, username, ISSUER)), one_time_codes.typed_secret(secret), sealed)


def picture(text: str) -> str:
    """Return a QR code as SVG without styles, which our policy would refuse."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", scale=5, border=4, light="#fff", xmldecl=False, svgns=False, nl=False, svgclass=None,
        lineclass=None,
    )  # fmt: skip
    return out.getvalue().decode()
