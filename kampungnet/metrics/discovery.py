"""HTTP service discovery for who scrapes the boxes themselves: Prometheus asks for the whole list every time.

A box shows its own metrics on its loopback. Where a network of one's own (a VPN) makes them reachable, a name for
each is made from its village's code: no address that a report names is ever given out.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from kampungnet.core.errors import BadInput
from kampungnet.devices.models import Agent, Site
from kampungnet.villages.models import Village

TARGETS: Final = "KAMPUNGNET_AGENT_TARGETS"
PLACE: Final = "{village}"
_NAME: Final = re.compile(r"[a-z0-9.-]{1,200}:[0-9]{1,5}")


def pattern(environment: Mapping[str, str] = os.environ) -> str:
    """Return how boxes are called, empty when nobody says so.

    Raises ``BadInput`` when that is no name with a port and a place for the village.
    """
    found = environment.get(TARGETS, "")
    if found and (found.count(PLACE) != 1 or not _NAME.fullmatch(found.replace(PLACE, "village"))):
        raise BadInput(f"{TARGETS} is no name of boxes: write it like {PLACE}.boxes.example.id:9464.")
    return found


def agents(db: Session, environment: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """Return the boxes that may report, a group each; none unless a setting says how they are called.

    Raises ``BadInput`` as :func:`pattern` does.
    """
    called = pattern(environment)
    if not called:
        return []
    rows = db.execute(
        select(Village.regency, Village.district, Village.code)
        .join(Site, (Site.regency == Village.regency) & (Site.village == Village.code))
        .join(Agent, (Agent.regency == Site.regency) & (Agent.site == Site.code))
        .where(Agent.revoked_ms.is_(None))
        .distinct()
        .order_by(Village.code)
    )
    return [
        {
            "targets": [called.replace(PLACE, village.replace(".", "-"))],
            "labels": {"regency": regency, "district": district, "village": village},
        }
        for regency, district, village in rows
    ]
