"""Wires everything once: doors for agents, pages for people, metrics for Prometheus."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Scope, Send

from kampungnet.alerts import routes as alerts_routes
from kampungnet.alerts import routes_webhook
from kampungnet.alerts.pump import Pump
from kampungnet.billing import ending, routes_books, routes_check, routes_contract, routes_recap, routes_sizing
from kampungnet.billing import routes as billing_routes
from kampungnet.billing import routes_data as billing_data
from kampungnet.configs import routes as configs_routes
from kampungnet.core import certificate, migrate, sight, web
from kampungnet.core.database import Database
from kampungnet.core.errors import NotFound, Problem, Unavailable
from kampungnet.core.tally import Tally
from kampungnet.devices import routes_box
from kampungnet.hands import routes as hands_routes
from kampungnet.hotspot import (
    portal_pages,
    portals,
    routes_desk,
    routes_evidence,
    routes_garden,
    routes_plans,
    routes_portal,
    routes_public,
    routes_vouchers,
)
from kampungnet.ingest import lane
from kampungnet.ingest.key_door import KeyDoor
from kampungnet.ingest.knocks import Knocks
from kampungnet.ingest.orders_door import OrdersDoor
from kampungnet.ingest.routes import EnrolmentDoor, ReportDoor
from kampungnet.ingest.wanted_door import WantedDoor
from kampungnet.measurement import routes as measurement_routes
from kampungnet.measurement import (
    routes_counts,
    routes_fresh,
    routes_incidents,
    routes_ledger,
    routes_oddities,
    routes_outages,
    routes_staff,
)
from kampungnet.metrics import discovery, live
from kampungnet.shared import wire
from kampungnet.shared.orders import ORDERS_PATH, OrdersAnswer, OrdersQuestion
from kampungnet.shared.rotation import KEYS_PATH, KeyAnswer, KeyRequest
from kampungnet.shared.wanted import WANTED_PATH, WantedAnswer, WantedPortal, WantedQuestion
from kampungnet.staff import routes as staff_routes
from kampungnet.staff import routes_account, routes_acts, routes_published, second_factor
from kampungnet.upkeep import Upkeep

log = logging.getLogger(__name__)

VERSION: Final = "0.1.0"
_DESCRIPTION: Final = (
    "Agents in village offices report here. Requests are signed with the agent's own Ed25519 key over method, path, "
    f"agent and the SHA-256 of the body as sent, in the headers `{wire.AGENT_HEADER}` and `{wire.SIGNATURE_HEADER}`."
)
_LOOPBACK: Final = {"127.0.0.1", "::1", "testclient"}
_FORWARDED: Final = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"}
_ROUTERS: Final = (
    staff_routes.router,
    routes_acts.router,
    routes_account.router,
    routes_published.router,
    routes_box.router,
    hands_routes.router,
    measurement_routes.router,
    routes_ledger.router,
    routes_counts.router,
    routes_fresh.router,
    routes_outages.router,
    routes_staff.router,
    routes_staff.data_router,
    routes_incidents.router,
    routes_incidents.data_router,
    routes_oddities.router,
    routes_desk.router,
    routes_vouchers.router,
    routes_plans.router,
    routes_portal.router,
    routes_public.router,
    routes_evidence.router,
    routes_garden.router,
    routes_evidence.data_router,
    routes_oddities.data_router,
    billing_data.router,
    billing_data.paper_router,
    billing_routes.router,
    routes_books.router,
    routes_check.router,
    routes_contract.router,
    routes_sizing.router,
    routes_recap.router,
    alerts_routes.router,
    configs_routes.router,
    routes_webhook.router,
)


class Server:
    """The whole server as one ASGI application.

    Reports go past FastAPI: its routing and middleware cost more than storing a report does.
    """

    def __init__(self, database: Database, *, upkeep: bool = True, tally: Tally | None = None) -> None:
        second_factor.roles()  # a role that is none is said now, not at somebody's sign-in
        self.database = database
        self.tally = tally or Tally()
        self.knocks = Knocks()
        self._doors: dict[str, ASGIApp] = {
            wire.ENROLMENTS_PATH: EnrolmentDoor(database, self.knocks),
            KEYS_PATH: KeyDoor(database, self.knocks),
            ORDERS_PATH: OrdersDoor(database, self.knocks),
        }
        self._upkeep = upkeep
        self._budget_ends = ending.Ends()
        self.ending: Callable[[], bool] = lambda: False
        """Says that the process is to stop: whoever is held at a door is then let go."""
        self.pages = self._pages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the lifespan."""
        if scope.get("method") == "HEAD":  # the web server leaves the body out
            scope = {**scope, "method": "GET"}
        await self._doors.get(scope.get("path", ""), self.pages)(scope, receive, send)

    def _pages(self) -> FastAPI:
        app = _Pages(
            title="KampungNet", version=VERSION, description=_DESCRIPTION, lifespan=self._lifespan,
            openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
        )  # fmt: skip
        app.state.database = self.database
        app.state.ending = self._is_ending
        web.install(app)
        for router in _ROUTERS:
            app.include_router(router)
        app.get("/healthz", tags=["health"], summary="The process runs")(_healthz)
        app.get("/readyz", tags=["health"], summary="The database answers and has the right version")(self._readyz)
        app.get("/metrics", tags=["health"], summary="Live state for Prometheus, from this machine only")(self._metrics)
        app.get("/sd/agents", tags=["health"], summary="Boxes for Prometheus to find, from this machine only")(
            self._agents
        )
        return app

    def _is_ending(self) -> bool:
        return self.ending()

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        door = ReportDoor(self.database, self.tally, self.knocks)
        wanted = WantedDoor(self.database, _wanted, self.ending, self.knocks)
        writing = asyncio.create_task(self.knocks.write_for_ever(self.database), name="knocks")
        self._doors |= {wire.REPORTS_PATH: door, WANTED_PATH: wanted}
        upkeep = Upkeep(self.database) if self._upkeep else None
        pump = Pump(self.database, alerts_routes.speaker()) if self._upkeep else None
        try:
            yield {lane.DOOR: door}
        finally:
            writing.cancel()
            await wanted.close()
            if pump:
                pump.close()
            if upkeep:
                upkeep.close()
            door.close()
            self.knocks.write(self.database)

    def _readyz(self) -> dict[str, str]:
        try:
            found = migrate.version(self.database)
            with self.database.reads() as db:
                role = sight.bypassed_by(db)
        except SQLAlchemyError as error:
            log.error("the database does not answer: %s", error)
            raise Unavailable("The database does not answer: see the server's log.") from error
        if found != migrate.newest():
            raise Unavailable("The database has another version than this program: run `kampungnet migrate`.")
        return {"status": "ready"} | ({"warning": sight.bypass_sentence(role)} if role else {})

    def _agents(self, request: Request) -> list[dict[str, Any]]:
        _only_from_here(request)
        with self.database.reads() as db:
            return discovery.agents(db)

    def _metrics(self, request: Request) -> Response:
        _only_from_here(request)
        elsewhere = live.Elsewhere(self._budget_ends, self._certificate_end_ms())
        text = live.page_text(
            self.database, self.tally, elsewhere, only_state=request.query_params.get("only") == "state"
        )
        return Response(text, media_type="text/plain; version=0.0.4")

    def _certificate_end_ms(self) -> int | None:
        try:
            return certificate.end_ms(os.environ)
        except Problem as problem:  # the page of metrics goes on: all other alerts stand on it
            log.error("%s", problem)
            return None


