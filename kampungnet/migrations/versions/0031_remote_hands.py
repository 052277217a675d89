"""What was asked for from afar, what boxes can do, and the bundles they sent."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _of_site(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_regency_site_sites")
    return sa.ForeignKeyConstraint(["regency", "site"], ["sites.regency", "sites.code"], name=name)


def upgrade() -> None:
    """Go one version forward."""
    op.create_table(
        "remote_orders",
        *_texts("regency", "id", "site", "kind", "device", "reason"),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        *_texts("asked_by", "asked_name"),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        *_texts("state"),
        sa.Column("agent", sa.String(), nullable=True),
        *_texts("mark"),
        sa.Column("taken_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        *_texts("why", "missing_right", "detail"),
        sa.Column("away_seconds", sa.BigInteger(), nullable=True),
        sa.Column("changed", sa.BigInteger(), nullable=True),
        _of_site("remote_orders"),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_remote_orders")),
    )
    op.create_index(op.f("ix_remote_orders_regency_site_asked_ms"), "remote_orders", ["regency", "site", "asked_ms"])
    op.create_index(op.f("ix_remote_orders_state"), "remote_orders", ["state"])
    op.create_table(
        "remote_abilities",
        *_texts("regency", "site", "kind", "device"),
        _of_site("remote_abilities"),
        sa.PrimaryKeyConstraint("regency", "site", "kind", "device", name=op.f("pk_remote_abilities")),
    )
    op.create_table(
        "support_bundles",
        *_texts("regency", "id", "site"),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        _of_site("support_bundles"),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_support_bundles")),
    )
    op.create_index(op.f("ix_support_bundles_received_ms"), "support_bundles", ["received_ms"])


def downgrade() -> None:
    """Go back."""
    for table in ("support_bundles", "remote_abilities", "remote_orders"):
        op.drop_table(table)
