"""The door for Alertmanager: ``POST /api/v1/alerts`` with a bearer token."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from kampungnet.alerts import webhook
from kampungnet.core import clock
from kampungnet.core.errors import TooLarge, TooSlow
from kampungnet.core.web import API_PREFIX, Reads, Writes, sight_of

BODY_SECONDS: Final = 20

router = APIRouter(prefix=f"{API_PREFIX}v1", tags=["alerts"])


@dataclass(frozen=True, slots=True)
class AlertsOut:
    """That a group of alerts is on disk; messages follow within a minute."""

    stored: bool


def _regency(request: Request, db: Reads) -> str:
    regency = webhook.regency_of(db, request.headers.get("authorization", ""))
    sight_of(request).see(regency)
    return regency


async def _body(request: Request, _regency: Annotated[str, Depends(_regency)]) -> bytes:
    """Read the body of somebody known. Raises ``TooLarge`` or ``TooSlow``."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > webhook.MOST_BYTES:
                    raise TooLarge(f"The body is larger than {webhook.MOST_BYTES} bytes: set max_alerts to 100.")
                parts.append(part)
    except TimeoutError:
        raise TooSlow(f"The body did not come within {BODY_SECONDS} s: send it again.") from None
    return b"".join(parts)


@router.post("/alerts", summary="What Alertmanager sends to a webhook (version 4): one group becomes one message")
def alerts(
    db: Writes, regency: Annotated[str, Depends(_regency)], body: Annotated[bytes, Depends(_body)]
) -> AlertsOut:  # fmt: skip
    """Store the newest state of a group."""
    webhook.take_in(db, regency, webhook.read(body), clock.now_ms())
    return AlertsOut(stored=True)
