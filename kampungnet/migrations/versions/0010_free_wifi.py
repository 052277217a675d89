"""Free wifi: plans, portals, accounts, vouchers, single devices, free places, sessions and the use of each day."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXT, _DAY, _INT, _BLOB, _BOOL = sa.String(), sa.Date(), sa.BigInteger(), sa.LargeBinary(), sa.Boolean()
_SITE = ("sites", "regency site", "regency code")
_REGENCY = ("regencies", "regency", "code")


def upgrade() -> None:
    """Go one version forward. The tables begin empty."""
    _make(
        "hotspot_plans", "regency name",
        {"regency": _TEXT, "name": _TEXT, "title": _TEXT, "limits": _TEXT, "retired_ms?": _INT},
        _REGENCY,
    )  # fmt: skip
    _make(
        "hotspot_portals", "regency site",
        {"regency": _TEXT, "site": _TEXT, "revision": _INT, "changed_ms": _INT, "policy": _TEXT, "asked_ms?": _INT,
         "box_revision": _INT, "done_revision": _INT, "done_ms?": _INT, "problems": _TEXT},
        _SITE,
    )  # fmt: skip
    _index("hotspot_portals", "changed_ms")
    _make(
        "hotspot_notices", "regency id",
        {"regency": _TEXT, "id": _TEXT, "site": _TEXT, "text": _TEXT, "until_ms?": _INT, "made_ms": _INT,
         "made_by": _TEXT},
        _REGENCY,
    )  # fmt: skip
    _index("hotspot_notices", "regency site")
    _make(
        "hotspot_accounts", "regency id",
        {"regency": _TEXT, "id": _TEXT, "site": _TEXT, "name": _TEXT, "plan": _TEXT, "password": _BLOB,
         "made_ms": _INT, "made_by": _TEXT, "ended_ms?": _INT},
        _SITE,
    )  # fmt: skip
    _index("hotspot_accounts", "regency site name", unique=True)
    _make(
        "voucher_batches", "regency id",
        {"regency": _TEXT, "id": _TEXT, "site": _TEXT, "plan": _TEXT, "number": _INT, "limit_seconds": _INT,
         "valid_seconds": _INT, "expires_ms?": _INT, "note": _TEXT, "made_ms": _INT, "made_by": _TEXT,
         "printed_ms?": _INT},
        _SITE,
    )  # fmt: skip
    _index("voucher_batches", "regency site")
    _make(
        "vouchers", "regency id",
        {"regency": _TEXT, "id": _TEXT, "batch": _TEXT, "site": _TEXT, "serial": _INT, "mark": _BLOB, "code": _BLOB,
         "first_used_ms?": _INT, "used_seconds": _INT, "more_seconds": _INT, "revoked_ms?": _INT},
        ("voucher_batches", "regency batch", "regency id"),
    )  # fmt: skip
    _index("vouchers", "regency mark", unique=True)
    _index("vouchers", "regency site")
    _single_devices_and_sessions()


def downgrade() -> None:
    """Go back: vouchers, accounts and the use of portals are lost."""
    for table in (
        "hotspot_days", "hotspot_sessions", "hotspot_kicks", "hotspot_garden", "hotspot_bindings",
        "vouchers", "voucher_batches", "hotspot_accounts", "hotspot_notices", "hotspot_portals",
        "hotspot_plans",
    ):  # fmt: skip
        op.drop_table(table)


def _single_devices_and_sessions() -> None:
    _make(
        "hotspot_bindings", "regency id",
        {"regency": _TEXT, "id": _TEXT, "site": _TEXT, "kind": _TEXT, "guest": _TEXT, "mac?": _BLOB, "label": _TEXT,
         "reason": _TEXT, "until_ms?": _INT, "made_ms": _INT, "made_by": _TEXT, "ended_ms?": _INT},
        _SITE,
    )  # fmt: skip
    _index("hotspot_bindings", "regency site")
    _make(
        "hotspot_garden", "regency id",
        {"regency": _TEXT, "id": _TEXT, "host": _TEXT, "ports": _TEXT, "title": _TEXT, "owner": _TEXT,
         "reason": _TEXT, "review_on": _DAY, "checked_ms?": _INT, "problem": _TEXT, "ended_ms?": _INT},
        _REGENCY,
    )  # fmt: skip
    _make(
        "hotspot_kicks", "regency id",
        {"regency": _TEXT, "id": _TEXT, "site": _TEXT, "session": _TEXT, "at_ms": _INT},
        _SITE,
    )  # fmt: skip
    _index("hotspot_kicks", "regency site at_ms")
    _make(
        "hotspot_sessions", "regency site id",
        {"regency": _TEXT, "site": _TEXT, "id": _TEXT, "guest": _TEXT, "way": _TEXT, "reference": _TEXT,
         "plan": _TEXT, "random_mac": _BOOL, "started_ms": _INT, "seen_ms": _INT, "ended": _TEXT, "shift": _INT,
         "seconds": _INT, "up_bytes": _INT, "down_bytes": _INT, "slots": _BLOB},
        _SITE,
    )  # fmt: skip
    _index("hotspot_sessions", "regency site guest")
    _index("hotspot_sessions", "regency site seen_ms")
    _index("hotspot_sessions", "seen_ms")
    _make(
        "hotspot_days", "regency site day",
        {"regency": _TEXT, "site": _TEXT, "day": _DAY, "people": _INT, "sessions": _INT, "seconds": _INT,
         "office_seconds": _INT, "up_bytes": _INT, "down_bytes": _INT, "clicks": _INT, "vouchers": _INT,
         "accounts": _INT, "stale": _BOOL},
        _SITE,
    )  # fmt: skip


def _make(name: str, keys: str, columns: dict[str, Any], of: tuple[str, str, str]) -> None:
    referred, here, there = of
    op.create_table(
        name,
        *(sa.Column(one.rstrip("?"), kind, nullable=one.endswith("?")) for one, kind in columns.items()),
        sa.PrimaryKeyConstraint(*keys.split(), name=op.f(f"pk_{name}")),
        sa.ForeignKeyConstraint(
            here.split(), [f"{referred}.{one}" for one in there.split()],
            name=op.f(f"fk_{name}_{here.replace(' ', '_')}_{referred}"),
        ),
    )  # fmt: skip


def _index(table: str, columns: str, *, unique: bool = False) -> None:
    op.create_index(op.f(f"ix_{table}_{columns.replace(' ', '_')}"), table, columns.split(), unique=unique)
