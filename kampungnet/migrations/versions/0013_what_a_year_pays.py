"""Statements know which line of their year pays, and what lists and sums ask of them without reading documents."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0014"
branch_labels = None
depends_on = None

_SUMS = ("regency", "month", "state", "unit", "line", "total_rupiah", "paid_ms", "contract", "judged")
_NUMBERS = ("contracted_kbps", "samples", "expected", "total_bytes", "rupiah")

# The line of the month's year with the kegiatan and rekening of the one that the contract names.
_LINE = """UPDATE statements SET line = (
  SELECT paying.id FROM contracts
  JOIN budget_lines named ON named.regency = contracts.regency AND named.id = contracts.line
  JOIN budget_lines paying ON paying.regency = named.regency AND paying.unit = named.unit
    AND paying.activity = named.activity AND paying.account = named.account AND paying.year = {year}
  WHERE contracts.regency = statements.regency AND contracts.id = statements.contract)"""
_YEAR = {
    "sqlite": "CAST(STRFTIME('%Y', statements.month) AS INTEGER)",
    "postgresql": "EXTRACT(YEAR FROM statements.month)",
}
_PAID = """UPDATE statements SET paid_ms = (
  SELECT MAX(steps.at_ms) FROM statement_steps steps WHERE steps.regency = statements.regency
    AND steps.contract = statements.contract AND steps.month = statements.month AND steps.state = 'paid')
  WHERE state = 'paid'"""
_HOURS = """SELECT h.regency, h.contract, h.month, s.document FROM line_hours h JOIN statements s
  ON s.regency = h.regency AND s.contract = h.contract AND s.month = h.month"""
_BESIDE = """UPDATE line_hours SET contracted_kbps = :contracted_kbps, rx_p95_bps = :rx_p95_bps, samples = :samples,
  expected = :expected, total_bytes = :total_bytes, rupiah = :rupiah
  WHERE regency = :regency AND contract = :contract AND month = :month"""


def upgrade() -> None:
    """Go one version forward. Documents stay as they are; those with hours are read once."""
    connection = op.get_bind()
    op.add_column("statements", sa.Column("line", sa.String(), nullable=True))
    op.add_column("statements", sa.Column("paid_ms", sa.BigInteger(), nullable=True))
    op.add_column("statements", sa.Column("glance", sa.LargeBinary(), nullable=True))
    op.drop_index(op.f("ix_statements_regency_month"), "statements")
    op.create_index("ix_statements_sums", "statements", list(_SUMS))
    op.execute(_LINE.format(year=_YEAR[connection.dialect.name]))
    op.execute(_PAID)
    with op.batch_alter_table("line_hours") as hours:
        for name in _NUMBERS:
            hours.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
        hours.add_column(sa.Column("rx_p95_bps", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("line_hours") as hours:
        for name in _NUMBERS:
            hours.alter_column(name, server_default=None)
    for row in connection.execute(sa.text(_HOURS)).all():
        key = {"regency": row.regency, "contract": row.contract, "month": row.month}
        connection.execute(sa.text(_BESIDE), key | _beside(json.loads(row.document)))


def _beside(document: dict[str, Any]) -> dict[str, Any]:
    terms, traffic = document["contract"]["terms"], document["measured"]["traffic"]
    return {
        "contracted_kbps": terms["down_kbps"] or terms["committed_kbps"], "rx_p95_bps": traffic["rx_p95_bps"],
        "samples": traffic["samples"], "expected": traffic["expected"],
        "total_bytes": traffic["rx_bytes"] + traffic["tx_bytes"], "rupiah": document["total"],
    }  # fmt: skip


def downgrade() -> None:
    """Go back: all of it can be found again."""
    with op.batch_alter_table("line_hours") as hours:
        for name in ("rx_p95_bps", *_NUMBERS):
            hours.drop_column(name)
    op.drop_index("ix_statements_sums", "statements")
    op.create_index(op.f("ix_statements_regency_month"), "statements", ["regency", "month"])
    for name in ("glance", "paid_ms", "line"):
        op.drop_column("statements", name)
