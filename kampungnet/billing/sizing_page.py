"""Pure: right-sizing in words: what was bought against what was used, what it costs, and what to ask for next year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from kampungnet.billing import export, money, words
from kampungnet.billing.outlook import Outlook
from kampungnet.billing.sizing import HOUSE, Fit
from kampungnet.billing.sizings import MonthSeen, Sized
from kampungnet.core import clock
from kampungnet.core.languages import N_, Language

FITS: Final[Mapping[Fit, str]] = {
    Fit.UNDER: N_("bought too little"),
    Fit.OVER: N_("bought too much"),
    Fit.FITS: N_("fits"),
    Fit.UNKNOWN: N_("too little measured"),
}
COLUMNS: Final = (
    "kode", "nama", "kecamatan", "penyedia", "nomor_kontrak", "unduh_mbps", "bulan_terukur", "cakupan_persen",
    "p95_tertinggi_mbps", "jam_tersibuk_mbps", "jam_penuh", "jam_terukur", "rupiah_per_mbps", "rupiah_per_gb",
    "penilaian", "kebutuhan_mbps", "rab_tahun", "rab_volume", "rab_satuan", "rab_harga_satuan", "rab_jumlah",
)  # fmt: skip
"""Of the table as a file: Indonesian in every language, like those of the books."""
_WORDS: Final = {Fit.UNDER: "kurang", Fit.OVER: "berlebih", Fit.FITS: "cukup", Fit.UNKNOWN: "belum dapat dinilai"}


@dataclass(frozen=True, slots=True)
class Row:
    """One contract of the list; an empty text is not known."""

    address: str
    name: str
    district: str
    provider: str
    contracted: str
    p95: str
    share: str
    peak: str
    full: str
    coverage: str
    per_mbps: str
    per_gb: str
    fit: Fit
    fit_words: str
    need: str
    amount: str


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month of one contract."""

    month: str
    address: str
    contracted: str
    p95: str
    peak: str
    peak_when: str
    full: str
    coverage: str
    volume: str
    rupiah: str
    counts: bool


@dataclass(frozen=True, slots=True)
class AheadRow:
    """One month of the budget that is to come."""

    month: str
    bill: str
    left: str
    is_overdrawn: bool
    waiting: str


def rows(found: Sequence[Sized], language: Language) -> list[Row]:
    """Return the list in its order."""
    return [row(one, language) for one in found]


def row(one: Sized, language: Language) -> Row:
    """Return one contract in words."""
    of, rab = one.sizing, one.rab
    return Row(
        address=f"/ukuran/{one.contract.id}", name=one.name, district=one.district, provider=one.provider,
        contracted=words.mbps(language, one.contracted_kbps * 1000 or None), p95=words.mbps(language, of.p95_bps),
        share="" if of.used_share is None else words.percent(language, of.used_share),
        peak=words.mbps(language, of.peak_bps) if of.months else "",
        full=_hours(of.ceiling_hours, of.measured_hours, language) if of.months else "",
        coverage=_coverage(one.samples, one.expected, language),
        per_mbps="" if of.per_mbps is None else words.figures(language, of.per_mbps),
        per_gb="" if of.per_gb is None else words.figures(language, of.per_gb),
        fit=of.fit, fit_words=language.say(_fit(one)),
        need="" if of.need_kbps is None else words.mbps(language, of.need_kbps * 1000),
        amount="" if rab is None else words.figures(language, rab.amount),
    )  # fmt: skip


def month_rows(months: Sequence[MonthSeen], contract: str, language: Language, zone: str) -> list[MonthRow]:
    """Return the months of a contract in their order."""
    return [_month(of, contract, language, zone) for of in months]


def ahead(found: Outlook, language: Language) -> list[AheadRow]:
    """Return the months that the budget line has still to pay."""
    return [
        AheadRow(words.month(language, one.month), words.figures(language, one.bill),
                 words.figures(language, one.left), one.left < 0,
                 words.figures(language, one.waiting) if one.waiting else "")
        for one in found.ahead
    ]  # fmt: skip


