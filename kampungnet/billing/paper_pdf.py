"""Pure: a statement in, its paper as PDF out: A4, Indonesian, tagged, with embedded fonts, the same bytes every time.

The paper is in Indonesian whoever asks: it is signed and filed. Texts go to the typesetter as data, never as markup.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from kampungnet.billing import money, words
from kampungnet.billing.document import Judged, StatementDocument, content_hash
from kampungnet.billing.formula_words import line_name, sentence
from kampungnet.billing.lines import SUMS, LineKind
from kampungnet.billing.measured import Classes
from kampungnet.core import clock
from kampungnet.core.languages import Language
from kampungnet.core.typesetting import qr_svg, typeset
from kampungnet.measurement.availability import percent
from kampungnet.measurement.outage_list import CAUSES

_TEMPLATE: Final = Path(__file__).parent / "paper/statement.typ"
_OFFICES: Final = {"desa": "Pemerintah Desa", "kelurahan": "Kelurahan", "kecamatan": "Kecamatan"}
_SIGNERS: Final = {
    "desa": ("Sekretaris Desa", "Kepala Desa", "Kaur Keuangan"),
    "kelurahan": ("Sekretaris Kelurahan", "Lurah", "Bendahara"),
    "kecamatan": ("Sekretaris Kecamatan", "Camat", "Bendahara"),
}
_DUTIES: Final = ("Memeriksa", "Menyetujui", "Membayar")
_TOO_LITTLE: Final = "Data ukur kurang dari batas dalam kontrak, sehingga layanan bulan ini tidak dinilai."


@dataclass(frozen=True, slots=True)
class Paper:
    """What is printed besides the document: where it can be checked, and whether it was paid."""

    language: Language
    """Indonesian; given, so that nothing is read here."""
    check_address: str = ""
    """Base address of the server, such as ``https://kampungnet.example.go.id``; empty: no QR."""
    paid_by: str = ""


def pdf(document: StatementDocument, paper: Paper) -> bytes:
    """Return the paper of a statement."""
    return typeset(_TEMPLATE, _Words(document, paper).all())


