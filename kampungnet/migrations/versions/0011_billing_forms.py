"""How full a line was, for right-sizing; and staff of a kecamatan."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward. Hours of months before are counted when ``close-month`` is run for them again."""
    op.create_table(
        "line_hours",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("regency", "contract")),
        sa.Column("month", sa.Date(), nullable=False),
        *(sa.Column(name, sa.SmallInteger(), nullable=False) for name in ("measured", "at_ceiling")),
        sa.Column("peak_rx_bytes", sa.BigInteger(), nullable=False),
        sa.Column("peak_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("regency", "contract", "month", name=op.f("pk_line_hours")),
        sa.ForeignKeyConstraint(
            ["regency", "contract", "month"],
            ["statements.regency", "statements.contract", "statements.month"],
            name=op.f("fk_line_hours_regency_contract_month_statements"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_line_hours_regency_month"), "line_hours", ["regency", "month"])
    op.add_column("staff", sa.Column("district", sa.String(), nullable=True))


def downgrade() -> None:
    """Go back: hours can be counted again; who was bound to a kecamatan may not sign in any more."""
    op.execute(
        sa.text("DELETE FROM staff_sessions WHERE username IN (SELECT username FROM staff WHERE district <> '')")
    )
    op.execute(sa.text("DELETE FROM staff WHERE district <> ''"))
    op.drop_column("staff", "district")
    op.drop_table("line_hours")
