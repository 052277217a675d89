"""A second factor for staff, first passwords that somebody else made, and sessions their owner knows again."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None

_STAFF = ("factor", "factor_since_ms", "factor_step", "password_until_ms")
_SESSIONS = ("stage", "address", "browser")


def upgrade() -> None:
    """Go one version forward."""
    op.add_column("staff", sa.Column("factor", sa.LargeBinary(), nullable=True))
    op.add_column("staff", sa.Column("factor_since_ms", sa.BigInteger(), nullable=True))
    op.add_column("staff", sa.Column("factor_step", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("staff", sa.Column("password_until_ms", sa.BigInteger(), nullable=True))
    for name in _SESSIONS:
        op.add_column("staff_sessions", sa.Column(name, sa.String(), nullable=False, server_default=""))
    # The defaults were for the rows there are.
    with op.batch_alter_table("staff") as staff:
        staff.alter_column("factor_step", server_default=None)
    with op.batch_alter_table("staff_sessions") as sessions:
        for name in _SESSIONS:
            sessions.alter_column(name, server_default=None)
    op.create_table(
        "staff_spare_codes",
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("username", "code_hash", name=op.f("pk_staff_spare_codes")),
        sa.ForeignKeyConstraint(["username"], ["staff.username"], name=op.f("fk_staff_spare_codes_username_staff")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("staff_spare_codes")
    for name in reversed(_SESSIONS):
        op.drop_column("staff_sessions", name)
    for name in reversed(_STAFF):
        op.drop_column("staff", name)
