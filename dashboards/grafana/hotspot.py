"""Free wifi: who is online now, and how it was used day by day."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.frame import DISTRICT, OF_BUSIEST, OF_DISTRICT, ZONE_HERE, Board, to_console
from dashboards.grafana.kabupaten import TO_VILLAGE
from dashboards.grafana.panels import BAD, GOOD, Column, Tile, bars, lines, number, rows
from dashboards.grafana.sources import Prom, Sql, live, named, now

_FEW = "Hari dengan kurang dari lima orang di sebuah desa tidak dihitung: supaya tidak seorang pun dikenali."
_DAYS = f"FROM hotspot_days_read WHERE {DISTRICT} AND day BETWEEN $__timeFrom()::date AND $__timeTo()::date"
_DAY = f"day::timestamp AT TIME ZONE '{ZONE_HERE}'"


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-hotspot", "Wifi gratis", "Pemakaian wifi gratis di desa: orang terhubung sekarang, orang dan jam per hari.",
        [*_now(), _online(), _people(), _ways(), _bytes(), _villages()], places=("kabupaten", "kecamatan*", ".ramai*"),
        since="now-30d",
    )  # fmt: skip


def _now() -> list[Builder[dashboard.Panel]]:
    sessions = live("kampungnet_hotspot_sessions", OF_DISTRICT)
    usable = live("kampungnet_hotspot_usable", OF_DISTRICT)
    return [
        number(Tile("Terhubung sekarang", "Perangkat yang masuk di portal saat ini.", "short", 6, 4),
               now(f"sum({sessions})")),
        number(Tile("Terlihat portal", "Perangkat di wifi, yang sudah masuk maupun belum.", "short", 6, 4),
               now(f"sum({live('kampungnet_hotspot_hosts', OF_DISTRICT)})")),
        number(Tile("Portal tidak dapat dipakai", "Portal yang menurut pemeriksaan kotaknya tertutup bagi warga.",
                    "short", 6, 4, ((None, GOOD), (1, BAD))), now(f"sum(1 - {usable})")),
        number(Tile("Jam terhubung", f"Jumlah jam terhubung dalam waktu yang dipilih. {_FEW}", "h", 6, 4),
               Sql(f"SELECT sum(seconds) / 3600.0 AS jam {_DAYS}")),
    ]  # fmt: skip


def _online() -> Builder[dashboard.Panel]:
    sessions = f"sum by (village) ({live('kampungnet_hotspot_sessions', OF_BUSIEST)})"
    return lines(
        Tile(
            "Desa paling ramai",
            "Orang terhubung di dua puluh desa yang wifinya paling lama dipakai dalam waktu yang dipilih.",
            "short",
            span=24,
        ),
        Prom(named(sessions, OF_BUSIEST), "{{name}}"),
    )


def _people() -> Builder[dashboard.Panel]:
    return bars(
        Tile("Orang per hari", f"Perangkat berbeda per hari, sejauh nama samarannya dapat membedakan. {_FEW}", "short"),
        Sql(f'SELECT {_DAY} AS time, sum(people) AS "Orang" {_DAYS} GROUP BY 1 ORDER BY 1', is_series=True),
    )


def _ways() -> Builder[dashboard.Panel]:
    return bars(
        Tile("Cara masuk", f"Kunjungan menurut cara masuk: satu klik, voucher, atau akun. {_FEW}", "short"),
        Sql(
            f"""SELECT {_DAY} AS time, sum(clicks) AS "Klik", sum(vouchers) AS "Voucher", sum(accounts) AS "Akun"
            {_DAYS} GROUP BY 1 ORDER BY 1""",
            is_series=True,
        ),
    )


def _bytes() -> Builder[dashboard.Panel]:
    return bars(
        Tile("Data per hari", f"Data yang diunduh dan diunggah pengunjung per hari. {_FEW}", "decbytes", span=24),
        Sql(
            f"""SELECT {_DAY} AS time, sum(down_bytes) AS "Unduh", sum(up_bytes) AS "Unggah" {_DAYS}
            GROUP BY 1 ORDER BY 1""",
            is_series=True,
        ),
    )


def _villages() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Pemakaian per desa", f"Jumlah dalam waktu yang dipilih; bagian di luar jam kantor. {_FEW}", "short",
             span=24, height=10),
        Sql(
            f"""SELECT village_name AS "Desa", village AS "Kode", district AS "Kecamatan", count(people) AS "Hari",
            round(avg(people)) AS "Orang sehari", sum(sessions) AS "Kunjungan", sum(seconds) AS "Lama",
            1 - sum(office_seconds) * 1.0 / nullif(sum(seconds), 0) AS "Di luar jam", sum(down_bytes) AS "Unduh",
            'Buka' AS "Meja" {_DAYS} GROUP BY 1, 2, 3 ORDER BY "Kunjungan" DESC NULLS LAST LIMIT 300"""
        ),
        {"Desa": TO_VILLAGE, "Lama": Column(unit="dtdhms"), "Di luar jam": Column(unit="percentunit"),
         "Unduh": Column(unit="decbytes"),
         "Meja": Column(link=to_console("/desa/${__data.fields.Kode}/wifi"), hint="Meja wifi desa ini")},
    )  # fmt: skip
