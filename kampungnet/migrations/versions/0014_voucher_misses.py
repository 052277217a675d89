"""Codes that were asked for at a desk and are none there: whoever guesses is slowed down. A batch lists by number."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward."""
    op.create_table(
        "voucher_misses",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_voucher_misses")),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_voucher_misses_regency_site_sites")
        ),
    )
    op.create_index(op.f("ix_voucher_misses_regency_at_ms"), "voucher_misses", ["regency", "at_ms"])
    op.create_index(op.f("ix_vouchers_regency_batch_serial"), "vouchers", ["regency", "batch", "serial"])


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_vouchers_regency_batch_serial"), "vouchers")
    op.drop_table("voucher_misses")
