"""The kit of a village: a paper, a file for its box and one for its router, so that ten minutes are enough there."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core import clock
from kampungnet.core.errors import Conflict
from kampungnet.devices import kit_paper, kit_router, service
from kampungnet.devices.kit_router import RouterWish
from kampungnet.devices.models import Agent, Site
from kampungnet.shared.files import sync_folder
from kampungnet.shared.kit import BoxKit
from kampungnet.staff import audit
from kampungnet.staff.audit import Act
from kampungnet.staff.service import SignedIn
from kampungnet.villages.models import Village

KIT_LIFE_MS: Final = 14 * clock.DAY_MS
"""A kit travels to its village; a code that was only printed lives a day."""
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_LETTERS: Final = 24
_SECRET, _OPEN = 0o600, 0o644


@dataclass(frozen=True, slots=True)
class Wish:
    """What the one who makes a kit says about the place."""

    server: str
    box_address: str
    certificate: str = ""
    router: str = ""
    wan_interface: str = ""
    replace: bool = False
    """A box works there: it loses its right when the new one enrols."""


def make(db: Session, by: SignedIn, village: Village, wish: Wish, now_ms: int) -> BoxKit:
    """Return a new kit, with a one-time code and passwords that exist nowhere else.

    Raises ``Conflict`` where a box works already and none is to take its place.
    """
    if not wish.replace and _has_box(db, village):
        raise Conflict(
            "A box of this village is enrolled already. Add --replace if this kit is for another one: the first loses "
            "its right to report when the new one enrols."
        )
    code = service.issue_code(db, village, now_ms, KIT_LIFE_MS)
    told = {"box_address": wish.box_address, "replace": wish.replace}
    audit.record(db, by, Act("box.kit", village.code, "", None, told), now_ms)
    return BoxKit(
        village=village.code, village_name=village.name, server=wish.server, code=code,
        expires_ms=now_ms + KIT_LIFE_MS, poller_password=_password(), keeper_password=_password(),
        box_address=wish.box_address, router=wish.router, wan_interface=wish.wan_interface,
        certificate=wish.certificate,
    )  # fmt: skip


def write(folder: Path, kit: BoxKit, router: RouterWish, now_ms: int) -> list[Path]:
    """Write the three files, all or none. Raises ``Conflict`` where a kit is already, and ``OSError``."""
    zone = clock.zone_of(kit.village[:5])
    contents = {
        f"petunjuk-{kit.village}.pdf": (kit_paper.pdf(kit, clock.local(now_ms, zone), zone), _OPEN),
        f"kotak-{kit.village}.kit": (msgspec.json.format(msgspec.json.encode(kit)), _SECRET),
        f"router-{kit.village}.rsc": (kit_router.script(kit, router).encode(), _SECRET),
    }
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        for name, (content, mode) in contents.items():
            _write_new(folder / name, content, mode)
            written.append(folder / name)
        sync_folder(folder)
    except FileExistsError as error:
        _take_back(written)
        raise Conflict(
            f"{error.filename} exists: a kit is not written over another one. Use it, or take it away first."
        ) from error
    except OSError:
        _take_back(written)
        raise
    return written


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink()
            raise


def _take_back(written: list[Path]) -> None:
    for path in written:
        path.unlink()


def _has_box(db: Session, village: Village) -> bool:
    sites = select(Site.code).where(Site.regency == village.regency, Site.village == village.code)
    asked = select(Agent.id).where(Agent.regency == village.regency, Agent.site.in_(sites))
    return db.scalar(asked.where(Agent.revoked_ms.is_(None)).limit(1)) is not None


def _password() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LETTERS))
