"""Devices and their firmware: which there are, which fail, which run hot, full or old."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.frame import DISTRICT, OF_DISTRICT, Board
from dashboards.grafana.kabupaten import TO_VILLAGE
from dashboards.grafana.panels import BAD, CALM, POOR, Column, Tile, lines, ranking, rows
from dashboards.grafana.sources import Prom, Query, Sql, live, named, now

_MOST: Final = 10
_AS_HEARD: Final = "Desa yang waktu itu terputus tidak ikut dihitung, juga bila kabarnya menyusul."
_ANSWER: Final = {
    "unreachable": ("tidak menjawab", BAD), "login_refused": ("menolak sandi kotak", BAD),
    "unreadable": ("jawabannya tak terbaca", POOR), "ok": ("menjawab, kabarnya lama", CALM),
}  # fmt: skip


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-perangkat", "Perangkat dan firmware",
        "Perangkat di desa: jenis, versi, yang tidak menjawab, panas, penuh, atau baru menyala ulang.",
        [_models(), _agents(), _failing(), *_worst(), _temperature(), _load()], places=("kabupaten", "kecamatan*"),
    )  # fmt: skip


def _models() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Model dan versi", "Berapa perangkat tiap model menjalankan versi mana; yang menjawab sekarang.", "short",
             span=14),
        _table(f"count by (kind, model, version) ({live('kampungnet_device_info', OF_DISTRICT)})"),
    )  # fmt: skip


def _agents() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Kotak pantau", "Berapa kotak tiap papan menjalankan versi mana.", "short", span=10),
        _table(f"count by (board, version) ({live('kampungnet_agent_info', OF_DISTRICT)})"),
    )


def _failing() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Perangkat bermasalah", "Perangkat yang tidak menjawab kotaknya, atau yang lebih dari lima menit diam.",
             "short", span=24, words=_ANSWER),
        Sql(
            f"""SELECT village_name AS "Desa", village AS "Kode", district AS "Kecamatan", device AS "Perangkat",
            kind AS "Jenis", outcome AS "Jawaban", last_ok AS "Terakhir menjawab", last_reading AS "Kabar terakhir"
            FROM devices_read WHERE {DISTRICT} AND (outcome <> 'ok' OR last_reading < now() - interval '5 minutes')
            ORDER BY last_ok DESC NULLS LAST LIMIT 500"""
        ),
        {"Desa": TO_VILLAGE, "Terakhir menjawab": Column(unit="dateTimeFromNow"),
         "Kabar terakhir": Column(unit="dateTimeFromNow")},
    )  # fmt: skip


def _worst() -> list[Builder[dashboard.Panel]]:
    of_each = f"max by (village) ({live('kampungnet_device_temperature_celsius', OF_DISTRICT)})"
    memory = f"min by (village) ({live('kampungnet_router_free_memory_bytes', OF_DISTRICT)})"
    free, flash = (live(f"kampungnet_router_{name}storage_bytes", OF_DISTRICT) for name in ("free_", ""))
    free_flash = f"min by (village) ({free} / {flash})"
    routers = f'{OF_DISTRICT}, device="router"'
    started = f"min by (village) ({live('kampungnet_device_uptime_seconds', routers)})"
    return [
        ranking(Tile("Paling panas", "Suhu tertinggi yang dilaporkan perangkat tiap desa.", "celsius",
                     steps=((None, CALM), (65, POOR), (75, BAD))),
                _newest(f"topk({_MOST}, {named(of_each, OF_DISTRICT)})")),
        ranking(Tile("Baru menyala", "Router yang paling baru menyala: sering menyala ulang berarti listriknya buruk.",
                     "dtdurations"), _newest(f"bottomk({_MOST}, {named(started, OF_DISTRICT)})")),
        ranking(Tile("Memori tersisa", "Router dengan memori tersisa paling sedikit.", "bytes"),
                _newest(f"bottomk({_MOST}, {named(memory, OF_DISTRICT)})")),
        ranking(Tile("Flash tersisa", "Flash router paling sempit: bila penuh tak dapat diperbarui.", "percentunit",
                     steps=((None, BAD), (0.05, POOR), (0.15, CALM))),
                _newest(f"bottomk({_MOST}, {named(free_flash, OF_DISTRICT)})")),
    ]  # fmt: skip


def _temperature() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Suhu", f"Suhu rata-rata dan tertinggi atas semua perangkat. {_AS_HEARD}", "celsius"),
        *_of_all("kampungnet_device_temperature_celsius"),
    )


def _load() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Beban prosesor router", f"Beban rata-rata dan tertinggi atas semua router. {_AS_HEARD}", "percentunit"),
        *_of_all("kampungnet_router_cpu_load_ratio"),
    )


def _of_all(metric: str) -> list[Query]:
    """Return mean and maximum over devices, from what Prometheus records of each kecamatan every minute."""
    total, number, most = (f"district:{metric}:{one}{{{OF_DISTRICT}}}" for one in ("sum", "count", "max"))
    return [Prom(f"sum({total}) / sum({number})", "rata-rata"), Prom(f"max({most})", "tertinggi")]


def _newest(expr: str) -> Query:
    return now(expr, "{{name}}")


def _table(expr: str) -> Query:
    return Prom(expr, is_table=True, is_instant=True)
