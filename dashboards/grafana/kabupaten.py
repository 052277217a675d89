"""The whole kabupaten: map, counts, incidents, the best and the worst villages."""

from typing import Final

from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.builders.common import FrameGeometrySource, MapLayerOptions
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.common import FrameGeometrySourceMode

from dashboards.grafana.frame import OF_REGENCY, REGENCY, Board, cell, to_board, to_console
from dashboards.grafana.panels import STATES, Column, Step, Tile, common, lines, number, rows
from dashboards.grafana.sources import Prom, Sql

TO_VILLAGE: Final = Column(
    link=to_board("kn-desa", kabupaten="${kabupaten}", kecamatan=cell("Kecamatan"), desa=cell("Kode")),
    hint="Buka papan desa",
)  # fmt: skip
ABOUT_STATES: Final = {
    "up": "Desa yang routernya menjawab dan internetnya hidup.",
    "down": "Desa yang melapor, tetapi router atau internetnya mati.",
    "silent": "Desa yang lebih dari lima menit tidak melapor: sering kali listrik padam atau jalurnya putus.",
    "never": "Desa di register yang belum pernah melapor.",
}
_COASTS: Final = {"src": "public/maps/countries.geojson", "rules": [], "style": {"opacity": 0.1, "lineWidth": 1}}
"""Outlines that Grafana itself ships: its default map would fetch tiles from the internet."""


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-kabupaten", "Kabupaten",
        "Semua desa di satu kabupaten: mana yang terhubung, gangguan bersama, desa terbaik dan terburuk.",
        [*counts(REGENCY), _map(), _over_time(), _incidents(), _worst(), _best(), _traffic()], places=("kabupaten",),
    )  # fmt: skip


def counts(where: str) -> list[Builder[dashboard.Panel]]:
    """Return one number for each state: how many of the chosen villages are in it now."""
    return [
        number(
            Tile(word, ABOUT_STATES[state], "short", span=6, height=4, steps=((None, colour),)),
            Sql(f"SELECT count(*) AS jumlah FROM villages_read WHERE {where} AND status = '{state}'"),
        )
        for state, word, colour in STATES
    ]


def outages_of(where: str, order: str, most: int) -> Sql:
    """Return villages by the time they were without service within the chosen time."""
    return Sql(
        f"""SELECT v.village_name AS "Desa", v.village AS "Kode", v.district AS "Kecamatan",
        count(o.started) AS "Gangguan", coalesce(sum(extract(epoch FROM
          least(coalesce(o.ended, now()), $__timeTo()::timestamptz) - greatest(o.started, $__timeFrom()::timestamptz)
        )), 0)::bigint AS "Lama"
        FROM (SELECT * FROM villages_read WHERE {where} AND status <> 'never') v
        LEFT JOIN outages_read o ON o.regency = v.regency AND o.village = v.village
          AND o.started < $__timeTo()::timestamptz AND coalesce(o.ended, now()) > $__timeFrom()::timestamptz
        GROUP BY 1, 2, 3 ORDER BY "Lama" {order}, 1 LIMIT {most}"""
    )


def traffic_of(where: str, extra: str = "") -> Sql:
    """Return what the lines to the provider carried each hour, as bits a second, from the database.

    Summed up before hours become instants (PostgreSQL would turn that round if it were let): of 401 villages and
    30 days that is done 720 times, not 289,000 times.
    Grafana's macros end at the first closing bracket, so they get a plain column.
    """
    return Sql(
        f"""WITH sums AS MATERIALIZED (
          SELECT t.day, t.hour, p.time_zone, sum(t.rx_bytes) AS rx_bytes, sum(t.tx_bytes) AS tx_bytes
          FROM traffic_hours_read t JOIN sites_read p ON p.regency = t.regency AND p.site = t.site
          WHERE t.{REGENCY} AND {where} AND t.day BETWEEN $__timeFrom()::date - 1 AND $__timeTo()::date + 1
          GROUP BY t.day, t.hour, p.time_zone)
        SELECT time, sum(rx_bytes) * 8 / 3600.0 AS "Unduh", sum(tx_bytes) * 8 / 3600.0 AS "Unggah"{extra}
        FROM (SELECT (day + make_interval(hours => hour)) AT TIME ZONE time_zone AS time, rx_bytes, tx_bytes
          FROM sums) hours
        WHERE $__timeFilter(time) GROUP BY 1 ORDER BY 1""",
        is_series=True,
    )


