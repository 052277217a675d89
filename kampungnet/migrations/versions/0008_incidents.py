"""What goes dark together is kept as an incident; on which cable each village hangs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward. The tables begin empty; incidents fill by themselves from outages."""
    op.create_table(
        "site_places",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("regency", "village", "trunk", "odp")),
        sa.PrimaryKeyConstraint("regency", "village", name=op.f("pk_site_places")),
        sa.ForeignKeyConstraint(["regency", "village"], ["villages.regency", "villages.code"],
                                name=op.f("fk_site_places_regency_village_villages")),
    )  # fmt: skip
    op.create_table(
        "incidents",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("sites", sa.BigInteger(), nullable=False),
        sa.Column("mixed", sa.Boolean(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("members", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_incidents")),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_incidents_regency_regencies")),
    )
    op.create_index(op.f("ix_incidents_regency_start_ms"), "incidents", ["regency", "start_ms"])


def downgrade() -> None:
    """Go back: incidents can be found again from outages, cables must be imported again."""
    op.drop_table("incidents")
    op.drop_table("site_places")
