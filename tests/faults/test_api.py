"""Schemathesis over the whole API as our own OpenAPI page describes it: no 500, and answers as that page says."""

from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from kampungnet.shared import wire
from kampungnet.shared.wanted import WANTED_PATH
from tests.faults import office
from tests.faults.office import Office
from tests.faults.told import chance, times, told
from tests.support.server import Box, enrolled, signed_headers

RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
KNOWN = {
    "code": office.CODES[:2], "place": office.CODES[:2], "contract": [f"{one}-1" for one in office.CODES[:2]],
    "month": ["2026-07", "2026-10"], "first": ["2026-10-01"], "last": ["2026-10-30"], "day": ["2026-10-15"],
}  # fmt: skip
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]
EXAMPLES = times(20, 20)
TAKEN = {"method", "url", "headers", "params", "json", "data", "files", "cookies"}
SIGNED = {wire.REPORTS_PATH, WANTED_PATH}
HELD_SECONDS = 0.5
"""A box that asks what is wanted and has it already is held at the door: here it hangs up."""


def test_no_request_the_api_page_allows_or_forbids_is_answered_with_a_defect(filled_office: Office) -> None:
    opened, box = filled_office, enrolled(filled_office.database, office.CODES[1])
    schema = schemathesis.openapi.from_dict(_with_known_values(opened))
    number, answers = chance(), Counter[int]()
    operations = [one.ok() for one in schema.get_all_operations()]  # type: ignore[union-attr]  # an Err would fail
    assert len(operations) > 18, "the whole API stands on the page"
    for operation in operations:
        takes = [*operation.path_parameters, *operation.query, *operation.body]
        # What takes nothing cannot be asked wrongly.
        for mode in (RIGHT, WRONG) if takes else (RIGHT,):
            _try(operation.as_strategy(generation_mode=mode), number, opened, box, answers)
    assert opened.defects() == []
    assert answers[200] > 20, "it came past the door"
    told("requests made by schemathesis", answers.total(), 0, 0, f"seed {number}, {dict(answers)}")


def _with_known_values(opened: Office) -> dict[str, Any]:
    """Return our OpenAPI page, on which villages and months that there are stand beside any others."""
    page: dict[str, Any] = requests.get(f"{opened.url}/api/openapi.json", timeout=60).json()
    for path in page["paths"].values():
        for operation in path.values():
            for one in operation.get("parameters", []):
                if one["name"] in KNOWN:
                    one["schema"] = {"anyOf": [{"enum": KNOWN[one["name"]]}, one["schema"]]}
    return page


def _try(cases: Any, number: int, opened: Office, box: Box, answers: "Counter[int]") -> None:
    @seed(number)
    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def ask(case: "schemathesis.Case[Any]") -> None:
        answer = _sent(case, opened, box)
        if answer is not None:
            answers[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

    ask()


def _sent(case: "schemathesis.Case[Any]", opened: Office, box: Box) -> requests.Response | None:
    """Send a case: signed where boxes ask, as an engineer everywhere else."""
    parts = case.as_transport_kwargs(base_url=opened.url)
    wanted = requests.Request(**{name: parts[name] for name in parts if name in TAKEN}).prepare()
    path = case.operation.path
    if path in SIGNED:
        body = wanted.body if isinstance(wanted.body, bytes) else str(wanted.body or "").encode()
        wanted.headers.update(signed_headers(box.key, box.agent, path, body))
    else:
        wanted.headers["Cookie"] = opened.cookie("sari")
    with requests.Session() as session:
        try:
            seconds = HELD_SECONDS if path == WANTED_PATH else 60
            return session.send(wanted, timeout=seconds, allow_redirects=False)
        except requests.ReadTimeout:
            assert path == WANTED_PATH
            return None
