"""Views for people who ask with SQL, and for Grafana: names beside codes, instants as instants, nothing secret.

A reader's role may be given these and no table (``dashboards/grafana/reader.sql``). What a view shows cannot be altered
under it: a later version that changes such a column drops the view first and makes it anew.
"""

from alembic import op

revision = "0021"
down_revision = "0016"
branch_labels = None
depends_on = None

# What SQLite and PostgreSQL write differently; all else is the same text.
_WORDS = {
    "sqlite": {
        "at": "strftime('%Y-%m-%dT%H:%M:%SZ', {} / 1000, 'unixepoch')", "now_ms": "strftime('%s', 'now') * 1000",
        "month": "substr(s.month, 1, 7)", "glance": "CAST(COALESCE(s.glance, s.document) AS TEXT)",
        "name": "json_extract({}, '$.{}.{}')", "path": "(SELECT group_concat(value, ' / ') FROM json_each(i.place))",
        "count": "json_array_length(i.members)", "terms": "json_extract(t.terms, '$.{}')",
        "over": "substr({0}, 1, instr({0} || '/', '/') - 1) * 1.0", "under": "substr({0}, instr({0} || '/', '/') + 1)",
    },
    "postgresql": {
        "at": "to_timestamp({} / 1000.0)", "now_ms": "CAST(extract(epoch FROM now()) * 1000 AS BIGINT)",
        "month": "to_char(s.month, 'YYYY-MM')",
        "glance": "CAST(convert_from(COALESCE(s.glance, s.document), 'UTF8') AS json)",
        "name": "{} -> '{}' ->> '{}'",
        "path": "(SELECT string_agg(one, ' / ') FROM json_array_elements_text(CAST(i.place AS json)) AS p (one))",
        "count": "json_array_length(CAST(i.members AS json))", "terms": "CAST(t.terms AS json) ->> '{}'",
        "over": "CAST(split_part({}, '/', 1) AS DOUBLE PRECISION)", "under": "split_part({}, '/', 2)",
    },
}  # fmt: skip

_PLACE = """p.regency, p.regency_name, p.district, p.district_name, p.village, p.village_name"""
_PLACES = """CREATE VIEW places_read AS SELECT r.code AS regency, r.name AS regency_name, d.code AS district,
  d.name AS district_name, v.code AS village, v.name AS village_name, v.kind, v.latitude, v.longitude, r.time_zone
  FROM villages v JOIN districts d ON d.regency = v.regency AND d.code = v.district
  JOIN regencies r ON r.code = v.regency"""
_SITES = """CREATE VIEW sites_read AS SELECT {place}, p.time_zone, s.code AS site, s.name
  FROM sites s JOIN places_read p ON p.regency = s.regency AND p.village = s.village"""

# As kampungnet.devices.service counts: the village's own devices say how it is, and the router first of all; an OLT
# speaks only where nothing of ours stands. Five minutes without a reading are silence.
_VILLAGES = """CREATE VIEW villages_read AS WITH first_site AS (
  SELECT regency, village, MIN(code) AS site FROM sites GROUP BY regency, village
), heard AS (
  SELECT regency, site, MAX(CASE WHEN name NOT LIKE 'ont@%' THEN last_reading_ms END) AS own_ms,
    MAX(last_reading_ms) AS any_ms FROM devices GROUP BY regency, site
), speaking AS (
  SELECT d.regency, d.site, d.outcome, d.internet_up, d.hotspot_sessions, ROW_NUMBER() OVER (
      PARTITION BY d.regency, d.site
      ORDER BY CASE WHEN d.kind = 'router' OR d.name = 'router' THEN 0 WHEN d.kind = 'olt' THEN 1 ELSE 2 END, d.name
    ) AS place
  FROM devices d JOIN heard h ON h.regency = d.regency AND h.site = d.site
  WHERE d.kind IN ('router', 'olt') OR d.name = 'router' OR (h.own_ms IS NULL AND d.name LIKE 'ont@%')
), lit AS (
  SELECT regency, site, rx_power_dbm, no_light, ROW_NUMBER() OVER (
      PARTITION BY regency, site
      ORDER BY CASE WHEN {now_ms} - COALESCE(last_ok_ms, 0) > 300000 THEN 1 ELSE 0 END,
        CASE WHEN name LIKE 'ont@%' THEN 1 ELSE 0 END, CASE WHEN kind = 'ont' THEN 0 ELSE 1 END, name
    ) AS place
  FROM devices WHERE rx_power_dbm IS NOT NULL OR no_light
)
SELECT {place}, p.kind, p.latitude, p.longitude, p.time_zone, f.site,
  CASE WHEN h.any_ms IS NULL THEN 'never'
    WHEN {now_ms} - COALESCE(h.own_ms, h.any_ms) > 300000 THEN 'silent'
    WHEN s.outcome = 'ok' AND (s.internet_up IS NULL OR s.internet_up) THEN 'up' ELSE 'down' END AS status,
  {last_reading} AS last_reading, s.hotspot_sessions, l.rx_power_dbm, l.no_light
  FROM places_read p LEFT JOIN first_site f ON f.regency = p.regency AND f.village = p.village
  LEFT JOIN heard h ON h.regency = f.regency AND h.site = f.site
  LEFT JOIN speaking s ON s.regency = f.regency AND s.site = f.site AND s.place = 1
  LEFT JOIN lit l ON l.regency = f.regency AND l.site = f.site AND l.place = 1"""
