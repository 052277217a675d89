"""The newest act before an instant is found without reading those after it."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_INDEX = "ix_audit_log_regency_at_ms_sequence"


def upgrade() -> None:
    """Go one version forward."""
    op.create_index(op.f(_INDEX), "audit_log", ["regency", "at_ms", "sequence"])


def downgrade() -> None:
    """Go back one version."""
    op.drop_index(op.f(_INDEX), table_name="audit_log")
