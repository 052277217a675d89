"""Boxes change their keys, and a box that was revoked differs from one that was replaced."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_NEW = ("next_key", "next_key_ms", "previous_key", "key_since_ms", "ended")
# Before, both were one: where another box of the site was enrolled in that very moment, it was replaced.
_ENDED = """UPDATE agents SET ended = CASE WHEN EXISTS (
  SELECT 1 FROM agents n WHERE n.regency = agents.regency AND n.site = agents.site AND n.enrolled_ms = agents.revoked_ms
) THEN 'replaced' ELSE 'revoked' END WHERE revoked_ms IS NOT NULL"""


def upgrade() -> None:
    """Go one version forward."""
    op.add_column("agents", sa.Column("next_key", sa.LargeBinary(), nullable=True))
    op.add_column("agents", sa.Column("next_key_ms", sa.BigInteger(), nullable=True))
    op.add_column("agents", sa.Column("previous_key", sa.LargeBinary(), nullable=True))
    op.add_column("agents", sa.Column("key_since_ms", sa.BigInteger(), nullable=True))
    op.add_column("agents", sa.Column("ended", sa.String(), nullable=True))
    op.execute(_ENDED)


def downgrade() -> None:
    """Go back."""
    for name in reversed(_NEW):
        op.drop_column("agents", name)