def _only_from_here(request: Request) -> None:
    # Behind a proxy every visitor comes from loopback: whoever was forwarded is not from this machine.
    if request.client is None or request.client.host not in _LOOPBACK or _FORWARDED & set(request.headers):
        raise NotFound("There is nothing here.")


class _Pages(FastAPI):
    """FastAPI, with the doors it does not know on its OpenAPI page, and refusals as they are: one sentence."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI page."""
        return _with_refusals(_with_doors(super().openapi()))


def _wanted(db: Session, place: portals.Place, now_ms: int) -> WantedPortal:
    return portals.wanted(db, place, portal_pages.of_site(db, place, now_ms), now_ms)


def _healthz() -> dict[str, str]:
    return {"status": "ok"}


def _with_doors(page: dict[str, Any]) -> dict[str, Any]:
    """Add the agents' doors with the wire's own JSON schema."""
    if wire.REPORTS_PATH in page["paths"]:
        return page
    schemas, parts = msgspec.json.schema_components(
        (
            wire.Report,
            wire.Receipt,
            wire.EnrolmentRequest,
            wire.EnrolmentAnswer,
            WantedQuestion,
            WantedAnswer,
            KeyRequest,
            KeyAnswer,
            OrdersQuestion,
            OrdersAnswer,
            wire.Problem,
        ),
        ref_template="#/components/schemas/{name}",
    )
    page.setdefault("components", {}).setdefault("schemas", {}).update(parts)
    report, receipt, request, enrolled, question, wanted, key, key_now, told, orders, problem = schemas
    page["paths"][wire.REPORTS_PATH] = {
        "post": _operation("Hand over readings", report, ("200", receipt), problem, _REPORT_ERRORS)
    }
    page["paths"][wire.ENROLMENTS_PATH] = {
        "post": _operation("Become the agent of a village", request, ("201", enrolled), problem, _ENROLMENT_ERRORS)
    }
    page["paths"][WANTED_PATH] = {
        "post": _operation("Wait for what a portal has to be", question, ("200", wanted), problem, _WANTED_ERRORS)
    }
    page["paths"][KEYS_PATH] = {
        "post": _operation("Change the key of a box", key, ("200", key_now), problem, _WANTED_ERRORS)
    }
    page["paths"][ORDERS_PATH] = {
        "post": _operation("Ask what is to be done once", told, ("200", orders), problem, _WANTED_ERRORS)
    }
    return page


