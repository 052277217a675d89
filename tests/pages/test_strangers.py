"""Who may see what. New routes are found by themselves: what is not listed here must refuse a stranger."""

import re
from collections.abc import Iterator
from typing import Any

from kampungnet.app import Server
from tests.pages.cast import OWN_PAGE, browser, signed_in
from tests.pages.sample import KAMPUNGANYAR, REJOSARI

OPEN_TO_ALL = {
    "/masuk", "/static/{name}", "/healthz", "/readyz", "/api/openapi.json", "/periksa", "/periksa/{content}",
    "/portal/{village}", "/portal/{village}/ada.svg", "/info/{village}", "/segel",
}  # fmt: skip
ONLY_FROM_THIS_MACHINE = {"/metrics", "/sd/agents"}
SIGNING_OUT_WITHOUT_A_SESSION_IS_HARMLESS = {"/keluar"}


def routes(server: Server) -> Iterator[tuple[str, str]]:
    """Yield method and path of every route there is."""
    yield from _walk(server.pages.routes)


def _walk(found: list[Any]) -> Iterator[tuple[str, str]]:
    for route in found:
        if hasattr(route, "methods") and hasattr(route, "path"):
            for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
                yield method, route.path
        else:
            inner = getattr(route, "original_router", None) or getattr(route, "router", route)
            yield from _walk(list(inner.routes))


async def test_the_walk_finds_the_pages_there_are(server: Server) -> None:
    assert {("GET", "/"), ("GET", "/desa/{code}"), ("POST", "/masuk"), ("POST", "/keluar")} <= set(routes(server))


async def test_a_stranger_is_sent_to_sign_in_from_every_page(server: Server) -> None:
    closed = OPEN_TO_ALL | ONLY_FROM_THIS_MACHINE | SIGNING_OUT_WITHOUT_A_SESSION_IS_HARMLESS
    for method, path in routes(server):
        if path in closed:
            continue
        stranger = browser(server)
        answer = await stranger.request(method, re.sub(r"{\w+}", KAMPUNGANYAR, path), headers=OWN_PAGE)
        assert answer.status_code in {303, 401}, (method, path)
        assert answer.headers.get("location", "/masuk").startswith("/masuk"), (method, path)
        assert "Kampunganyar" not in answer.text


async def test_metrics_are_only_for_this_machine(server: Server) -> None:
    assert (await browser(server, address="203.0.113.7").get("/metrics")).status_code == 404


async def test_bu_citra_sees_nothing_of_pak_budis_village(server: Server) -> None:
    citra = await signed_in(server, "citra")
    for method, path in routes(server):
        if "{code}" not in path:
            continue
        answer = await citra.request(method, path.replace("{code}", KAMPUNGANYAR), headers=OWN_PAGE)
        assert answer.status_code == 404, (method, path)
        nowhere = await citra.request(method, path.replace("{code}", "35.10.99.2001"), headers=OWN_PAGE)
        assert answer.text.replace(KAMPUNGANYAR, "35.10.99.2001") == nowhere.text, "looks like one that does not exist"
    assert (await citra.get("/")).headers["location"] == f"/desa/{REJOSARI}"
    assert "Kampunganyar" not in (await citra.get(f"/desa/{REJOSARI}")).text


async def test_pak_dedi_the_auditor_sees_all_villages(server: Server) -> None:
    dedi = await signed_in(server, "dedi")
    assert (await dedi.get("/")).status_code == 200
    assert (await dedi.get(f"/desa/{KAMPUNGANYAR}")).status_code == 200


async def test_after_signing_in_one_is_where_one_wanted_to_go(server: Server) -> None:
    stranger = browser(server)
    answer = await stranger.get(f"/desa/{KAMPUNGANYAR}?lang=en")
    assert answer.headers["location"] == f"/masuk?ke=/desa/{KAMPUNGANYAR}%3Flang%3Den"
    form = (await stranger.get(answer.headers["location"])).text
    assert f'name="ke" value="/desa/{KAMPUNGANYAR}?lang=en"' in form
