"""Outages with a cause are kept, and the folded days they are judged from."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward. The tables fill by themselves from the readings that are kept."""
    _make("sight_days", [
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("packs", sa.LargeBinary(), nullable=False),
        sa.Column("timeline", sa.LargeBinary(), nullable=False),
    ], "day")  # fmt: skip
    _make("outages", [
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
    ], "start_ms")  # fmt: skip
    _make("judged_sites", [
        sa.Column("judged_ms", sa.BigInteger(), nullable=False),
        sa.Column("unseen", sa.String(), nullable=False),
    ])  # fmt: skip


def downgrade() -> None:
    """Go back. What the tables held can be judged again from readings that are still kept."""
    for table in ("judged_sites", "outages", "sight_days"):
        op.drop_table(table)


def _make(table: str, columns: list[sa.Column[Any]], *keys: str) -> None:
    place = [sa.Column(name, sa.String(), nullable=False) for name in ("regency", "site")]
    op.create_table(
        table, *place, *columns,
        sa.PrimaryKeyConstraint("regency", "site", *keys, name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["regency", "site"], ["sites.regency", "sites.code"],
                                name=op.f(f"fk_{table}_regency_site_sites")),
    )  # fmt: skip
