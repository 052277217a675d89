"""A correction tells whether its month is a lower bound still; the months that people read with SQL say it, too."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# As in 0003, with the newest correction's word on what was missing in the place of the month's own.
_MONTHS = """CREATE VIEW traffic_months_read AS SELECT m.regency, m.site, m.device, m.interface, m.month,
  CAST(m.rx_bytes + COALESCE(SUM(c.rx_bytes), 0) AS BIGINT) AS rx_bytes,
  CAST(m.tx_bytes + COALESCE(SUM(c.tx_bytes), 0) AS BIGINT) AS tx_bytes,
  CAST(m.covered_ms + COALESCE(SUM(c.covered_ms), 0) AS BIGINT) AS covered_ms,
  CAST(m.samples + COALESCE(SUM(c.samples), 0) AS BIGINT) AS samples, m.expected,
  CAST(COALESCE(m.rx_p95_bps, 0) + COALESCE(SUM(c.rx_p95_bps), 0) AS BIGINT) AS rx_p95_bps,
  CAST(COALESCE(m.tx_p95_bps, 0) + COALESCE(SUM(c.tx_p95_bps), 0) AS BIGINT) AS tx_p95_bps,
  m.busiest_hour_ms, m.busiest_bytes, {lower_bound} AS lower_bound, m.closed_ms, COUNT(c.number) AS corrections
  FROM traffic_months m LEFT JOIN traffic_corrections c ON c.regency = m.regency AND c.site = m.site
  AND c.device = m.device AND c.interface = m.interface AND c.month = m.month
  GROUP BY m.regency, m.site, m.device, m.interface, m.month"""
_NOW = """COALESCE((SELECT n.lower_bound FROM traffic_corrections n WHERE n.regency = m.regency AND n.site = m.site
  AND n.device = m.device AND n.interface = m.interface AND n.month = m.month AND n.lower_bound IS NOT NULL
  ORDER BY n.number DESC LIMIT 1), m.lower_bound)"""


def upgrade() -> None:
    """Go one version forward. Of corrections from before it is not known: the month's own word stands."""
    op.execute("DROP VIEW traffic_months_read")
    op.add_column("traffic_corrections", sa.Column("lower_bound", sa.Boolean(), nullable=True))
    op.execute(_MONTHS.format(lower_bound=_NOW))


def downgrade() -> None:
    """Go back."""
    op.execute("DROP VIEW traffic_months_read")
    op.drop_column("traffic_corrections", "lower_bound")
    op.execute(_MONTHS.format(lower_bound="m.lower_bound"))
