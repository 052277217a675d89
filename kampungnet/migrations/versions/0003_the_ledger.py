"""Traffic comes from a ledger: days of slots with flags and gaps, hours and months of plain rows, corrections."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "oddities",
    "months_due",
    "traffic_corrections",
    "traffic_months",
    "traffic_hours",
    "traffic_slots",
    "traffic_days",
)
VIEWS = ("traffic_days_read", "traffic_hours_read", "traffic_months_read")


def upgrade() -> None:
    """Go one version forward. Traffic slots of before stay in ``slot_days``; ``recompute`` makes new ones."""
    packed = [sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("peaks", "gaps")]
    day = [*_numbers("rx_bytes", "tx_bytes", "covered_ms"), *_small("samples", "flags", "busiest_hour")]
    columns: list[sa.Column[Any]] = [*day, *_numbers("busiest_bytes"), *packed]
    _make("traffic_days", ("regency", "site", "device", "day", "interface"), columns)
    op.create_index(op.f("ix_traffic_days_regency_day"), "traffic_days", ["regency", "day"])
    slots: list[sa.Column[Any]] = [sa.Column("slots", sa.LargeBinary(), nullable=False)]
    _make("traffic_slots", ("regency", "site", "device", "day"), slots)
    hour = [*_small("hour"), *_numbers("rx_bytes", "tx_bytes"), *_small("covered_seconds", "flags")]
    _make("traffic_hours", ("regency", "site", "device", "interface", "day", "hour"), hour, sqlite_with_rowid=False)
    _make("traffic_months", ("regency", "site", "device", "interface", "month"), [
        *_numbers("rx_bytes", "tx_bytes", "covered_ms", "samples", "expected"),
        sa.Column("rx_p95_bps", sa.BigInteger(), nullable=True),
        sa.Column("tx_p95_bps", sa.BigInteger(), nullable=True),
        *_numbers("busiest_hour_ms", "busiest_bytes"),
        *_small("flags"),
        sa.Column("lower_bound", sa.Boolean(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
    ])  # fmt: skip
    _make_corrections()
    _make("months_due", ("regency", "site", "month"), _numbers("since_ms"))
    _make("oddities", ("regency", "site", "device", "day", "what"), _numbers("count"))
    _make_views()


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _small(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.SmallInteger(), nullable=False) for name in names]


def _keys(names: tuple[str, ...]) -> list[sa.Column[Any]]:
    dates = {"day", "month"}
    return [sa.Column(one, sa.Date() if one in dates else sa.String(), nullable=False) for one in names]


def _make(name: str, key: tuple[str, ...], columns: list[sa.Column[Any]], **more: bool) -> None:
    """Make a table whose key begins with regency and site; ``columns`` may hold the rest of the key."""
    there = {column.name for column in columns}
    op.create_table(
        name,
        *_keys(tuple(one for one in key if one not in there)),
        *columns,
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f(f"fk_{name}_regency_sites")
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        **more,
    )


def _make_corrections() -> None:
    month = ("regency", "site", "device", "interface", "month")
    op.create_table(
        "traffic_corrections",
        *_keys(month),
        *_small("number"),
        *_numbers(
            "noted_ms", "rx_bytes", "tx_bytes", "covered_ms", "samples", "rx_p95_bps", "tx_p95_bps"
        ),
        sa.ForeignKeyConstraint(
            list(month), [f"traffic_months.{one}" for one in month],
            name=op.f("fk_traffic_corrections_regency_traffic_months"),
        ),
        sa.PrimaryKeyConstraint(*month, "number", name=op.f("pk_traffic_corrections")),
    )  # fmt: skip


# The same text on SQLite and PostgreSQL: what is packed is left out, flags are told in words.
_WORDS = """(flags & 1) <> 0 AS lower_bound, (flags & 2) <> 0 AS restarted, (flags & 8) <> 0 AS has_gap,
  (flags & 16) <> 0 AS impossible, (flags & 32) <> 0 AS conflict"""
_DAYS = """CREATE VIEW traffic_days_read AS SELECT regency, site, device, interface, day, rx_bytes, tx_bytes,
  covered_ms / 1000 AS covered_seconds, samples, samples / 288.0 AS coverage, busiest_hour, busiest_bytes,
  {words} FROM traffic_days"""
_HOURS = """CREATE VIEW traffic_hours_read AS SELECT regency, site, device, interface, day, hour, rx_bytes, tx_bytes,
  covered_seconds, CASE WHEN covered_seconds > 0 THEN rx_bytes * 8 / covered_seconds END AS rx_bps,
  CASE WHEN covered_seconds > 0 THEN tx_bytes * 8 / covered_seconds END AS tx_bps, {words} FROM traffic_hours"""
_MONTHS = """CREATE VIEW traffic_months_read AS SELECT m.regency, m.site, m.device, m.interface, m.month,
  CAST(m.rx_bytes + COALESCE(SUM(c.rx_bytes), 0) AS BIGINT) AS rx_bytes,
  CAST(m.tx_bytes + COALESCE(SUM(c.tx_bytes), 0) AS BIGINT) AS tx_bytes,
  CAST(m.covered_ms + COALESCE(SUM(c.covered_ms), 0) AS BIGINT) AS covered_ms,
  CAST(m.samples + COALESCE(SUM(c.samples), 0) AS BIGINT) AS samples, m.expected,
  CAST(COALESCE(m.rx_p95_bps, 0) + COALESCE(SUM(c.rx_p95_bps), 0) AS BIGINT) AS rx_p95_bps,
  CAST(COALESCE(m.tx_p95_bps, 0) + COALESCE(SUM(c.tx_p95_bps), 0) AS BIGINT) AS tx_p95_bps,
  m.busiest_hour_ms, m.busiest_bytes, m.lower_bound, m.closed_ms, COUNT(c.number) AS corrections
  FROM traffic_months m LEFT JOIN traffic_corrections c ON c.regency = m.regency AND c.site = m.site
  AND c.device = m.device AND c.interface = m.interface AND c.month = m.month
  GROUP BY m.regency, m.site, m.device, m.interface, m.month"""


def _make_views() -> None:
    for view in (_DAYS, _HOURS, _MONTHS):
        op.execute(view.format(words=_WORDS))


def downgrade() -> None:
    """Go back. What the tables held can be made again from readings that are still kept."""
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
    for table in TABLES:
        op.drop_table(table)
