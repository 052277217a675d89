"""Wrong passwords are counted for all processes of the server together.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new table."""
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
    """Go back."""
    op.drop_table("sign_in_failures")
