"""Browsers for the cast: Ibu Sari, Pak Budi, Bu Citra, Pak Dedi, and a stranger."""

from typing import Any

import httpx
from httpx import AsyncClient, Response

from kampungnet.app import Server
from tests.pages.sample import PASSWORD

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says when a form of ours was sent."""


def browser(server: Server, url: str = "http://127.0.0.1:8080", address: str = "127.0.0.1") -> AsyncClient:
    """A browser without JavaScript that keeps cookies and follows nothing by itself."""
    transport = httpx.ASGITransport(server, raise_app_exceptions=False, client=(address, 50_000))
    return AsyncClient(transport=transport, base_url=url)


async def send_sign_in(visitor: AsyncClient, username: str, password: str = PASSWORD, **fields: str) -> Response:
    form: dict[str, Any] = {"username": username, "password": password, **fields}
    return await visitor.post("/masuk", data=form, headers=OWN_PAGE)


async def signed_in(server: Server, username: str) -> AsyncClient:
    visitor = browser(server)
    answer = await send_sign_in(visitor, username)
    assert answer.status_code == 303, answer.text
    return visitor