def _with_refusals(page: dict[str, Any]) -> dict[str, Any]:
    """Say what every refusal looks like; FastAPI's own shape for them, which echoes what was sent, is never used."""
    schemas = page["components"]["schemas"]
    if schemas.pop("HTTPValidationError", None) is None:
        return page
    schemas.pop("ValidationError")
    problem = {"description": "Refused", "content": {"application/json": {"schema": _PROBLEM}}}
    for operation in (one for path in page["paths"].values() for one in path.values()):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
        operation["responses"]["default"] = problem
    return page


_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}

_REPORT_ERRORS: Final = {
    "400": "The report cannot be read",
    "401": "Unknown, revoked or wrongly signed agent",
    "413": "Too large",
    "422": "Too many readings",
    "426": "A wire version this server does not speak",
    "503": "Nothing was stored: try again after Retry-After",
}
_ENROLMENT_ERRORS: Final = {"400": "Cannot be read", "401": "Not signed with its own key", "404": "No such code"}

_WANTED_ERRORS: Final = {
    "400": "Cannot be read",
    "401": "Unknown, revoked or wrongly signed agent",
    "503": "Ask again after Retry-After",
}


def _operation(
    summary: str,
    body: dict[str, Any],
    good: tuple[str, dict[str, Any]],
    problem: dict[str, Any],
    errors: dict[str, str],
) -> dict[str, Any]:
    def json_of(schema: dict[str, Any]) -> dict[str, Any]:
        return {"application/json": {"schema": schema}}

    answers = {code: {"description": text, "content": json_of(problem)} for code, text in errors.items()}
    answers[good[0]] = {"description": "Stored", "content": json_of(good[1])}
    return {
        "tags": ["agents"], "summary": summary, "description": _DESCRIPTION,
        "requestBody": {"required": True, "content": json_of(body)}, "responses": answers,
    }  # fmt: skip
