"""A correction says which facts of its month it went by, so that no clock decides what is looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward. Nobody knows it of corrections from before: their months are looked at once more."""
    with op.batch_alter_table("corrections") as corrections:
        corrections.add_column(sa.Column("facts_site", sa.String(), nullable=False, server_default=""))
        corrections.add_column(sa.Column("facts_number", sa.SmallInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("corrections") as corrections:
        corrections.alter_column("facts_site", server_default=None)
        corrections.alter_column("facts_number", server_default=None)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("corrections") as corrections:
        corrections.drop_column("facts_number")
        corrections.drop_column("facts_site")