_DEVICES = """CREATE VIEW devices_read AS SELECT {place}, d.site, d.name AS device, d.kind, d.outcome,
  {last_reading} AS last_reading, {last_ok} AS last_ok, d.uptime_seconds, d.rx_power_dbm, d.no_light
  FROM devices d JOIN sites s ON s.regency = d.regency AND s.code = d.site
  JOIN places_read p ON p.regency = s.regency AND p.village = s.village"""
_AGENTS = """CREATE VIEW agents_read AS SELECT {place}, a.site, a.board, a.version, {last_report} AS last_report,
  a.clock_offset_ms / 1000.0 AS clock_offset_seconds, a.clock_synchronised, a.spool_readings, a.dropped_readings,
  a.refused_readings, a.corrupt_readings, a.conflicts
  FROM agents a JOIN sites s ON s.regency = a.regency AND s.code = a.site
  JOIN places_read p ON p.regency = s.regency AND p.village = s.village WHERE a.revoked_ms IS NULL"""
_OUTAGES = """CREATE VIEW outages_read AS SELECT {place}, o.site, {start} AS started, {ended} AS ended,
  (COALESCE(o.end_ms, {now_ms}) - o.start_ms) / 60000 AS minutes, o.cause, o.confidence, o.provisional
  FROM outages o JOIN sites s ON s.regency = o.regency AND s.code = o.site
  JOIN places_read p ON p.regency = s.regency AND p.village = s.village"""
_INCIDENTS = """CREATE VIEW incidents_read AS SELECT i.regency, r.name AS regency_name, i.id AS incident,
  {start} AS started, {ended} AS ended, (COALESCE(i.end_ms, {now_ms}) - i.start_ms) / 60000 AS minutes, i.cause,
  i.confidence, {path} AS place, {count} AS outages, i.proven, i.provisional
  FROM incidents i JOIN regencies r ON r.code = i.regency"""

# Who was alone at a portal could be told from its numbers: fewer than five people are no number (facts on hotspots 12).
_HOTSPOT = """CREATE VIEW hotspot_days_read AS SELECT {place}, h.site, h.day, {columns}
  FROM hotspot_days h JOIN sites s ON s.regency = h.regency AND s.code = h.site
  JOIN places_read p ON p.regency = s.regency AND p.village = s.village"""
_COUNTED = "people sessions seconds office_seconds up_bytes down_bytes clicks vouchers accounts"

_CONTRACTS = """CREATE VIEW contracts_read AS SELECT {place}, c.id AS contract, c.unit, c.site, c.number,
  v.name AS provider, c.first_day, c.last_day, {kind} AS kind, CAST({down} AS BIGINT) AS down_kbps, c.line
  FROM contracts c JOIN providers v ON v.regency = c.regency AND v.code = c.provider
  JOIN places_read p ON p.regency = c.regency AND p.village = c.village
  JOIN contract_versions t ON t.regency = c.regency AND t.contract = c.id AND t.valid_from = (
    SELECT COALESCE(MAX(CASE WHEN n.valid_from <= CURRENT_DATE THEN n.valid_from END), MIN(n.valid_from))
    FROM contract_versions n WHERE n.regency = c.regency AND n.contract = c.id)"""

