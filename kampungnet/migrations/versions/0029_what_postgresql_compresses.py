"""PostgreSQL: quicker compression of what every report writes, and room to change the state of a device in place."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_BODIES = {"young_readings": "payload", "devices": "body"}
# A PostgreSQL that was built without lz4 goes on with its own.
_HAS_LZ4 = "SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"


def upgrade() -> None:
    """Go one version forward. What is stored already stays as it is: readings rest within hours."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if connection.scalar(sa.text(_HAS_LZ4)):
        for table, column in _BODIES.items():
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION lz4")
    op.execute("ALTER TABLE devices SET (fillfactor = 50)")


def downgrade() -> None:
    """Go back."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in _BODIES.items():
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION default")
    op.execute("ALTER TABLE devices RESET (fillfactor)")
