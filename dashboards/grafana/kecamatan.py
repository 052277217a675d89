"""One kecamatan: its villages one by one, why they were without service, who is online, what passed."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.frame import DISTRICT, OF_BUSIEST, OF_DIMMEST, Board
from dashboards.grafana.kabupaten import TO_VILLAGE, counts, outages_of, traffic_of
from dashboards.grafana.panels import Column, Tile, lines, ranking, rows, state_words
from dashboards.grafana.sources import Prom, Sql, live, named


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-kecamatan", "Kecamatan", "Desa-desa di satu kecamatan atau beberapa: keadaan, gangguan, orang terhubung.",
        [*counts(DISTRICT), _villages(), _outages(), _causes(), _people(), _light(), _traffic()],
        places=("kabupaten", "kecamatan*", ".ramai*", ".redup*"),
    )  # fmt: skip


def _villages() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Desa", "Keadaan tiap desa sekarang; yang bermasalah di atas. Klik nama desa untuk papannya.", "short",
             span=24, height=10, words=state_words()),
        Sql(
            f"""SELECT village_name AS "Desa", village AS "Kode", district AS "Kecamatan", status AS "Keadaan",
            last_reading AS "Kabar terakhir", rx_power_dbm AS "Cahaya", hotspot_sessions AS "Orang"
            FROM villages_read WHERE {DISTRICT}
            ORDER BY CASE status WHEN 'down' THEN 0 WHEN 'silent' THEN 1 WHEN 'up' THEN 2 ELSE 3 END, 1"""
        ),
        {"Desa": TO_VILLAGE, "Cahaya": Column(unit="dBm"), "Kabar terakhir": Column(unit="dateTimeFromNow")},
    )  # fmt: skip


def _outages() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Lama tanpa layanan", "Berapa kali dan berapa lama tiap desa tanpa layanan waktu itu.", "short"),
        outages_of(DISTRICT, "DESC", 100), {"Desa": TO_VILLAGE, "Lama": Column(unit="dtdhms")},
    )  # fmt: skip


def _causes() -> Builder[dashboard.Panel]:
    return ranking(
        Tile("Sebab gangguan", "Lama tanpa layanan menurut sebabnya, atas semua desa, dalam waktu yang dipilih.",
             "dtdhms"),
        Sql(
            f"""SELECT cause AS "Sebab", sum(minutes) * 60 AS "Lama" FROM outages_read
            WHERE {DISTRICT} AND (ended IS NULL OR $__timeFilter(started)) GROUP BY 1 ORDER BY 2 DESC"""
        ),
    )  # fmt: skip


def _people() -> Builder[dashboard.Panel]:
    online = f"sum by (village) ({live('kampungnet_hotspot_sessions', OF_BUSIEST)})"
    return lines(
        Tile(
            "Orang terhubung per desa",
            "Perangkat yang masuk di portal wifi tiap desa; dari kecamatan yang dipilih dua "
            "puluh desa yang wifinya paling lama dipakai dalam waktu yang dipilih.",
            "short",
        ),
        Prom(named(online, OF_BUSIEST), "{{name}}"),
    )


def _light() -> Builder[dashboard.Panel]:
    weakest = f"min by (village) ({live('kampungnet_ont_rx_power_dbm', OF_DIMMEST)})"
    return lines(
        Tile("Sepuluh cahaya terlemah", "Sepuluh desa yang cahaya serat optiknya sekarang paling lemah.", "dBm"),
        Prom(named(weakest, OF_DIMMEST), "{{name}}"),
    )


def _traffic() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Lalu lintas kecamatan", "Rata-rata per jam di jalur ke penyedia, dijumlahkan; dari pembukuan server.",
             "bps", span=24),
        traffic_of("p.district IN (${kecamatan:sqlstring})"),
    )  # fmt: skip
