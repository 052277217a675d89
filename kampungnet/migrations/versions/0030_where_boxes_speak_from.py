"""From where boxes speak, and who knocked and was not let in."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TEXTS, _INSTANTS = ("networks", "boots"), ("moved_ms", "twice_ms")


def upgrade() -> None:
    """Go one version forward."""
    for name in _TEXTS:
        op.add_column("agents", sa.Column(name, sa.String(), nullable=True))
    for name in _INSTANTS:
        op.add_column("agents", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_table(
        "box_knocks",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("knock", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("regency", "knock", "agent", "network", name=op.f("pk_box_knocks")),
    )
    op.create_index(op.f("ix_box_knocks_last_ms"), "box_knocks", ["last_ms"], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_table("box_knocks")
    for name in reversed(_TEXTS + _INSTANTS):
        op.drop_column("agents", name)
