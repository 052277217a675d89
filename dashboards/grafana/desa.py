"""One village: router, light in the fibre, latency, traffic against the contract, people online, outages."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.frame import OF_VILLAGE, VILLAGE, Board, cell, to_console
from dashboards.grafana.kabupaten import traffic_of
from dashboards.grafana.panels import BAD, CALM, GOOD, POOR, Column, Step, Tile, lines, number, rows, state_words
from dashboards.grafana.sources import POSTGRESQL, Prom, Ready, Sql, SqlQuery, live, now, rate

LIGHT: Final[tuple[Step, ...]] = ((None, BAD), (-27, POOR), (-25, GOOD))
"""Of a class B+ receiver, as the server judges it (kampungnet/measurement/light.py)."""
TRAFFIC_WHERE: Final = "p.village = ${desa:sqlstring}"
TO_STATEMENT: Final = Column(
    link=to_console(f"/laporan/{cell('Kontrak')}/{cell('Bulan')}"), hint="Buka laporan bulan ini"
)
_CONTRACTED: Final = """, (SELECT max(c.down_kbps) * 1000.0 FROM contracts_read c
  WHERE c.regency = ${kabupaten:sqlstring} AND c.village = ${desa:sqlstring} AND c.down_kbps > 0) AS "Kontrak" """


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-desa", "Desa",
        "Satu desa: router, cahaya serat optik, latensi, lalu lintas terhadap kontrak, orang terhubung, gangguan.",
        [*_now(), _contract(), _interfaces(), _light(), _latency(), _people(), _router(), _outages(), _statements()],
        places=("kabupaten", "kecamatan", "desa"), notes=[_marked_outages()],
    )  # fmt: skip


def _now() -> list[Builder[dashboard.Panel]]:
    of_village = f"FROM villages_read WHERE {VILLAGE}"
    light = live("kampungnet_ont_rx_power_dbm", OF_VILLAGE)
    return [
        number(Tile("Keadaan", "Keadaan desa sekarang seperti di halaman server.", "string", 5, 4, words=state_words()),
               Sql(f"SELECT status {of_village}")),
        number(Tile("Kabar terakhir", "Kapan bacaan terbaru diambil.", "dateTimeFromNow", 5, 4),
               Sql(f"SELECT (extract(epoch FROM last_reading) * 1000)::bigint AS kabar {of_village}")),
        number(Tile("Cahaya diterima", "Cahaya serat optik terakhir; di bawah -25 dBm lemah, di bawah -27 dBm di luar "
                    "kemampuan penerima B+.", "dBm", 5, 4, LIGHT), Prom(f"max({light})")),
        number(Tile("Cahaya 30 hari lagi", "Garis lurus dari tujuh hari terakhir, diteruskan 30 hari. Ramalan kasar: "
                    "halaman desa menghitungnya lebih hati-hati.", "dBm", 5, 4, LIGHT),
               now("max(max without (job, instance) (predict_linear("
                    f"kampungnet_ont_rx_power_dbm{{{OF_VILLAGE}}}[7d], 30 * 86400)))")),
        number(Tile("Orang terhubung", "Perangkat yang masuk di portal wifi sekarang.", "short", 4, 4),
               now(f"sum({live('kampungnet_hotspot_sessions', OF_VILLAGE)})")),
    ]  # fmt: skip


def _contract() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Lalu lintas terhadap kontrak", "Rata-rata per jam di jalur ke penyedia, dan kecepatan unduh menurut "
             "kontrak; dari pembukuan server.", "bps", span=24),
        traffic_of(TRAFFIC_WHERE, _CONTRACTED),
    )  # fmt: skip


def _interfaces() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Lalu lintas per antarmuka", "Yang mengalir sekarang di tiap antarmuka perangkat desa.", "bps"),
        Prom(f"8 * {rate('kampungnet_interface_receive_bytes_total', OF_VILLAGE)}", "{{device}} {{interface}} terima"),
        Prom(f"8 * {rate('kampungnet_interface_transmit_bytes_total', OF_VILLAGE)}", "{{device}} {{interface}} kirim"),
    )  # fmt: skip


def _light() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Cahaya serat optik", "Cahaya yang diterima, dan rata-rata sehari yang menunjukkan arahnya. Garis: batas "
             "lemah dan batas kemampuan penerima B+.", "dBm", steps=LIGHT),
        Prom(live("kampungnet_ont_rx_power_dbm", OF_VILLAGE), "{{device}}"),
        Prom(f"max without (job, instance) (avg_over_time(kampungnet_ont_rx_power_dbm{{{OF_VILLAGE}}}[1d]))",
             "{{device}} rata-rata sehari"),
    )  # fmt: skip


def _latency() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Latensi", "Waktu pulang-pergi ping dari router: ke gerbang penyedia dan ke internet.", "s"),
        Prom(live("kampungnet_ping_rtt_seconds", OF_VILLAGE), "{{device}} ke {{target}}"),
    )  # fmt: skip


def _people() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Orang di wifi", "Perangkat yang masuk di portal, yang terlihat di portal, dan yang tersambung ke radio.",
             "short"),
        Prom(f"sum({live('kampungnet_hotspot_sessions', OF_VILLAGE)})", "masuk di portal"),
        Prom(f"sum({live('kampungnet_hotspot_hosts', OF_VILLAGE)})", "terlihat di portal"),
        Prom(f"sum({live('kampungnet_wireless_clients', OF_VILLAGE)})", "di radio"),
    )  # fmt: skip


def _router() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Beban router", "Bagian prosesor yang terpakai.", "percentunit", steps=((None, CALM), (0.9, BAD))),
        Prom(live("kampungnet_router_cpu_load_ratio", OF_VILLAGE), "{{device}}"),
    )


def _outages() -> Builder[dashboard.Panel]:
    return rows(
        Tile(
            "Gangguan desa ini",
            "Kapan desa tanpa layanan dalam waktu yang dipilih, dan sebabnya menurut server.",
            "short",
        ),
        Sql(
            f"""SELECT started AS "Mulai", ended AS "Pulih", minutes * 60 AS "Lama", cause AS "Sebab",
            provisional AS "Sementara" FROM outages_read
            WHERE {VILLAGE} AND (ended IS NULL OR $__timeFilter(started)) ORDER BY started DESC LIMIT 200"""
        ),
        {"Lama": Column(unit="dtdhms", link=to_console("/desa/${desa}"), hint="Buka halaman desa")},
    )


def _statements() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Laporan bulanan", "Laporan yang sudah disetujui: angka di dalamnya tidak berubah lagi.", "short"),
        Sql(
            f"""SELECT to_char(month, 'YYYY-MM') AS "Bulan", contract AS "Kontrak", state AS "Tahap",
            availability AS "Ketersediaan", total_rupiah AS "Jumlah"
            FROM statements_read WHERE {VILLAGE} ORDER BY month DESC LIMIT 24"""
        ),
        {"Ketersediaan": Column(unit="percentunit"), "Jumlah": Column(unit="currencyIDR"), "Bulan": TO_STATEMENT},
    )  # fmt: skip


def _marked_outages() -> AnnotationQuery:
    sql = (
        "SELECT started AS time, coalesce(ended, now()) AS timeend, 'Gangguan: ' || cause AS text, cause AS tags"
        f" FROM outages_read WHERE {VILLAGE} AND started <= $__timeTo()::timestamptz"
        " AND coalesce(ended, now()) >= $__timeFrom()::timestamptz"
    )
    query = SqlQuery("Gangguan", sql, is_series=False)
    return AnnotationQuery().name("Gangguan").datasource(POSTGRESQL).enable(True).icon_color(BAD).target(Ready(query))
