"""A statement explains itself: what was made is right, whatever is changed is found, and quickly."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kampungnet.billing.document import (
    CorrectionFact,
    DocumentUnreadable,
    StatementDocument,
    Step,
    StepKind,
    canonical,
    content_hash,
    from_canonical,
    from_file,
    to_file,
)
from kampungnet.billing.lines import LineKind
from kampungnet.billing.statement import approved, correction, draft, own_total
from kampungnet.billing.terms import CreditFormula, TaxTerms
from kampungnet.billing.verify import differences, verify
from kampungnet.measurement.outage_words import Cause
from tests.billing import months
from tests.billing.months import JULY, LATE_JULY, month, terms

TERMS = terms(credit=months.credit(CreditFormula.R2), tax=TaxTerms(pph23=True), rounding_step=100)
LOST = ((100, 1_060, Cause.FIBER), (5_000, 5_300, Cause.LISTRIK))
STEPS = (Step(kind=StepKind.APPROVED, name="Siti Aminah", role="kepala desa", at_ms=JULY.end_ms + 1),)
DOES_NOT_DECIDE = (
    "measured.traffic", "measured.outages", "measured.windows", "measured.unseen", "steps", "corrections.0.month",
    "contract.terms.down_kbps", "contract.terms.up_kbps", "contract.terms.committed_kbps",
    "contract.terms.overuse_per", "contract.terms.quota", "taxes", "budget.year", "measured.office.opens",
    "measured.office.closes", "measured.office.weekdays", "version", "measured.classes.late",
)  # fmt: skip
"""What a fixed price does not depend on (here): only the hash can tell that it was changed."""


def _statement(**given: Any) -> StatementDocument:
    measured = month(JULY, LOST, planned=((9_000, 9_240),), unseen=((20_000, 20_090),), contract=TERMS)
    budget = months.pagu(30_000_000, opening=5_550_000, realised=11_100_000)
    earlier = CorrectionFact(month="2026-06", rupiah=-12_345, number="0005/ST/15.2012/2026", content_hash="a" * 64)
    facts = replace(months.facts(TERMS, measured, budget, corrections=(earlier,)), **given)
    return approved(draft(facts), "0006/ST/15.2012/2026", STEPS)


def _leaves(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(content, dict | list):
        for key, one in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _leaves(one, (*path, key))
    elif isinstance(content, int) and not isinstance(content, bool):
        yield path


def _changed(content: Any, path: tuple[Any, ...], by: int) -> Any:
    copy = json.loads(json.dumps(content))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] += by
    return copy


PLAIN = json.loads(to_file(_statement()))
LEAVES = list(_leaves(PLAIN["statement"]))


def test_a_statement_is_right_and_says_so_again_from_its_file() -> None:
    document = _statement()
    verdict = verify(to_file(document))
    assert verdict.is_right
    assert verdict.document == document == from_canonical(canonical(document))
    assert to_file(verdict.document) == to_file(document)


def test_its_money_is_what_a_hand_computes() -> None:
    """July 2026: 44.640 min, less 240 planned and 90 unknown: 44.310. Out 1.260, tolerated 443,1: 816,9 too many."""
    document = _statement()
    found = {line.kind.value: line.rupiah for line in document.lines}
    assert found == {
        "price": 2_500_000, "credit": -46_090, "base": 2_453_910, "ppn": 269_930, "rounding": -40,
        "correction": -12_345, "total": 2_711_455, "pph23": -49_078, "payable": 2_662_377,
    }  # fmt: skip
    assert document.total_words == "dua juta tujuh ratus sebelas ribu empat ratus lima puluh lima rupiah"
    assert document.budget is not None
    assert document.budget.remaining == 30_000_000 - 5_550_000 - 11_100_000 - 2_711_455
    assert (document.budget.monthly, document.budget.ends) == (2_775_000, "2026-10")


def test_anybody_finds_the_hash_without_our_code() -> None:
    document = _statement()
    plain = json.loads(to_file(document))
    text = json.dumps(plain["statement"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == plain["sha256"] == content_hash(document)
    assert verify(json.dumps(plain, indent=4).encode()).is_right  # laid out otherwise, the same content


def test_there_is_no_float_in_it() -> None:
    def refuse(text: str) -> float:
        raise AssertionError(text)

    json.loads(to_file(_statement()), parse_float=refuse)


@settings(max_examples=200)
@given(st.sampled_from(LEAVES), st.sampled_from([-1, 1, 1_000]))
def test_any_changed_number_is_found(path: tuple[Any, ...], by: int) -> None:
    changed = {**PLAIN, "statement": _changed(PLAIN["statement"], path, by)}
    try:
        assert not verify(json.dumps(changed).encode()).is_right
    except DocumentUnreadable as refused:
        assert str(refused)  # noqa: PT017 -- either is finding it


@settings(max_examples=200)
@given(st.sampled_from(LEAVES), st.sampled_from([-1, 1, 1_000]))
def test_a_changed_number_of_money_is_found_even_with_a_new_hash(path: tuple[Any, ...], by: int) -> None:
    if ".".join(map(str, path)).startswith(DOES_NOT_DECIDE):
        return
    changed = _changed(PLAIN["statement"], path, by)
    file = {"sha256": content_hash(changed), "statement": changed}
    try:
        assert verify(json.dumps(file).encode()).differences
    except DocumentUnreadable as refused:
        assert str(refused)  # noqa: PT017 -- either is finding it


def test_a_changed_line_is_named_with_what_is_written_and_what_comes_out() -> None:
    document = _statement()
    place = next(n for n, line in enumerate(document.lines) if line.kind is LineKind.PPN)
    line = msgspec.structs.replace(document.lines[place], rupiah=269_931)
    lines = (*document.lines[:place], line, *document.lines[place + 1 :])
    found = differences(msgspec.structs.replace(document, lines=lines))
    assert [tuple(one) for one in found] == [
        ("lines.ppn.rupiah", "269931", "269930"), ("lines", "2711455", "the lines do not add up"),
    ]  # fmt: skip


def test_a_line_left_out_is_named() -> None:
    document = _statement()
    lines = tuple(line for line in document.lines if line.kind is not LineKind.CREDIT)
    found = differences(msgspec.structs.replace(document, lines=lines))
    assert ("lines.credit", "", "-46090") in [tuple(one) for one in found]


def test_a_longer_outage_changes_the_classes_and_the_credit() -> None:
    document = _statement()
    longer = months.outage(JULY, 100, 1_100)
    measured = msgspec.structs.replace(document.measured, outages=(longer, *document.measured.outages[1:]))
    where = {one.where for one in differences(msgspec.structs.replace(document, measured=measured))}
    assert {"measured.classes.down.fiber", "measured.classes.up", "lines.credit.rupiah", "total"} <= where


def test_an_outage_outside_the_month_and_more_samples_than_slots_cannot_be() -> None:
    document = _statement()
    traffic = months.traffic(JULY, samples=8_929)
    measured = msgspec.structs.replace(document.measured, traffic=traffic, outages=(months.outage(JULY, -10, -5),))
    where = {one.where for one in differences(msgspec.structs.replace(document, measured=measured))}
    assert {"measured.outages", "measured.traffic.samples"} <= where


def test_terms_that_cannot_be_rated_are_a_difference_and_no_crash() -> None:
    document = _statement()
    contract = msgspec.structs.replace(document.contract, terms=terms(start=date(2027, 1, 1)))
    assert differences(msgspec.structs.replace(document, contract=contract))[0].where == "contract.terms"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff\xfe",
        b'{"sha256":"x","statement":{}}',
        b'{"sha256":"%s","statement":{}}' % (b"a" * 64),
    ],
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentUnreadable):
        from_file(data)


def test_what_a_later_version_would_add_is_refused_and_not_passed_over() -> None:
    for extra in ({"surcharge": 5}, {"version": 2}):
        changed = {**PLAIN["statement"], **extra}
        with pytest.raises(DocumentUnreadable):
            from_file(json.dumps({"sha256": content_hash(changed), "statement": changed}).encode())


def test_later_facts_become_one_difference_rounded_once() -> None:
    posted = _statement()
    more = month(JULY, (*LOST, (30_000, 30_600, Cause.FIBER)), ((9_000, 9_240),), ((20_000, 20_090),), TERMS)
    recomputed = _statement(measured=more)
    found = correction(posted, recomputed)
    assert found is not None
    assert found.rupiah == own_total(recomputed) - own_total(posted) < 0
    assert (found.month, found.content_hash) == ("2026-07", content_hash(posted))
    assert correction(posted, recomputed, found.rupiah) is None
    assert correction(posted, posted) is None
    assert correction(posted, posted, found.rupiah) == msgspec.structs.replace(found, rupiah=-found.rupiah)


def test_a_prorated_month_without_budget_is_right_too() -> None:
    contract = terms(credit=months.credit(CreditFormula.R4), start=date(2026, 7, 13))
    document = draft(months.facts(contract, month(LATE_JULY, ((0, 30, Cause.FIBER),), contract=contract)))
    assert verify(to_file(document)).is_right
    assert document.amount(LineKind.PRORATION) == 1_532_258 - 2_500_000
    # Half an hour of 456 served hours, of the prorated fee: the same as of the whole fee and 744 hours.
    assert document.amount(LineKind.CREDIT) == -(1_532_258 * 30 * 100 // (456 * 60 * 99))
