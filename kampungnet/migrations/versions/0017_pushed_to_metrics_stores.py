"""Readings know when they were stored, so that metrics stores get them in that order; how far each store has them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0018"
branch_labels = None
depends_on = None

_ORDERED = {
    "young_readings": "ix_young_readings_regency_stored_ms",
    "reading_days": "ix_reading_days_regency_stored_ms",
}


def upgrade() -> None:
    """Go one version forward. What rests already was stored at 0: only `kampungnet resend` pushes it."""
    for table, index in _ORDERED.items():
        op.add_column(table, sa.Column("stored_ms", sa.BigInteger(), server_default="0", nullable=False))
        op.create_index(op.f(index), table, ["regency", "stored_ms"])
    op.create_table(
        "push_cursors",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.Column("resume_ms", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("pushed_ms", sa.BigInteger(), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("trouble_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("regency", "store", name=op.f("pk_push_cursors")),
    )
    op.create_table(
        "push_dropped",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("store", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("regency", "store", "reason", name=op.f("pk_push_dropped")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("push_dropped")
    op.drop_table("push_cursors")
    for table, index in _ORDERED.items():
        op.drop_index(op.f(index), table)
        op.drop_column(table, "stored_ms")
