"""Every line says in both languages how it came out, with the numbers filled in."""

from datetime import date
from pathlib import Path

import pytest

import kampungnet
from kampungnet.billing import rating
from kampungnet.billing.document import CorrectionFact
from kampungnet.billing.formula_words import FORMULAS, LINE_NAMES, line_name, sentence
from kampungnet.billing.lines import LineKind, formula
from kampungnet.billing.measured import MeasuredMonth, Period
from kampungnet.billing.tax import HOUSE_TAXES
from kampungnet.billing.terms import (
    ContractTerms,
    CreditFormula,
    CreditOrder,
    PriceFor,
    Proration,
    ServiceKind,
    TaxTerms,
    Unjudged,
)
from kampungnet.core.clock import WIB
from kampungnet.core.languages import load
from kampungnet.measurement.outage_words import Cause
from tests.billing import months
from tests.billing.months import JUNE, LATE_JULY, SIX_AND_TEN, month, terms

LANGUAGES = load(Path(kampungnet.__file__).parent / "locale")
DECEMBER = Period.of(date(2026, 12, 1), date(2026, 12, 31), WIB)
CORRECTIONS = (CorrectionFact(month="2026-05", rupiah=-5, number="7", content_hash="0" * 64),)
TAXES = TaxTerms(pph23=True, office_collects_ppn=True)
WHOLE = terms(price=163_475_000, price_for=PriceFor.CONTRACT, start=date(2026, 1, 1), end=date(2026, 12, 31))

CASES: list[tuple[ContractTerms, MeasuredMonth]] = [
    *((terms(credit=months.credit(one), tax=TAXES), month(lost=SIX_AND_TEN)) for one in CreditFormula),
    (terms(credit=months.credit(CreditFormula.R2, order=CreditOrder.AFTER_TAX)), month(lost=SIX_AND_TEN)),
    *((terms(proration=one, rounding_step=1_000), month(LATE_JULY)) for one in Proration),
    (terms(price_includes_ppn=True, unjudged=Unjudged.HELD), month(unseen=((0, 40_000),))),
    (WHOLE, month(DECEMBER)),
    (terms(kind=ServiceKind.P95, committed_kbps=10_000, overuse_per_mbps=125_000), month(LATE_JULY)),
    (terms(kind=ServiceKind.QUOTA, quota_bytes=10**10, overuse_per_gb=50_000), month()),
]


@pytest.mark.parametrize("code", ["id", "en"])
def test_every_kind_of_line_and_every_formula_is_said(code: str) -> None:
    language, kinds, said = LANGUAGES[code], set(), set()
    for contract, measured in CASES:
        for line in rating.rate(contract, measured, HOUSE_TAXES, CORRECTIONS).lines:
            kinds.add(line.kind)
            said.add(line.formula.id)
            assert line_name(language, line.kind)
            text = sentence(language, line.formula)
            assert text != line.formula.id
            assert "%(" not in text
    assert kinds == set(LineKind) == set(LINE_NAMES)
    assert said == set(FORMULAS)


def _said(contract: ContractTerms, measured: MeasuredMonth, kind: LineKind, code: str = "id") -> str:
    lines = rating.rate(contract, measured, HOUSE_TAXES).lines
    return sentence(LANGUAGES[code], next(line.formula for line in lines if line.kind is kind))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (CreditFormula.R1, "R1: Rp2.500.000 × gangguan 960 / 43.200 menit = Rp55.555,56"),
        (CreditFormula.R2, "R2: Rp2.500.000 × (gangguan 960 − toleransi 432) / 43.200 menit = Rp30.555,56"),
        (CreditFormula.R3, "R3: Rp2.500.000 × (SLA 99% − nyata 97,7778%) = Rp30.555,56"),
        (CreditFormula.R4, "R4: Rp2.500.000 × gangguan 960 / (43.200 menit × SLA 99%) = Rp56.116,72"),
        (CreditFormula.R5, "R5: 2 × Rp2.500.000 / 30 hari × 1 kali 24 jam yang dimulai = Rp166.666,67"),
    ],
)
def test_a_credit_reads_as_one_would_compute_it(how: CreditFormula, words: str) -> None:
    said = _said(terms(credit=months.credit(how)), month(lost=SIX_AND_TEN), LineKind.CREDIT)
    assert said == f"{words}, dibulatkan ke bawah"


def test_taxes_and_proration_too() -> None:
    contract = terms(credit=months.credit(CreditFormula.R2), tax=TAXES)
    lost = month(JUNE, SIX_AND_TEN)
    assert _said(contract, lost, LineKind.PPN) == (
        "Rp2.469.445 × 11/12 × 12% = Rp271.638,95, dibulatkan ke yang terdekat"
    )
    assert _said(contract, lost, LineKind.PPH23, "en") == "Rp2,469,445 × 2% = Rp49,388.90, rounded to the nearest"
    assert _said(contract, month(LATE_JULY, ((0, 9, Cause.FIBER),)), LineKind.PRORATION) == (
        "Rp2.500.000 × 19 / 31 hari = Rp1.532.258,06, dibulatkan ke bawah"
    )
    assert _said(contract, month(), LineKind.PPN) == "Rp2.500.000 × 11/12 × 12%"


def test_an_unknown_formula_is_named_and_does_not_break_a_page() -> None:
    assert sentence(LANGUAGES["id"], formula("future", 5, due=3)) == "future"
