"""Messages about outages: who gets them, which were written, and what Alertmanager told."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward."""
    op.create_table(
        "alert_recipients",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("quiet_first", sa.BigInteger(), nullable=True),
        sa.Column("quiet_end", sa.BigInteger(), nullable=True),
        sa.Column("passes", sa.SmallInteger(), nullable=False),
        sa.Column("digest_minute", sa.BigInteger(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_alert_recipients_regency_regencies")),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_alert_recipients")),
    )
    op.create_table(
        "alert_messages",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("members", sa.String(), nullable=False),
        sa.Column("sign", sa.String(), nullable=False),
        sa.Column("spot", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "recipient"], ["alert_recipients.regency", "alert_recipients.id"],
            name=op.f("fk_alert_messages_regency_alert_recipients"),
        ),
        sa.PrimaryKeyConstraint("regency", "recipient", "topic", "number", name=op.f("pk_alert_messages")),
    )  # fmt: skip
    op.create_index(op.f("ix_alert_messages_next_ms"), "alert_messages", ["next_ms"])
    op.create_index(op.f("ix_alert_messages_regency_made_ms"), "alert_messages", ["regency", "made_ms"])
    op.create_table(
        "alert_groups",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=True),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("is_watchdog", sa.Boolean(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_alert_groups_regency_regencies")),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_alert_groups")),
    )
    op.create_table(
        "alert_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_alert_tokens_regency_regencies")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_alert_tokens")),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("alert_tokens", "alert_groups", "alert_messages", "alert_recipients"):
        op.drop_table(table)