def table(found: Sequence[Sized]) -> list[list[export.Value]]:
    """Return the list as rows of a file in :data:`COLUMNS`."""
    return [_exported(one) for one in found]


def house_rules(language: Language) -> str:
    """Return by which thresholds is judged: the house's own, no law."""
    return language.say(
        "Too little: in a month the 95th percentile is above %(under)s of the contract, or more than %(hours)s of the"
        " hours stand at the ceiling (%(ceiling)s full). Too much: in no month it is above %(over)s, and no hour is"
        " full. The need is the highest 95th percentile and %(headroom)s more. Fewer than %(months)s measured months"
        " are not judged.",
        under=f"{HOUSE.under_percent}%", hours=f"{HOUSE.under_hours_percent}%", ceiling=f"{HOUSE.ceiling_percent}%",
        over=f"{HOUSE.over_percent}%", headroom=f"{HOUSE.headroom_percent}%", months=HOUSE.fewest_months,
    )  # fmt: skip


def _fit(one: Sized) -> str:
    """Return the judgement; a line that was measured and not judged has no rate to be compared with."""
    is_measured = one.sizing.months >= HOUSE.fewest_months
    unnamed = one.sizing.fit is Fit.UNKNOWN and is_measured and not one.contracted_kbps
    return N_("the contract names no rate") if unnamed else FITS[one.sizing.fit]


def _month(of: MonthSeen, contract: str, language: Language, zone: str) -> MonthRow:
    use = of.use
    return MonthRow(
        month=words.month(language, of.month), address=f"/laporan/{contract}/{use.month}",
        contracted=words.mbps(language, use.contracted_kbps * 1000 or None), p95=words.mbps(language, use.p95_bps),
        peak=words.mbps(language, use.peak_bps) if use.measured_hours else "",
        peak_when=_when(of.peak_at_ms, language, zone),
        full=_hours(use.ceiling_hours, use.measured_hours, language)
        if of.has_hours else language.say("not counted yet"),
        coverage=_coverage(of.samples, of.expected, language),
        volume=words.figures(language, Fraction(use.total_bytes, 10**9), 1), rupiah=words.figures(language, use.rupiah),
        counts=use.p95_bps is not None and use.measured_hours >= HOUSE.fewest_hours,
    )  # fmt: skip


def _exported(one: Sized) -> list[export.Value]:
    of, rab, unit = one.sizing, one.rab, one.contract.unit
    coverage = Fraction(100 * one.samples, one.expected) if one.expected else None
    return [
        unit, one.name, one.district, one.provider, one.contract.number, _decimal(Fraction(one.contracted_kbps, 1000)),
        of.months, _decimal(coverage), _decimal(_mbps(of.p95_bps)), _decimal(_mbps(of.peak_bps if of.months else None)),
        of.ceiling_hours, of.measured_hours, _decimal(of.per_mbps), _decimal(of.per_gb), _WORDS[of.fit],
        "" if of.need_kbps is None else of.need_kbps // 1000,
        *((one.next_year, rab.volume, "bulan", rab.unit_price, rab.amount) if rab else ("", "", "", "", "")),
    ]  # fmt: skip


def _decimal(value: Fraction | None) -> export.Value:
    """Return a whole number as one, another with a decimal comma; there is no float in what is written."""
    if value is None:
        return ""
    return int(value) if value.denominator == 1 else money.figures(value, 2, "\0,").replace("\0", "")


def _mbps(bps: int | None) -> Fraction | None:
    return None if bps is None else Fraction(bps, 10**6)


def _hours(full: int, measured: int, language: Language) -> str:
    return language.say("%(full)s of %(measured)s", full=words.figures(language, full),
                        measured=words.figures(language, measured))  # fmt: skip


def _coverage(samples: int, expected: int, language: Language) -> str:
    return words.percent(language, Fraction(samples, expected)) if expected else ""


def _when(at_ms: int | None, language: Language, zone: str) -> str:
    if at_ms is None:
        return ""
    return f"{language.day(clock.local_day(at_ms, zone))} {language.time(at_ms, zone)}"
