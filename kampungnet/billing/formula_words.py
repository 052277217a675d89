"""Pure: the name of a line and its formula with the numbers filled in, in a person's language."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from kampungnet.billing.lines import Formula, LineKind, Value
from kampungnet.billing.money import Rounding, figures, rupiah
from kampungnet.core.languages import N_, Language

LINE_NAMES: Final[Mapping[LineKind, str]] = {
    LineKind.PRICE: N_("Price"),
    LineKind.PRORATION: N_("Not served (proration)"),
    LineKind.OVERUSE: N_("Overuse"),
    LineKind.CREDIT: N_("Service credit"),
    LineKind.HELD: N_("Held until cleared up"),
    LineKind.PPN_INSIDE: N_("PPN already in the price"),
    LineKind.BASE: N_("Tax base (DPP)"),
    LineKind.PPN: N_("PPN"),
    LineKind.CREDIT_AFTER_TAX: N_("Service credit after tax"),
    LineKind.ROUNDING: N_("Rounding"),
    LineKind.CORRECTION: N_("Correction"),
    LineKind.TOTAL: N_("Total"),
    LineKind.PPN_COLLECTED: N_("PPN collected by the office"),
    LineKind.PPH23: N_("PPh 23 withheld"),
    LineKind.PAYABLE: N_("To the provider's account"),
}

_DAYS: Final = N_("%(price)s × %(charged)s / %(of)s days")
FORMULAS: Final[Mapping[str, str]] = {
    "price": N_("%(price)s a month"),
    "price.part": N_("month %(month)s of %(months)s of a contract of %(whole)s"),
    "proration.actual": _DAYS,
    "proration.actual_30": _DAYS,
    "proration.30_360": _DAYS,
    "overuse.p95": N_("(%(used)s − %(allowed)s) Mbps, charged %(units)s Mbps × %(price)s × %(share)s"),
    "overuse.quota": N_("(%(used)s − %(allowed)s) GB, charged %(units)s GB × %(price)s"),
    "credit.r1": N_("R1: %(fee)s × outage %(outage_s)s / %(base_s)s minutes"),
    "credit.r2": N_("R2: %(fee)s × (outage %(outage_s)s − tolerated %(tolerance_s)s) / %(base_s)s minutes"),
    "credit.r3": N_("R3: %(fee)s × (SLA %(sla)s − actual %(actual)s)"),
    "credit.r3b": N_("R3b: %(fee)s × (SLA %(sla)s − actual %(actual)s) / SLA"),
    "credit.r4": N_("R4: %(fee)s × outage %(outage_s)s / (%(month_s)s minutes × SLA %(sla)s)"),
    "credit.r5": N_("R5: 2 × %(fee)s / %(days)s days × %(begun)s stretches of 24 hours begun"),
    "held": N_("%(due)s, not judged: too little was measured"),
    "ppn": N_("%(due)s × %(base_numerator)s/%(base_denominator)s × %(rate_percent)s%%"),
    "ppn.inside": N_("%(due)s includes %(base_numerator)s/%(base_denominator)s × %(rate_percent)s%% PPN"),
    "ppn.collected": N_("payment of %(base)s is above %(above)s"),
    "pph23": N_("%(base)s × %(percent)s%%"),
    "rounding.step": N_("%(total)s, down to a multiple of %(step)s"),
    "rounding.contract": N_("%(agreed)s agreed for the whole contract, its months came to %(charged)s"),
    "correction": N_("of %(month)s, statement %(number)s"),
    "sum": N_("sum of the lines above"),
}
_ROUNDED: Final[Mapping[Rounding, str]] = {
    Rounding.DOWN: N_("%(formula)s = %(exact)s, rounded down"),
    Rounding.NEAREST: N_("%(formula)s = %(exact)s, rounded to the nearest"),
}
_MONEY: Final = frozenset("price whole fee due base above total step agreed ppn".split())


def line_name(language: Language, kind: LineKind) -> str:
    """Return what a line is called."""
    return language.say(LINE_NAMES[kind])


def sentence(language: Language, formula: Formula) -> str:
    """Return a formula with its numbers, and how its result was rounded where that changed it."""
    text = FORMULAS.get(formula.id, formula.id)
    values = {name: _said(language, formula.id, name, value) for name, value in formula.inputs.items()}
    said = language.say(text, **values)
    exact = Fraction(formula.exact)
    if exact.denominator == 1 or formula.rounding not in _ROUNDED:
        return said
    return language.say(_ROUNDED[formula.rounding], formula=said, exact=rupiah(exact, 2, _marks(language)))


def _said(language: Language, formula: str, name: str, value: Value) -> str:
    if formula == "correction":
        return str(value)
    exact, marks = Fraction(value), _marks(language)
    if name in _MONEY or (formula, name) == ("rounding.contract", "charged"):
        return rupiah(exact, 0, marks)
    return _shapes(formula, name)(exact, marks)


def _shapes(formula: str, name: str) -> Callable[[Fraction, str], str]:
    if name.endswith("_s"):
        return lambda exact, marks: _short(exact / 60, marks)
    if name in {"sla", "actual"}:
        return lambda exact, marks: f"{_short(exact * 100, marks, 4)}%"
    if name in {"used", "allowed"}:
        unit = 10**6 if formula == "overuse.p95" else 10**9
        return lambda exact, marks: _short(exact / unit, marks, 3)
    return lambda exact, marks: str(exact) if name == "share" else _short(exact, marks, 3)


def _short(exact: Fraction, marks: str, decimals: int = 2) -> str:
    """Return a number with so many decimals at most, without zeros at its end."""
    text = figures(exact, decimals, marks)
    return text.rstrip("0").rstrip(marks[1]) if exact.denominator != 1 else figures(exact, 0, marks)


def _marks(language: Language) -> str:
    return language.thousands_mark + language.decimal_mark
