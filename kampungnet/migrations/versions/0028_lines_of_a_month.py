"""Which lines a month has stands in the index of its days: it is read line by line, without sorting the days."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_OLD = "ix_traffic_days_regency_day_site"
_NEW = "ix_traffic_days_regency_day_site_device_interface"


def upgrade() -> None:
    """Go one version forward."""
    op.create_index(op.f(_NEW), "traffic_days", ["regency", "day", "site", "device", "interface"])
    op.drop_index(op.f(_OLD), "traffic_days")


def downgrade() -> None:
    """Go back."""
    op.create_index(op.f(_OLD), "traffic_days", ["regency", "day", "site"])
    op.drop_index(op.f(_NEW), "traffic_days")
