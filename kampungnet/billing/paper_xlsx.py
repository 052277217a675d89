"""Pure: statements as spreadsheets and CSV. Numbers are numbers, the total is a formula, the same bytes every time.

The words of these papers are those of the office's own forms and always Indonesian, like the columns of its imports.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from kampungnet.billing import cell_sums, export
from kampungnet.billing.document import Judged, StatementDocument, content_hash
from kampungnet.billing.formula_words import line_name, sentence
from kampungnet.billing.lines import LineKind
from kampungnet.billing.measured import HotspotFact
from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.measurement.availability import percent
from kampungnet.measurement.outage_list import CAUSES

JUDGED: Final = {
    Judged.MET: "SLA terpenuhi",
    Judged.MISSED: "SLA tidak terpenuhi",
    Judged.NO_SLA: "Tanpa SLA",
    Judged.NOT_JUDGED: "Tidak dapat dinilai",
}
COLUMNS: Final = (
    "kode", "nama", "kecamatan", "kabupaten", "bulan", "nomor", "kontrak", "penyedia", "penilaian", "ketersediaan",
    "cakupan", "mbps_kontrak_turun", "mbps_p95_turun", "mbps_p95_naik", "byte_turun", "byte_naik", "gangguan",
    "harga", "prorata", "kelebihan", "restitusi", "ditahan", "dasar_pajak", "ppn", "restitusi_setelah_pajak",
    "pembulatan", "koreksi", "total", "dibayar_ke_penyedia", "sumber_dana", "rekening", "pagu", "sisa_pagu", "sha256",
)  # fmt: skip
_MONEY: Final = (
    LineKind.PRICE, LineKind.PRORATION, LineKind.OVERUSE, LineKind.CREDIT, LineKind.HELD, LineKind.BASE, LineKind.PPN,
    LineKind.CREDIT_AFTER_TAX, LineKind.ROUNDING, LineKind.CORRECTION, LineKind.TOTAL, LineKind.PAYABLE,
)  # fmt: skip
_FIRST_LINE: Final = 9
"""The row of the first line of money, counted from 1."""
Cell = export.Value | datetime | None


def csv(documents: Iterable[StatementDocument]) -> bytes:
    """Return one row for each statement as CSV."""
    return export.to_csv(COLUMNS, (_row(one) for one in documents))


def many(documents: Iterable[StatementDocument]) -> bytes:
    """Return one row for each statement as a spreadsheet."""
    return export.to_xlsx(COLUMNS, (_row(one) for one in documents), "Bukti Penerimaan")


def xlsx(document: StatementDocument, language: Language) -> bytes:
    """Return one statement: its money with formulas, its outages, and what was measured."""
    out = io.BytesIO()
    with export.workbook(out) as book:
        formats = {
            "bold": book.add_format({"bold": True}),
            "money": book.add_format({"num_format": "#,##0;(#,##0)"}),
            "sum": book.add_format({"num_format": "#,##0;(#,##0)", "bold": True, "top": 1}),
            "moment": book.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        _money_sheet(book.add_worksheet("Bukti"), document, language, formats)
        _outage_sheet(book.add_worksheet("Gangguan"), document, language, formats)
        _table(book.add_worksheet("Fakta"), ("Fakta", "Nilai", "Satuan"), _facts(document), formats)
    return out.getvalue()


def percentage(share: str | None, sla: Decimal | None = None) -> str:
    """Return an exact share as 98,99%; a dash where nothing is left to judge. It never crosses the SLA."""
    return "–" if share is None else f"{percent(Fraction(share), sla):.2f}%".replace(".", ",")


def _row(document: StatementDocument) -> Sequence[export.Value]:
    village, traffic, judged, fact = document.village, document.measured.traffic, document.judgement, document.budget
    terms = document.contract.terms
    return (
        village.code, village.name, village.district, village.regency, document.month, document.number,
        document.contract.number, document.provider.name, JUDGED[judged.result],
        percentage(judged.availability, terms.credit.sla_percent), percentage(judged.coverage),
        mbps(terms.down_kbps * 1000), mbps(traffic.rx_p95_bps), mbps(traffic.tx_p95_bps), traffic.rx_bytes,
        traffic.tx_bytes, len(document.measured.outages), *(document.amount(kind) for kind in _MONEY),
        *(("", "", "", "") if fact is None
          else (" ".join(one.fund for one in fact.funds), fact.account, sum(one.rupiah for one in fact.funds),
                fact.remaining)),
        content_hash(document),
    )  # fmt: skip


def mbps(bits: int | None) -> str:
    """Return bits a second as 18,5 Mbps would be written, without the unit; empty where there is no result."""
    if bits is None:
        return ""
    whole, part = divmod(bits // 1000, 1000)
    return f"{whole},{part:03}".rstrip("0").rstrip(",")


def _money_sheet(sheet: Any, document: StatementDocument, language: Language, formats: dict[str, Any]) -> None:
    village = document.village
    heading = (
        ("Bukti Penerimaan Layanan Internet", document.number or "DRAF"),
        ("Desa/Kelurahan", f"{village.name} ({village.code})"),
        ("Kecamatan, Kabupaten", f"{village.district}, {village.regency}"),
        ("Bulan", document.month),
        ("Penyedia, Kontrak", f"{document.provider.name}, {document.contract.number}"),
        ("Penilaian", JUDGED[document.judgement.result]),
    )
    for number, (name, value) in enumerate(heading):
        sheet.write_string(number, 0, name, formats["bold"])
        sheet.write_string(number, 1, value)
    for place, (name, width) in enumerate((("Uraian", 34), ("Jumlah (Rp)", 20), ("Hitungan", 90))):
        sheet.write_string(_FIRST_LINE - 2, place, name, formats["bold"])
        sheet.set_column(place, place, width)
    formulas = cell_sums.formulas(document.lines, "B", _FIRST_LINE)
    for place, (line, formula) in enumerate(zip(document.lines, formulas, strict=True)):
        row, look = _FIRST_LINE - 1 + place, formats["sum" if line.formula.id == "sum" else "money"]
        sheet.write_string(row, 0, line_name(language, line.kind))
        if formula:
            sheet.write_formula(row, 1, formula, look, line.rupiah)
        else:
            sheet.write_number(row, 1, line.rupiah, look)
        sheet.write_string(row, 2, sentence(language, line.formula))
    below = _FIRST_LINE + len(document.lines)
    sheet.write_string(below, 0, "Terbilang (jumlah)", formats["bold"])
    sheet.write_string(below, 1, document.total_words)
    sheet.write_string(below + 1, 0, "SHA-256", formats["bold"])
    sheet.write_string(below + 1, 1, content_hash(document))


def _outage_sheet(sheet: Any, document: StatementDocument, language: Language, formats: dict[str, Any]) -> None:
    zone = document.measured.period.zone
    hour = clock.abbreviation(zone)
    rows = [
        (_local(one.start_ms, zone), _local(one.end_ms, zone), (one.end_ms - one.start_ms) // 60_000,
         language.say(CAUSES[one.cause]), one.confidence_percent)
        for one in document.measured.outages
    ]  # fmt: skip
    rows += [
        (_local(one.start_ms, zone), _local(one.end_ms, zone), (one.end_ms - one.start_ms) // 60_000,
         f"Pekerjaan terencana: {one.note}".removesuffix(": "), 100)
        for one in document.measured.windows
    ]  # fmt: skip
    names = (f"Mulai ({hour})", f"Selesai ({hour})", "Lama (menit)", "Penyebab", "Keyakinan (%)")
    _table(sheet, names, rows, formats)


def _facts(document: StatementDocument) -> list[tuple[Cell, ...]]:
    """Return what was measured and what the budget says: name, value, unit."""
    terms, month, judged = document.contract.terms, document.measured, document.judgement
    classes, traffic = month.classes, month.traffic
    facts: list[tuple[Cell, ...]] = [
        ("Hari dilayani", month.period.served_days, "hari"),
        ("Kecepatan kontrak, turun", terms.down_kbps, "kbps"),
        ("Kecepatan kontrak, naik", terms.up_kbps, "kbps"),
        ("Persentil ke-95, turun", traffic.rx_p95_bps, "bit/s"),
        ("Persentil ke-95, naik", traffic.tx_p95_bps, "bit/s"),
        ("Sampel terukur", traffic.samples, "sampel 5 menit"),
        ("Sampel seharusnya", traffic.expected, "sampel 5 menit"),
        ("Jam tersibuk", _local(traffic.busiest_hour_ms, month.period.zone), ""),
        ("Volume jam tersibuk", traffic.busiest_bytes, "byte"),
        ("Volume turun" + (" (paling sedikit)" if traffic.lower_bound else ""), traffic.rx_bytes, "byte"),
        ("Volume naik" + (" (paling sedikit)" if traffic.lower_bound else ""), traffic.tx_bytes, "byte"),
        ("Ketersediaan", percentage(judged.availability, terms.credit.sla_percent), ""),
        ("SLA", "–" if terms.credit.sla_percent is None else f"{terms.credit.sla_percent}%".replace(".", ","), ""),
        ("Waktu diketahui", percentage(judged.known), ""),
        ("Cakupan pengukuran", percentage(judged.coverage), ""),
        ("Waktu dinilai", classes.seconds, "detik"),
        ("Waktu hidup", classes.up, "detik"),
        ("Waktu mati", sum(classes.down.values()), "detik"),
        ("Pekerjaan terencana", classes.planned, "detik"),
        ("Tidak diketahui", classes.unknown, "detik"),
    ]
    if month.office is not None:
        facts.append(("Waktu mati pada jam kantor", sum(month.office.classes.down.values()), "detik"))
        facts.append(("Jam kantor", month.office.classes.seconds, "detik"))
    return facts + _wifi_facts(month.hotspot) + _budget_facts(document)


def _wifi_facts(used: HotspotFact | None) -> list[tuple[Cell, ...]]:
    if used is None or used.few:
        return [("Pemakaian wifi", "tidak diukur" if used is None else "kurang dari lima perangkat sehari", "")]
    return [
        ("Perangkat di wifi, dihitung setiap hari", used.people, "perangkat"),
        ("Perangkat pada hari teramai", used.most, "perangkat"),
        ("Hari dengan pemakaian wifi", used.days, "hari"),
        ("Waktu di wifi", used.seconds, "detik"),
        ("Waktu di wifi di luar jam kantor", used.outside_office_seconds, "detik"),
    ]


def _budget_facts(document: StatementDocument) -> list[tuple[Cell, ...]]:
    fact = document.budget
    if fact is None:
        return [("Anggaran", "Belum ada pagu", "")]
    return [
        ("Rekening", f"{fact.account} {fact.name}", ""),
        ("Versi pagu", f"{fact.version}, berlaku sejak {fact.version_since:%d/%m/%Y}", ""),
        *((f"Pagu {one.fund}", one.rupiah, "rupiah") for one in fact.funds),
        ("Realisasi sebelumnya", fact.opening + fact.realised, "rupiah"),
        ("Disetujui, belum dibayar", fact.reserved, "rupiah"),
        ("Sisa pagu", fact.remaining, "rupiah"),
        ("Bulan penuh terakhir", fact.ends or "cukup sampai Desember", ""),
    ]


def _table(sheet: Any, names: Sequence[str], rows: Iterable[Sequence[Cell]], formats: dict[str, Any]) -> None:
    for place, name in enumerate(names):
        sheet.write_string(0, place, name, formats["bold"])
        sheet.set_column(place, place, 34 if place in {0, 3} else 22)
    for number, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, place, cell, formats["moment"])
            elif isinstance(cell, int):
                sheet.write_number(number, place, cell, formats["money"])
            elif cell is not None:
                sheet.write_string(number, place, str(cell))
    sheet.freeze_panes(1, 0)


def _local(instant_ms: int, zone: str) -> datetime:
    """Wall time: a spreadsheet knows no zones."""
    return clock.local(instant_ms, zone).replace(tzinfo=None)
