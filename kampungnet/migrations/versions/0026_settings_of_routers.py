"""What routers are set up as, one row a change, and the backups they made of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward."""
    op.create_table(
        "config_revisions",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("left_out", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_config_revisions_regency_site_sites")
        ),
        sa.PrimaryKeyConstraint("regency", "site", "device", "first_ms", name=op.f("pk_config_revisions")),
    )
    op.create_table(
        "config_backups",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_config_backups_regency_site_sites")
        ),
        sa.PrimaryKeyConstraint("regency", "site", "device", "taken_ms", name=op.f("pk_config_backups")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("config_backups")
    op.drop_table("config_revisions")