class _Words:
    """A statement in the words and numbers of its paper."""

    def __init__(self, document: StatementDocument, paper: Paper) -> None:
        self._document, self._paper, self._say = document, paper, paper.language
        self._zone = document.measured.period.zone

    def all(self) -> dict[str, Any]:
        """Return everything that the template shows."""
        one, period = self._document, self._document.measured.period
        is_draft = not one.number
        return {
            "title": f"Bukti Penerimaan Layanan Internet {one.village.name} {one.month}",
            "date": [period.month_end.year, period.month_end.month, period.month_end.day],
            "draft": is_draft, "office": f"{_OFFICES.get(one.village.kind, '')} {one.village.name}".strip(),
            "place": self._place(), "period": self._period(), "number": one.number or "(draf)",
            "contract": self._contract(), "measures": self._measures(), "notes": self._notes(),
            "unjudged": _TOO_LITTLE if one.judgement.result is Judged.NOT_JUDGED else "",
            "outages": self._outages(), "works": self._works(), "lines": self._lines(),
            "words": one.total_words, "budget": self._budget(), "signatures": self._signatures(),
            "signed_at": f"{one.village.name}, {self._signed_on(is_draft)}", "check": self._check(is_draft),
            "qr": "" if is_draft or not self._paper.check_address else qr_svg(self._address()),
            "foot": " · ".join(["KampungNet", one.contract.id, one.month] + [content_hash(one)[:16]] * (not is_draft)),
        }  # fmt: skip

    def _place(self) -> str:
        one = self._document.village
        above = "" if one.kind == "kecamatan" else f"Kecamatan {one.district}, "
        return f"{above}{one.regency}"

    def _period(self) -> str:
        period = self._document.measured.period
        name = self._say.full_day(period.month_end).split(" ", 1)[1]
        if period.is_whole:
            return f"Masa layanan: {name}"
        return f"Masa layanan: {period.first_day.day} sampai {period.last_day.day} {name}"

    def _contract(self) -> list[list[str]]:
        one, terms = self._document, self._document.contract.terms
        npwp = f" (NPWP {one.provider.npwp})" if one.provider.npwp else ""
        end = f" sampai {self._day(terms.end)}" if terms.end else ""
        return [
            ["Penyedia", one.provider.name + npwp], ["Kontrak", one.contract.number],
            ["Berlaku", f"{self._day(terms.start)}{end}"],
        ]  # fmt: skip

    def _measures(self) -> list[list[str]]:
        one, terms, traffic = self._document, self._document.contract.terms, self._document.measured.traffic
        sla = terms.credit.sla_percent
        promised = f"{self._say.number(float(sla), 2)}%" if sla is not None else "–"
        share = None if one.judgement.availability is None else Fraction(one.judgement.availability)
        received = "–" if share is None else f"{self._percent(percent(share, sla))}"
        office = one.measured.office
        rows = [
            ["Ketersediaan, siang malam", promised, received],
            ["Ketersediaan pada jam kerja", "–", self._share(office.classes) if office else "–"],
            ["Kecepatan unduh, persentil ke-95", self._mbps(terms.down_kbps * 1000), self._mbps(traffic.rx_p95_bps)],
            ["Kecepatan unggah, persentil ke-95", self._mbps(terms.up_kbps * 1000), self._mbps(traffic.tx_p95_bps)],
            ["Jam tersibuk", "–", self._busiest()],
            ["Volume masuk dan keluar", self._say.size(terms.quota_bytes) if terms.quota_bytes else "–",
             f"{self._say.size(traffic.rx_bytes)} dan {self._say.size(traffic.tx_bytes)}"],
            ["Cakupan pengukuran", f"{self._say.number(float(terms.coverage_percent))}%", self._coverage()],
        ]  # fmt: skip
        return [*rows, *(["Pemakaian wifi" if not n else "", "–" if not n else "", told]
                         for n, told in enumerate(words.wifi(self._say, one.measured.hotspot)))]  # fmt: skip

    def _notes(self) -> list[str]:
        classes, notes = self._document.measured.classes, []
        lost = sum(classes.down.values())
        notes.append(
            f"Tanpa layanan {self._length(lost)}, pekerjaan terencana {self._length(classes.planned)}, "
            f"tidak diketahui {self._length(classes.unknown)} dari {self._length(classes.seconds)}."
        )
        if self._document.measured.traffic.lower_bound:
            notes.append("Volume adalah paling sedikit: sebagian waktu tidak terukur.")
        return notes

    def _outages(self) -> list[list[str]]:
        return [
            [self._moment(one.start_ms), self._moment(one.end_ms), self._length((one.end_ms - one.start_ms) // 1000),
             self._say.say(CAUSES[one.cause])]
            for one in self._document.measured.outages
        ]  # fmt: skip

    def _works(self) -> list[list[str]]:
        return [
            [self._moment(one.start_ms), self._moment(one.end_ms),
             self._moment(one.entered_ms) + ("" if one.entered_ms <= one.start_ms else " (sesudah dimulai)")]
            for one in self._document.measured.windows
        ]  # fmt: skip

    def _lines(self) -> list[list[Any]]:
        return [
            [line_name(self._say, one.kind), sentence(self._say, one.formula), money.figures(one.rupiah),
             one.kind in SUMS]
            for one in self._document.lines
            # Where nothing is withheld the last sum says what the one before said.
            if one.kind is not LineKind.PAYABLE or one.rupiah != self._document.total
        ]  # fmt: skip

    def _budget(self) -> list[list[str]]:
        one = self._document.budget
        if one is None:
            return []
        funds = ", ".join(f"{fund.fund} {money.rupiah(fund.rupiah)}" for fund in one.funds)
        last, ahead = clock.month_of(one.ends or ""), money.rupiah(sum(of.rupiah for of in one.ahead))
        ends = (
            f"terbayar penuh sampai {words.month(self._say, last)}" if last
            else "cukup sampai akhir tahun atau akhir kontrak"
        )  # fmt: skip
        return [
            ["Tahun, kegiatan, rekening", f"{one.year} · {one.activity or '–'} · {one.account} {one.name}".strip()],
            ["Pagu", f"{funds} ({one.version} sejak {self._day(one.version_since)}"
                     + (f", {one.version_document})" if one.version_document else ")")],
            ["Realisasi sebelumnya", money.rupiah(one.opening + one.realised)],
            ["Sudah disetujui, belum dibayar", money.rupiah(one.reserved)],
            ["Sisa setelah bulan ini", money.rupiah(one.remaining)],
            *([["Masih dibayar dari pos ini", f"{ahead} (kontrak lain dan bulan yang belum disetujui)"]]
              if one.ahead else []),
            ["Perkiraan", f"{ends} (sebulan penuh {money.rupiah(one.monthly)} termasuk pajak)"],
        ]  # fmt: skip

    def _signatures(self) -> list[list[str]]:
        titles = _SIGNERS.get(self._document.village.kind, _SIGNERS["desa"])
        names = [one.name for one in self._document.steps][:2]
        names += [""] * (2 - len(names)) + [self._paper.paid_by]
        return [[f"{duty}: {title}", name, title] for duty, title, name in zip(_DUTIES, titles, names, strict=True)]

    def _signed_on(self, is_draft: bool) -> str:
        if is_draft:
            return "…………………"
        return self._say.full_day(clock.local_day(self._document.steps[-1].at_ms, self._zone))

    def _check(self, is_draft: bool) -> str:
        if is_draft:
            return "Draf: angka masih dapat berubah sampai disetujui."
        where = f"Periksa di {self._address()}. " if self._paper.check_address else ""
        return f"{where}Sidik isi (SHA-256): {content_hash(self._document)}"

    def _address(self) -> str:
        return f"{self._paper.check_address.rstrip('/')}/periksa/{content_hash(self._document)}"

    def _day(self, day: date) -> str:
        return self._say.full_day(day)

    def _moment(self, at_ms: int) -> str:
        day = clock.local_day(at_ms, self._zone)
        return f"{day.day:02}/{day.month:02}/{day.year} {self._say.time(at_ms, self._zone)}"

    def _length(self, seconds: int) -> str:
        return self._say.duration(seconds) if seconds else "0 menit"

    def _mbps(self, bps: int | None) -> str:
        return f"{self._say.short(bps / 1_000_000)} Mbps" if bps else "–"

    def _percent(self, value: Any) -> str:
        return f"{str(value).replace('.', ',')}%"

    def _share(self, classes: Classes) -> str:
        known = classes.seconds - classes.planned - classes.unknown
        return self._percent(percent(Fraction(classes.up, known))) if known else "–"

    def _coverage(self) -> str:
        traffic = self._document.measured.traffic
        share = percent(Fraction(traffic.samples, traffic.expected)) if traffic.expected else 0
        samples, expected = self._say.number(traffic.samples), self._say.number(traffic.expected)
        return f"{self._percent(share)} ({samples} dari {expected} sampel)"

    def _busiest(self) -> str:
        traffic = self._document.measured.traffic
        if not traffic.busiest_bytes:
            return "–"
        return f"{self._moment(traffic.busiest_hour_ms)}, {self._say.size(traffic.busiest_bytes)}"
