"""Budget and statements: closed figures only, from the database. A draft is nobody's business yet."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.desa import TO_STATEMENT
from dashboards.grafana.frame import DISTRICT, REGENCY, ZONE_HERE, Board, to_console
from dashboards.grafana.kabupaten import TO_VILLAGE
from dashboards.grafana.panels import BAD, CALM, GOOD, POOR, Column, Tile, bars, lines, number, ranking, rows
from dashboards.grafana.sources import Sql

_LINES: Final = (
    f"FROM budget_lines_read WHERE {REGENCY} AND left(unit, 8) IN (${{kecamatan:sqlstring}})"
    " AND year::text = ${tahun:sqlstring}"
)
_STATEMENTS: Final = f"FROM statements_read WHERE {DISTRICT} AND extract(year FROM month)::text = ${{tahun:sqlstring}}"
_MONTH: Final = f"month::timestamp AT TIME ZONE '{ZONE_HERE}'"
_RUPIAH: Final = "currencyIDR"
_STATES: Final = {"approved": ("disetujui", POOR), "paid": ("dibayar", GOOD)}


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-anggaran", "Anggaran dan laporan",
        "Pagu, yang dibayar, dan laporan bulanan yang sudah disetujui: hanya angka yang tidak berubah lagi.",
        [*_sums(), _by_unit(), _statements(), _paid(), _availability(), _full()],
        places=("kabupaten", "kecamatan*", "tahun"), since="now-1y",
    )  # fmt: skip


def _sums() -> list[Builder[dashboard.Panel]]:
    asked = (
        ("Pagu", "Anggaran internet menurut versi yang berlaku sekarang.", "pagu_rupiah", CALM),
        ("Dibayar", "Laporan yang sudah dibayar, dan yang dibelanjakan sebelum KampungNet dipakai.",
         "paid_rupiah + opening_rupiah", GOOD),
        ("Disetujui, belum dibayar", "Laporan yang sudah disetujui dan menunggu pembayaran.", "approved_rupiah", POOR),
        ("Sisa pagu", "Pagu dikurangi yang dibayar dan yang disetujui.", "remaining_rupiah", CALM),
    )  # fmt: skip
    return [
        number(Tile(title, about, _RUPIAH, 6, 4, ((None, colour),)), Sql(f"SELECT sum({what}) AS rupiah {_LINES}"))
        for title, about, what, colour in asked
    ]


def _by_unit() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Pagu per unit", "Tiap baris anggaran: pagu, yang dibayar, dan sisanya. Merah: kurang dari sepersepuluh.",
             _RUPIAH, span=24),
        Sql(
            f"""SELECT unit AS "Unit", name AS "Uraian", activity AS "Kegiatan", account AS "Rekening",
            version AS "Versi", pagu_rupiah AS "Pagu", paid_rupiah + opening_rupiah AS "Dibayar",
            approved_rupiah AS "Disetujui",
            remaining_rupiah AS "Sisa", remaining_rupiah * 1.0 / nullif(pagu_rupiah, 0) AS "Bagian sisa"
            {_LINES} ORDER BY "Bagian sisa" LIMIT 500"""
        ),
        {"Unit": Column(link=to_console("/anggaran"), hint="Buka halaman anggaran"),
         "Bagian sisa": Column(unit="percentunit", steps=((None, BAD), (0.1, CALM)))},
    )  # fmt: skip


def _statements() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Laporan bulanan", "Laporan yang disetujui atau dibayar. Klik bulannya untuk membuka laporannya.", "short",
             span=24, height=10, words=_STATES),
        Sql(
            f"""SELECT to_char(month, 'YYYY-MM') AS "Bulan", village_name AS "Desa", village AS "Kode",
            district AS "Kecamatan", contract AS "Kontrak", provider AS "Penyedia", state AS "Tahap",
            availability AS "Ketersediaan", judged AS "Dapat dinilai", total_rupiah AS "Jumlah"
            {_STATEMENTS} ORDER BY month DESC, 2 LIMIT 1000"""
        ),
        {"Bulan": TO_STATEMENT, "Desa": TO_VILLAGE, "Ketersediaan": Column(unit="percentunit"),
         "Jumlah": Column(unit=_RUPIAH), "Dapat dinilai": Column(unit="bool_yes_no")},
    )  # fmt: skip


def _paid() -> Builder[dashboard.Panel]:
    return bars(
        Tile("Biaya per bulan", "Jumlah laporan yang sudah disetujui atau dibayar, menurut bulan layanannya.", _RUPIAH),
        Sql(
            f"""SELECT {_MONTH} AS time, sum(total_rupiah) FILTER (WHERE state = 'paid') AS "Dibayar",
            sum(total_rupiah) FILTER (WHERE state = 'approved') AS "Disetujui" {_STATEMENTS} GROUP BY 1 ORDER BY 1""",
            is_series=True,
        ),
    )


def _availability() -> Builder[dashboard.Panel]:
    return lines(
        Tile(
            "Ketersediaan per bulan",
            "Rata-rata dan yang terburuk, dari laporan yang dapat dinilai saja.",
            "percentunit",
        ),
        Sql(
            f"""SELECT {_MONTH} AS time, avg(availability) AS "Rata-rata", min(availability) AS "Terburuk"
            {_STATEMENTS} AND judged GROUP BY 1 ORDER BY 1""",
            is_series=True,
        ),
    )


def _full() -> Builder[dashboard.Panel]:
    return ranking(
        Tile("Jalur menurut kontrak", "Persentil ke-95 unduhan terhadap kecepatan kontrak, bulan tertutup terakhir: "
             "mendekati 100% sempit, jauh di bawahnya terlalu besar.", "percentunit", span=24,
             steps=((None, CALM), (0.8, POOR), (0.95, BAD))),
        Sql(
            f"""SELECT DISTINCT ON (contract) village_name AS "Desa",
            rx_p95_bps / nullif(contracted_kbps * 1000.0, 0) AS "Terpakai"
            {_STATEMENTS} AND contracted_kbps > 0 AND rx_p95_bps IS NOT NULL ORDER BY contract, month DESC LIMIT 50"""
        ),
    )  # fmt: skip
