"""Pure: the fields of the form of a contract: in which order they stand, and what they and their words are called."""

from collections.abc import Mapping
from typing import Final

from kampungnet.core.languages import N_

YES_NO: Final[Mapping[str, str]] = {"ya": N_("yes"), "tidak": N_("no")}
_TREATED: Final = {"dikeluarkan": N_("is left out"), "hidup": N_("counts as service"), "mati": N_("counts as lost")}
GROUPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (N_("Contract"), ("kode", "lokasi", "penyedia", "npwp", "nomor_kontrak", "mulai", "selesai", "aktif_sejak")),
    (N_("What was bought"), ("jenis", "unduh_mbps", "unggah_mbps", "komitmen_mbps", "kuota_gb")),
    (N_("Price and tax"), (
        "harga", "harga_untuk", "harga_termasuk_ppn", "ppn", "ppn_dipungut", "pph23", "tanggal_pajak", "pembulatan",
        "prorata", "lebih_per_mbps", "lebih_per_gb", "lebih_dihitung", "pembayar", "pembayaran",
    )),
    (N_("Service credit"), ("sla_persen", "restitusi", "restitusi_bila", "restitusi_urutan", "sebab_dikecualikan")),
    (N_("Planned and unknown time"), (
        "terencana", "terencana_bila_mati", "terencana_susulan", "tidak_diketahui", "cakupan_persen",
        "bila_tidak_dinilai", "celah",
    )),
    (N_("From which money"), ("tahun_anggaran", "kegiatan", "rekening")),
)  # fmt: skip
ADDENDUM: Final = ((N_("Addendum"), ("berlaku_sejak", "dokumen")),)
LABELS: Final[Mapping[str, str]] = {
    "kode": N_("Code of the village, kelurahan or kecamatan"), "lokasi": N_("Village in which a kecamatan's office is"),
    "penyedia": N_("Provider"), "npwp": N_("NPWP of the provider"), "nomor_kontrak": N_("Number of the contract"),
    "mulai": N_("Begins (31/07/2026)"), "selesai": N_("Ends (empty: open)"), "aktif_sejak": N_("Service since"),
    "jenis": N_("Kind"), "unduh_mbps": N_("Mbps down"), "unggah_mbps": N_("Mbps up"),
    "komitmen_mbps": N_("Committed Mbps (95th percentile)"), "kuota_gb": N_("GB a month (quota)"),
    "harga": N_("Price (Rp)"), "harga_untuk": N_("The price is for"), "harga_termasuk_ppn": N_("PPN is in the price"),
    "ppn": N_("PPN"), "ppn_dipungut": N_("The office collects PPN itself"), "pph23": N_("PPh 23 is withheld"),
    "tanggal_pajak": N_("Tax rates of"), "pembulatan": N_("Total rounded down to (Rp)"),
    "prorata": N_("Part of a month"), "lebih_per_mbps": N_("Each Mbps more (Rp)"),
    "lebih_per_gb": N_("Each GB more (Rp)"), "lebih_dihitung": N_("What is more counts"), "pembayar": N_("Payer"),
    "pembayaran": N_("Paid every"), "sla_persen": N_("SLA in per cent"),
    "restitusi": N_("Formula of the service credit"),
    "restitusi_bila": N_("Credit is due"), "restitusi_urutan": N_("Credit is taken off"),
    "sebab_dikecualikan": N_("Causes the provider is excused for (listrik, orang)"), "terencana": N_("Planned work"),
    "terencana_bila_mati": N_("Planned only where service was down"),
    "terencana_susulan": N_("Work entered afterwards counts as planned"),
    "tidak_diketahui": N_("Time that nobody saw"), "cakupan_persen": N_("Judged from so many per cent measured"),
    "bila_tidak_dinilai": N_("If it cannot be judged, due is"), "celah": N_("Slots not seen, for the percentile"),
    "tahun_anggaran": N_("Budget year"), "kegiatan": N_("Kegiatan (2.6.03)"), "rekening": N_("Rekening (5.2.5.05)"),
    "berlaku_sejak": N_("Holds from"), "dokumen": N_("Number of the addendum"),
}  # fmt: skip
OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "jenis": {
        "tetap": N_("Monthly price, no promised rate"), "dedicated": N_("Dedicated"), "up_to": N_("Up to"),
        "kuota": N_("Quota"), "p95": N_("95th percentile"),
    },
    "harga_untuk": {"bulan": N_("a month"), "kontrak": N_("the whole contract")},
    **dict.fromkeys(
        ("harga_termasuk_ppn", "ppn", "ppn_dipungut", "pph23", "terencana_bila_mati", "terencana_susulan"), YES_NO
    ),
    "tanggal_pajak": {
        "hari_terakhir": N_("the last day of service"), "hari_pertama": N_("the first day of service"),
    },
    "prorata": {
        "actual": N_("days served by days of the month"), "actual_30": N_("days served by 30"), "30_360": N_("30/360"),
    },
    "lebih_dihitung": {"tepat": N_("exactly"), "mulai": N_("by each unit begun")},
    "pembayar": {"desa": N_("desa"), "kabupaten": N_("kabupaten")},
    "pembayaran": {"bulan": N_("month"), "triwulan": N_("quarter")},
    "restitusi": {
        "tidak": N_("none"), "r1": N_("R1: price × all outage / month, once the SLA is missed"),
        "r2": N_("R2: price × (outage - tolerance) / month"), "r3": N_("R3: price × (SLA - actual)"),
        "r3b": N_("R3b: price × (SLA - actual) / SLA"), "r4": N_("R4: price × outage / (hours × SLA)"),
        "r5": N_("R5: 2 × daily price × days begun"),
    },
    "restitusi_bila": {
        "baku": N_("as usual for the formula"), "meleset": N_("when the SLA is missed"), "selalu": N_("always"),
    },
    "restitusi_urutan": {"sebelum_pajak": N_("before tax"), "sesudah_pajak": N_("after tax")},
    "terencana": _TREATED, "tidak_diketahui": _TREATED,
    "bila_tidak_dinilai": {
        "penuh": N_("the full price"), "terukur": N_("as far as measured"), "ditahan": N_("nothing until cleared up"),
    },
    "celah": {"abaikan": N_("are left out"), "nol": N_("count as zero"), "tolak": N_("too many: no percentile")},
}  # fmt: skip
