"""KampungNet's own health: does it receive, are boxes heard, do clocks and spools hold."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.frame import Board
from dashboards.grafana.panels import BAD, CALM, POOR, Column, Tile, lines, number, ranking, rows
from dashboards.grafana.sources import Prom, live, named, now

_HEARD: Final = live("kampungnet_agent_last_report_timestamp_seconds", "")
_WAITING: Final = live("kampungnet_agent_spool_oldest_timestamp_seconds", "")
_CLOCK: Final = live("kampungnet_agent_clock_offset_seconds", "")


def board() -> Board:
    """Return the board."""
    return Board(
        "kn-kesehatan", "Kesehatan KampungNet",
        "Server dan kotak pantau sendiri: laporan yang masuk, kotak yang diam, antrean di kotak, jam yang salah.",
        [*_now(), _readings(), _reports(), _duration(), _certificate(), *_spools(), *_clocks(), _silent(), _losses()],
    )  # fmt: skip


def _now() -> list[Builder[dashboard.Panel]]:
    return [
        number(Tile("Kotak didengar", "Kotak yang melapor dalam lima menit terakhir.", "short", 6, 4),
               now(f"count(time() - {_HEARD} < 300)")),
        number(Tile("Kotak terdaftar", "Semua kotak yang pernah melapor dan haknya belum dicabut.", "short", 6, 4),
               now(f"count({_HEARD})")),
        number(Tile("Bacaan menunggu", "Bacaan yang masih di spool kotak menurut laporan terakhirnya.", "short", 6, 4),
               now(f"sum({live('kampungnet_agent_spool_readings', '')})")),
        number(Tile("Selisih jam terbesar", "Jam kotak yang paling jauh dari jam server.", "s", 6, 4,
                    ((None, CALM), (5, POOR), (60, BAD))), now(f"max(abs({_CLOCK}))")),
    ]  # fmt: skip


def _readings() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Bacaan masuk", "Bacaan per menit menurut hasilnya: diterima, sudah dikenal, atau ditolak.", "cpm"),
        Prom("60 * sum by (result) (rate(kampungnet_ingest_readings_total[$__rate_interval]))", "{{result}}"),
    )


def _reports() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Laporan masuk", "Laporan kotak per menit menurut hasilnya.", "cpm"),
        Prom("60 * sum by (result) (rate(kampungnet_ingest_reports_total[$__rate_interval]))", "{{result}}"),
    )


def _duration() -> Builder[dashboard.Panel]:
    buckets = "sum by (le) (rate(kampungnet_ingest_duration_seconds_bucket[$__rate_interval]))"
    return lines(
        Tile("Lama menerima laporan", "Dari laporan yang utuh sampai tanda terimanya, penyimpanan termasuk.", "s", 16),
        Prom(f"histogram_quantile(0.5, {buckets})", "separuh laporan"),
        Prom(f"histogram_quantile(0.95, {buckets})", "95% laporan"),
    )


def _certificate() -> Builder[dashboard.Panel]:
    return number(
        Tile("Sertifikat berakhir", "Kapan sertifikat server berakhir, bila KAMPUNGNET_CERTIFICATE menyebutnya.",
             "dateTimeFromNow", 8),
        now("1000 * min(kampungnet_certificate_end_timestamp_seconds)"),
    )  # fmt: skip


def _spools() -> list[Builder[dashboard.Panel]]:
    return [
        lines(
            Tile(
                "Antrean tertua", "Umur bacaan tertua yang masih menunggu di kotak, dari semua desa di kabupaten.", "s"
            ),
            Prom("time() - regency:kampungnet_agent_spool_oldest_timestamp_seconds:min", "{{regency}}"),
        ),
        ranking(
            Tile("Antrean tertua sekarang", "Umur bacaan tertua yang menunggu di kotak: sepuluh desa terlama.", "s"),
            now(f"topk(10, time() - {named(_WAITING, '')})", "{{name}}"),
        ),
    ]


def _clocks() -> list[Builder[dashboard.Panel]]:
    return [
        lines(
            Tile("Jam kotak", "Selisih jam kotak dan jam server yang paling besar di kabupaten.", "s"),
            Prom("regency:kampungnet_agent_clock_offset_seconds:maxabs", "{{regency}}"),
        ),
        ranking(
            Tile("Jam kotak sekarang", "Selisih jam kotak dan jam server: sepuluh desa yang paling jauh.", "s"),
            now(f"topk(10, abs({named(_CLOCK, '')}))", "{{name}}"),
        ),
    ]


def _silent() -> Builder[dashboard.Panel]:
    return rows(
        Tile("Kotak paling lama diam", "Kapan kotak tiap desa terakhir melapor; yang paling lama di atas.", "short"),
        Prom(f"topk(20, time() - {named(_HEARD, '')})", is_table=True, is_instant=True),
        {"Nilai": Column(unit="dtdhms")},
    )


def _losses() -> Builder[dashboard.Panel]:
    return lines(
        Tile("Bacaan hilang dan bentrok", "Bacaan yang dibuang kotak karena spoolnya penuh, dan nomor yang datang dua "
             "kali dengan isi lain (tanda kartu SD yang disalin); rata-rata per menit.", "cpm"),
        *(Prom(f"60 * sum(avg_over_time(regency:kampungnet_agent_{name}:rate5m[$__rate_interval]))", word)
          for name, word in (("dropped_readings", "dibuang"), ("conflicts", "bentrok"))),
    )  # fmt: skip