def _map() -> geomap.Panel:
    steps: tuple[Step, ...] = tuple(
        (None if place == 0 else place, colour) for place, (_, _, colour) in enumerate(STATES)
    )
    words = {str(place): (word, colour) for place, (_, word, colour) in enumerate(STATES)}
    cases = " ".join(f"WHEN '{state}' THEN {place}" for place, (state, _, _) in enumerate(STATES))
    tile = Tile(
        "Peta desa", "Tiap titik satu desa menurut koordinat di register; warnanya keadaan sekarang.",
        span=14, height=14, steps=steps, words=words,
    )  # fmt: skip
    query = Sql(
        f"""SELECT latitude, longitude, village_name AS "Desa", district_name AS "Kecamatan",
        CASE status {cases} END AS "Keadaan", last_reading AS "Kabar terakhir"
        FROM villages_read WHERE {REGENCY} AND latitude IS NOT NULL ORDER BY status = 'never' DESC, status"""
    )
    places = FrameGeometrySource().mode(FrameGeometrySourceMode.COORDS).latitude("latitude").longitude("longitude")
    dots = {
        "showLegend": True,
        "style": {"color": {"field": "Keadaan", "fixed": "gray"}, "opacity": 0.8, "size": {"fixed": 6},
                  "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"}},
    }  # fmt: skip
    return (
        common(geomap.Panel(), tile, [query])
        .basemap(MapLayerOptions().type("geojson").name("Garis pantai").config(_COASTS))
        .layers([MapLayerOptions().type("markers").name("Desa").config(dots).location(places).tooltip(True)])
        .view(geomap.MapViewConfig().id("fit").all_layers(False).layer("Desa").zoom(12).padding(5))
        .controls(geomap.ControlsOptions().show_zoom(True).show_attribution(False).mouse_wheel_zoom(True))
    )


def _over_time() -> Builder[dashboard.Panel]:
    are_up, heard, installed = (
        f"sum(district:kampungnet_village_{one}{{{OF_REGENCY}}})" for one in ("up:sum", "up:count", "installed:count")
    )
    up, down, silent, _ = (word.lower() for _, word, _ in STATES)
    return lines(
        Tile("Keadaan desa dari waktu ke waktu", "Berapa desa terhubung, terganggu, dan tanpa kabar.",
             "short", span=10, height=14),
        Prom(are_up, up), Prom(f"{heard} - {are_up}", down), Prom(f"{installed} - {heard}", silent),
    )  # fmt: skip


def _incidents() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Gangguan", "Gangguan yang berlangsung, lalu yang terbaru dalam waktu yang dipilih: sebab menurut "
             "server; putusan petugas ada di halamannya.", "short", span=24, height=9),
        Sql(
            f"""SELECT incident AS "Nomor", started AS "Mulai", ended AS "Pulih", minutes * 60 AS "Lama",
            cause AS "Sebab", place AS "Tempat", outages AS "Desa" FROM incidents_read
            WHERE {REGENCY} AND (ended IS NULL OR $__timeFilter(started))
            ORDER BY ended IS NOT NULL, started DESC LIMIT 100"""
        ),
        {"Nomor": Column(link=to_console("/gangguan/" + cell("Nomor")), hint="Buka gangguan ini"),
         "Lama": Column(unit="dtdhms")},
    )  # fmt: skip


def _worst() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Sepuluh desa terburuk", "Desa yang paling lama tanpa layanan dalam waktu yang dipilih.", "short"),
        outages_of(REGENCY, "DESC", 10), {"Desa": TO_VILLAGE, "Lama": Column(unit="dtdhms")},
    )  # fmt: skip


def _best() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Sepuluh desa terbaik", "Desa yang paling sedikit tanpa layanan dalam waktu yang dipilih.", "short"),
        outages_of(REGENCY, "ASC", 10), {"Desa": TO_VILLAGE, "Lama": Column(unit="dtdhms")},
    )  # fmt: skip


def _traffic() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Lalu lintas semua desa", "Rata-rata per jam di jalur ke penyedia, dijumlahkan; dari pembukuan server.",
             "bps", span=24),
        traffic_of("true"),
    )  # fmt: skip
