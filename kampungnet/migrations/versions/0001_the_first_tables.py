"""the first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one version forward."""
    op.create_table(
        "regencies",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_regencies")),
    )
    op.create_table(
        "staff",
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("village", sa.String(), nullable=True),
        sa.Column("disabled_ms", sa.BigInteger(), nullable=True),
        sa.Column("failed_logins", sa.BigInteger(), nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_staff")),
    )
    op.create_table(
        "districts",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_districts_regency_regencies")),
        sa.PrimaryKeyConstraint("regency", "code", name=op.f("pk_districts")),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["staff.username"], name=op.f("fk_staff_sessions_username_staff")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_sessions")),
    )
    with op.batch_alter_table("staff_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_sessions_username"), ["username"], unique=False)

    op.create_table(
        "villages",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "district"],
            ["districts.regency", "districts.code"],
            name=op.f("fk_villages_regency_district_districts"),
        ),
        sa.PrimaryKeyConstraint("regency", "code", name=op.f("pk_villages")),
    )
    op.create_table(
        "enrolment_codes",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("village", sa.String(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["regency", "village"],
            ["villages.regency", "villages.code"],
            name=op.f("fk_enrolment_codes_regency_village_villages"),
        ),
        sa.PrimaryKeyConstraint("regency", "code_hash", name=op.f("pk_enrolment_codes")),
    )
    op.create_table(
        "sites",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("village", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "village"],
            ["villages.regency", "villages.code"],
            name=op.f("fk_sites_regency_village_villages"),
        ),
        sa.PrimaryKeyConstraint("regency", "code", name=op.f("pk_sites")),
    )
    with op.batch_alter_table("sites", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sites_regency_village"), ["regency", "village"], unique=False)

    op.create_table(
        "agents",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("board", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("last_report_ms", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("clock_synchronised", sa.Boolean(), nullable=False),
        sa.Column("spool_readings", sa.BigInteger(), nullable=False),
        sa.Column("spool_oldest_ms", sa.BigInteger(), nullable=True),
        sa.Column("dropped_readings", sa.BigInteger(), nullable=False),
        sa.Column("refused_readings", sa.BigInteger(), nullable=False),
        sa.Column("corrupt_readings", sa.BigInteger(), nullable=False),
        sa.Column("packed_up_to", sa.BigInteger(), nullable=False),
        sa.Column("conflicts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_agents_regency_site_sites")
        ),
        sa.PrimaryKeyConstraint("regency", "id", name=op.f("pk_agents")),
    )
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_agents_id"), ["id"], unique=False)

    op.create_table(
        "devices",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("last_reading_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ok_ms", sa.BigInteger(), nullable=True),
        sa.Column("uptime_seconds", sa.BigInteger(), nullable=True),
        sa.Column("internet_up", sa.Boolean(), nullable=True),
        sa.Column("hotspot_sessions", sa.BigInteger(), nullable=True),
        sa.Column("rx_power_dbm", sa.Double(), nullable=True),
        sa.Column("no_light", sa.Boolean(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_devices_regency_site_sites")
        ),
        sa.PrimaryKeyConstraint("regency", "site", "name", name=op.f("pk_devices")),
    )
    op.create_table(
        "slot_days",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("slots", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "site"], ["sites.regency", "sites.code"], name=op.f("fk_slot_days_regency_site_sites")
        ),
        sa.PrimaryKeyConstraint("regency", "site", "device", "day", "series", name=op.f("pk_slot_days")),
    )
    op.create_table(
        "boots",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("time_quality", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "agent"], ["agents.regency", "agents.id"], name=op.f("fk_boots_regency_agent_agents")
        ),
        sa.PrimaryKeyConstraint("regency", "agent", "boot_id", name=op.f("pk_boots")),
    )
    op.create_table(
        "reading_days",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("readings", sa.BigInteger(), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "agent"], ["agents.regency", "agents.id"], name=op.f("fk_reading_days_regency_agent_agents")
        ),
        sa.PrimaryKeyConstraint("regency", "agent", "device", "day", name=op.f("pk_reading_days")),
    )
    with op.batch_alter_table("reading_days", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reading_days_regency_agent_last_sequence"),
            ["regency", "agent", "last_sequence"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_reading_days_regency_site_device_day"), ["regency", "site", "device", "day"], unique=False
        )

    op.create_table(
        "young_readings",
        sa.Column("regency", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.Column("time_quality", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["regency", "agent"], ["agents.regency", "agents.id"], name=op.f("fk_young_readings_regency_agent_agents")
        ),
        sa.PrimaryKeyConstraint("regency", "agent", "boot_id", "sequence", name=op.f("pk_young_readings")),
    )


def downgrade() -> None:
    """Go one version back."""
    op.drop_table("young_readings")
    with op.batch_alter_table("reading_days", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reading_days_regency_site_device_day"))
        batch_op.drop_index(batch_op.f("ix_reading_days_regency_agent_last_sequence"))

    op.drop_table("reading_days")
    op.drop_table("boots")
    op.drop_table("slot_days")
    op.drop_table("devices")
    with op.batch_alter_table("agents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agents_id"))

    op.drop_table("agents")
    with op.batch_alter_table("sites", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sites_regency_village"))

    op.drop_table("sites")
    op.drop_table("enrolment_codes")
    op.drop_table("villages")
    with op.batch_alter_table("staff_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_sessions_username"))

    op.drop_table("staff_sessions")
    op.drop_table("districts")
    op.drop_table("staff")
    op.drop_table("regencies")