# Closed figures only: what was approved never changes, and a draft is nobody's business yet.
_STATEMENTS = """CREATE VIEW statements_read AS SELECT {place}, s.unit, s.contract, s.month, s.state, s.number,
  s.number_year, v.name AS provider, s.total_rupiah, s.judged, CASE WHEN {told} IS NULL THEN NULL
    WHEN {under} = '' OR {told} NOT LIKE '%/%' THEN {over} ELSE {over} / CAST({under} AS DOUBLE PRECISION)
  END AS availability, h.contracted_kbps, h.rx_p95_bps, h.total_bytes, h.measured AS measured_hours,
  h.at_ceiling AS ceiling_hours, s.line, {paid} AS paid, '/laporan/' || s.contract || '/' || {month} AS page
  FROM statements s JOIN places_read p ON p.regency = s.regency AND p.village = s.village
  JOIN contracts c ON c.regency = s.regency AND c.id = s.contract
  JOIN providers v ON v.regency = c.regency AND v.code = c.provider
  LEFT JOIN line_hours h ON h.regency = s.regency AND h.contract = s.contract AND h.month = s.month
  WHERE s.state IN ('approved', 'paid')"""
_BUDGETS = """CREATE VIEW budget_lines_read AS SELECT l.regency, l.id AS line, l.unit, l.village, l.year, l.activity,
  l.account, l.name, v.kind AS version, v.pagu_rupiah, l.opening_rupiah,
  CAST(COALESCE(t.paid_rupiah, 0) AS BIGINT) AS paid_rupiah,
  CAST(COALESCE(t.approved_rupiah, 0) AS BIGINT) AS approved_rupiah,
  CAST(v.pagu_rupiah - l.opening_rupiah - COALESCE(t.paid_rupiah, 0) - COALESCE(t.approved_rupiah, 0) AS BIGINT)
    AS remaining_rupiah
  FROM budget_lines l JOIN budget_versions v ON v.regency = l.regency AND v.line = l.id AND v.valid_from = (
    SELECT COALESCE(MAX(CASE WHEN n.valid_from <= CURRENT_DATE THEN n.valid_from END), MIN(n.valid_from))
    FROM budget_versions n WHERE n.regency = l.regency AND n.line = l.id)
  LEFT JOIN (SELECT regency, line, SUM(CASE WHEN state = 'paid' THEN total_rupiah ELSE 0 END) AS paid_rupiah,
      SUM(CASE WHEN state = 'approved' THEN total_rupiah ELSE 0 END) AS approved_rupiah
    FROM statements GROUP BY regency, line) t ON t.regency = l.regency AND t.line = l.id"""

VIEWS = (
    "places_read sites_read villages_read devices_read agents_read outages_read incidents_read hotspot_days_read "
    "contracts_read statements_read budget_lines_read"
).split()


def _views(words: dict[str, str]) -> tuple[str, ...]:
    at, now_ms = words["at"].format, words["now_ms"]
    told = "(" + words["name"].format(words["glance"], "judgement", "availability") + ")"
    spans = {"now_ms": now_ms, "ended": at("{0}.end_ms"), "start": at("{0}.start_ms")}
    outage, incident = ({name: text.format(letter) for name, text in spans.items()} for letter in "oi")
    counted = ", ".join(f"CASE WHEN h.people >= 5 THEN h.{name} END AS {name}" for name in _COUNTED.split())
    return (
        _PLACES,
        _SITES.format(place=_PLACE),
        _VILLAGES.format(place=_PLACE, now_ms=now_ms, last_reading=at("COALESCE(h.own_ms, h.any_ms)")),
        _DEVICES.format(place=_PLACE, last_reading=at("d.last_reading_ms"), last_ok=at("d.last_ok_ms")),
        _AGENTS.format(place=_PLACE, last_report=at("a.last_report_ms")),
        _OUTAGES.format(place=_PLACE, **outage),
        _INCIDENTS.format(path=words["path"], count=words["count"], **incident),
        _HOTSPOT.format(place=_PLACE, columns=counted),
        _CONTRACTS.format(place=_PLACE, kind=words["terms"].format("kind"), down=words["terms"].format("down_kbps")),
        _STATEMENTS.format(place=_PLACE, told=told, over=words["over"].format(told), under=words["under"].format(told),
                           paid=at("s.paid_ms"), month=words["month"]),
        _BUDGETS,
    )  # fmt: skip


def upgrade() -> None:
    """Go one version forward."""
    for view in _views(_WORDS[op.get_bind().dialect.name]):
        op.execute(view)


def downgrade() -> None:
    """Go back."""
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
