"""What staff add to what was measured: planned work, causes they rule, and the log of what they do."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward. The tables begin empty."""
    op.create_table(
        "audit_log",
        *_texts("regency"), sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        *_texts("username", "name", "role", "what", "about", "reason", "before", "after", "hash"),
        sa.PrimaryKeyConstraint("regency", "sequence", name=op.f("pk_audit_log")),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_audit_log_regency_regencies")),
    )  # fmt: skip
    op.create_index(op.f("ix_audit_log_regency_what_sequence"), "audit_log", ["regency", "what", "sequence"])
    op.create_table(
        "planned_work",
        *_texts("regency", "id"), *_instants("start_ms", "end_ms", "entered_ms"),
        *_texts("places", "provider", "reason", "entered_by"), *_instants("withdrawn_ms", nullable=True),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_planned_work")),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_planned_work_regency_regencies")),
    )  # fmt: skip
    op.create_index(op.f("ix_planned_work_regency_end_ms"), "planned_work", ["regency", "end_ms"])
    op.create_table(
        "rulings",
        *_texts("regency", "site"), *_instants("made_ms", "start_ms", "end_ms"),
        sa.Column("lasted", sa.Boolean(), nullable=False), *_texts("cause", "reason", "made_by"),
        *_instants("withdrawn_ms", nullable=True),
        sa.PrimaryKeyConstraint("regency", "site", "made_ms", name=op.f("pk_rulings")),
        sa.ForeignKeyConstraint(["regency", "site"], ["sites.regency", "sites.code"],
                                name=op.f("fk_rulings_regency_site_sites")),
    )  # fmt: skip


def downgrade() -> None:
    """Go back: planned work, rulings and the log of acts are lost."""
    for table in ("rulings", "planned_work", "audit_log"):
        op.drop_table(table)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _instants(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]
