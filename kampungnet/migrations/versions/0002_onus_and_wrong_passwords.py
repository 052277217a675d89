"""ONUs that an OLT reports belong to villages; wrong passwords are counted for all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward."""
    _make_onus()
    _make_sign_in_failures()
    with op.batch_alter_table("reading_days", schema=None) as batch_op:
        batch_op.add_column(sa.Column("part", sa.SmallInteger(), nullable=False, server_default="0"))
        batch_op.drop_constraint(op.f("pk_reading_days"), type_="primary")
        batch_op.create_primary_key(op.f("pk_reading_days"), ["regency", "agent", "device", "day", "part"])
    with op.batch_alter_table("reading_days", schema=None) as batch_op:
        batch_op.alter_column("part", server_default=None)


def _make_onus() -> None:
    op.create_table(
        "onus",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("olt_site", sa.String(), nullable=False),
        sa.Column("olt_device", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_onus_regency_site_sites")
        ),
        sa.PrimaryKeyConstraint("regency", "serial", name=op.f("pk_onus")),
    )
    with op.batch_alter_table("onus", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_onus_regency_site"), ["regency", "site"], unique=False)


def _make_sign_in_failures() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("stranger", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_failures_address_at_ms"), ["address", "at_ms"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_failures_at_ms"), ["at_ms"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_failures_stranger_at_ms"), ["stranger", "at_ms"], unique=False)


def downgrade() -> None:
    """Go back. Further parts of a day (an OLT's) have no place in the version before."""
    op.execute("DELETE FROM reading_days WHERE part > 0")
    with op.batch_alter_table("reading_days", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("pk_reading_days"), type_="primary")
        batch_op.drop_column("part")
        batch_op.create_primary_key(op.f("pk_reading_days"), ["regency", "agent", "device", "day"])
    op.drop_table("sign_in_failures")
    op.drop_table("onus")
