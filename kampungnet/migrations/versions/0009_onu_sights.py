"""What OLTs saw of the villages' ONUs, by the day: outages are judged from it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward. The table begins empty: OLT readings that rest already are not opened again."""
    op.create_table(
        "onu_sight_days",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("regency", "site", "device")),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hours", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("regency", "site", "device", "day", name=op.f("pk_onu_sight_days")),
        sa.ForeignKeyConstraint(["regency", "site"], ["sites.regency", "sites.code"],
                                name=op.f("fk_onu_sight_days_regency_site_sites")),
    )  # fmt: skip


def downgrade() -> None:
    """Go back: outages that were judged stay."""
    op.drop_table("onu_sight_days")
