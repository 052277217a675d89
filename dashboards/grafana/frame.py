"""What all boards share: who they are, variables of place, links to each other and to the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from dashboards.grafana.sources import POSTGRESQL

TAG: Final = "kampungnet"
CONSOLE: Final = "http://127.0.0.1:8080"
"""Where ``make demo`` has its pages; ``make dashboards CONSOLE=https://...`` writes links to another server."""
_SOME_SERVER: Final = "https://kampungnet.invalid"
ZONE: Final = "Asia/Jakarta"
"""WIB. Boards for a kabupaten further east: ``make dashboards ZONE=Asia/Makassar`` (or ``Asia/Jayapura``)."""
ZONE_HERE: Final = "Zone/Here"
"""In SQL that cuts days: stands for the zone of the board until :func:`settled`."""

REGENCY: Final = "regency = ${kabupaten:sqlstring}"
"""In SQL: of the chosen kabupaten ..."""
DISTRICT: Final = f"{REGENCY} AND district IN (${{kecamatan:sqlstring}})"
"""... of the chosen kecamatan ..."""
VILLAGE: Final = f"{REGENCY} AND village = ${{desa:sqlstring}}"
"""... and of the chosen village."""
OF_REGENCY: Final = 'regency="$kabupaten"'
"""The same in PromQL."""
OF_DISTRICT: Final = f'{OF_REGENCY}, district=~"$kecamatan"'
OF_VILLAGE: Final = f'{OF_REGENCY}, village="$desa"'
OF_BUSIEST: Final = f'{OF_REGENCY}, village=~"$ramai"'
"""Of the few villages that a graph has lines of: SQL chose them, so the store reads these and no other."""
OF_DIMMEST: Final = f'{OF_REGENCY}, village=~"$redup"'

_CHOSEN: Final = f"SELECT village_name AS __text, village AS __value FROM villages_read WHERE {DISTRICT}"
_OF_DAYS: Final = (
    "(SELECT sum(d.seconds) FROM hotspot_days_read d WHERE d.regency = villages_read.regency"
    " AND d.village = villages_read.village AND d.day BETWEEN $__timeFrom()::date AND $__timeTo()::date)"
)
_BUSIEST_FIRST: Final = f"ORDER BY {_OF_DAYS} DESC NULLS LAST, hotspot_sessions DESC, 1"
_INSTALLED_FIRST: Final = "ORDER BY status = 'never', 1"
_VARIABLES: Final = {
    "kabupaten": (
        "Kabupaten",
        "SELECT DISTINCT regency_name AS __text, regency AS __value FROM places_read ORDER BY 1",
    ),
    "kecamatan": (
        "Kecamatan",
        f"SELECT DISTINCT district_name AS __text, district AS __value FROM places_read WHERE {REGENCY} ORDER BY 1",
    ),
    "desa": (
        "Desa",
        f"{_CHOSEN} {_INSTALLED_FIRST}",
    ),
    "ramai": (
        "Desa paling ramai",
        f"{_CHOSEN} AND hotspot_sessions IS NOT NULL {_BUSIEST_FIRST} LIMIT 20",
    ),
    "redup": (
        "Desa dengan cahaya terlemah",
        f"{_CHOSEN} AND rx_power_dbm IS NOT NULL ORDER BY rx_power_dbm, 1 LIMIT 10",
    ),
    "tahun": (
        "Tahun anggaran",
        f"SELECT DISTINCT year::text AS __value FROM budget_lines_read WHERE {REGENCY} ORDER BY 1 DESC",
    ),
}


@dataclass(frozen=True, slots=True)
class Board:
    """One board: its file, what it is for, which places one chooses, its panels."""

    uid: str
    title: str
    about: str
    panels: Sequence[Builder[dashboard.Panel]]
    places: Sequence[str] = ()
    """Names of variables; one that ends in ``*`` takes several at once, all of them at first.

    One that begins with ``.`` is not chosen but follows from the others, and nobody sees it.
    """
    since: str = "now-24h"
    notes: Sequence[Builder[dashboard.AnnotationQuery]] = ()


def built(board: Board) -> dashboard.Dashboard:
    """Return a board as Grafana takes it."""
    frame = (
        build.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags([TAG])
        .timezone(ZONE_HERE)
        .time(board.since, "now")
        .refresh("1m")
        .week_start("monday")
        .readonly()
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .links([_to_boards(), _to_console()])
        .annotations(list(board.notes))
        .variables([*_sources(), *(_place(name) for name in board.places)])
    )
    for panel in board.panels:
        frame = frame.with_panel(panel)
    found = frame.build()
    for number, placed in enumerate(found.panels or (), start=1):
        placed.id_val = number
    return found


def to_board(uid: str, **variables: str) -> str:
    """Return an address of another board with variables set, and with the same time."""
    chosen = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return f"/d/{uid}?${{__url_time_range}}{chosen}"


def to_console(path: str) -> str:
    """Return an address on the server's own pages; :func:`settled` puts the server's own in."""
    return f"{_SOME_SERVER}{path}"


def settled(text: str, console: str, zone: str) -> str:
    """Let the links of a board's text lead to a server, and its days begin where it stands."""
    return text.replace(_SOME_SERVER, console).replace(ZONE_HERE, zone)


def cell(column: str) -> str:
    """Return what stands in a column of the row that was clicked."""
    return f"${{__data.fields.{column}}}"


def _to_boards() -> build.DashboardLink:
    return (
        build.DashboardLink("Papan KampungNet")
        .type(dashboard.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )


def _to_console() -> build.DashboardLink:
    link = build.DashboardLink("Halaman KampungNet").type(dashboard.DashboardLinkType.LINK).url(to_console("/"))
    return link.tooltip("Halaman server: desa, gangguan, laporan bulanan").target_blank(True)


def _sources() -> list[Builder[dashboard.VariableModel]]:
    kinds = (("prometheus", "Prometheus", "prometheus"), ("postgresql", "Postgresql", POSTGRESQL.type_val or ""))
    return [
        build.DatasourceVariable(f"{name}_datasource")
        .label(f"{label} data source")
        .type(plugin)
        .regex("/KampungNet.*/")
        .current(dashboard.VariableOption(selected=True, text=f"KampungNet {label}", value=f"kampungnet-{name}"))
        for name, label, plugin in kinds
    ]


def _place(name: str) -> build.QueryVariable:
    takes_all, name = name.endswith("*"), name.removesuffix("*")
    is_hidden, name = name.startswith("."), name.removeprefix(".")
    label, query = _VARIABLES[name]
    variable = (
        build.QueryVariable(name)
        .label(label)
        .datasource(POSTGRESQL)
        .query(query)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.DISABLED)
        .multi(takes_all)
        .include_all(takes_all)
    )
    if is_hidden:
        variable = variable.hide(dashboard.VariableHide.HIDE_VARIABLE)
    return variable.current(dashboard.VariableOption(True, ["All"], ["$__all"])) if takes_all else variable
