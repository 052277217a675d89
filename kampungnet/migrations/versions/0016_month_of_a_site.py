"""A site's month is found without reading those of the whole regency: its days by regency, day and site."""

from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None

_OLD = "ix_traffic_days_regency_day"
_NEW = "ix_traffic_days_regency_day_site"


def upgrade() -> None:
    """Go one version forward."""
    op.create_index(op.f(_NEW), "traffic_days", ["regency", "day", "site"])
    op.drop_index(op.f(_OLD), "traffic_days")


def downgrade() -> None:
    """Go back."""
    op.create_index(op.f(_OLD), "traffic_days", ["regency", "day"])
    op.drop_index(op.f(_NEW), "traffic_days")
