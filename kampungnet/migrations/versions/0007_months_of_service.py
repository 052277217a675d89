"""Time that nobody saw is kept by the day, months of service are closed, and holidays are known."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KNOWN_DAYS: Final = 31
"""For so long it was kept until now which time was not seen."""
_JUDGED: Final = sa.table(
    "judged_sites", *(sa.column(name) for name in ("regency", "site", "judged_ms", "unseen", "since"))
)


def upgrade() -> None:
    """Go one version forward. Open days are judged anew within minutes; what was unseen before is unknown."""
    _make("unseen_days", sa.Column("day", sa.Date(), nullable=False), sa.Column("spans", sa.String(), nullable=False))
    _make(
        "service_months",
        sa.Column("month", sa.Date(), nullable=False), sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("noted_ms", sa.BigInteger(), nullable=False), sa.Column("facts", sa.LargeBinary(), nullable=False),
        keys=("month", "number"),
    )  # fmt: skip
    op.create_table(
        "holidays",
        sa.Column("regency", sa.String(), nullable=False), sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False), sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("regency", "day", name=op.f("pk_holidays")),
        sa.ForeignKeyConstraint(["regency"], ["regencies.code"], name=op.f("fk_holidays_regency_regencies")),
    )  # fmt: skip
    old = op.get_bind().execute(sa.select(_JUDGED.c.regency, _JUDGED.c.site, _JUDGED.c.judged_ms)).all()
    op.drop_table("judged_sites")
    _make(
        "judged_sites",
        sa.Column("judged_ms", sa.BigInteger(), nullable=False), sa.Column("since", sa.Date(), nullable=False),
        sa.Column("first_service_ms", sa.BigInteger(), nullable=True), keys=(),
    )  # fmt: skip
    if old:
        op.bulk_insert(sa.table("judged_sites", *_columns("regency", "site", "judged_ms"),
                                sa.column("since", sa.Date())), [_since(*row) for row in old])  # fmt: skip


def downgrade() -> None:
    """Go back: what was closed is lost; open days can be judged again from readings that are still kept."""
    old = op.get_bind().execute(sa.select(_JUDGED.c.regency, _JUDGED.c.site, _JUDGED.c.judged_ms)).all()
    for table in ("judged_sites", "holidays", "service_months", "unseen_days"):
        op.drop_table(table)
    _make(
        "judged_sites",
        sa.Column("judged_ms", sa.BigInteger(), nullable=False), sa.Column("unseen", sa.String(), nullable=False),
        keys=(),
    )  # fmt: skip
    if old:
        columns = _columns("regency", "site", "judged_ms", "unseen")
        rows = [{"regency": regency, "site": site, "judged_ms": at_ms,
                 "unseen": json.dumps([{"start_ms": 0, "end_ms": at_ms}])} for regency, site, at_ms in old]  # fmt: skip
        op.bulk_insert(sa.table("judged_sites", *columns), rows)


def _since(regency: str, site: str, judged_ms: int) -> dict[str, Any]:
    day = datetime.fromtimestamp(judged_ms / 1000, UTC).date() - timedelta(days=_KNOWN_DAYS)
    return {"regency": regency, "site": site, "judged_ms": judged_ms, "since": day}


def _columns(*names: str) -> list[sa.ColumnClause[Any]]:
    return [sa.column(name) for name in names]


def _make(table: str, *columns: sa.Column[Any], keys: tuple[str, ...] = ("day",)) -> None:
    place = [sa.Column(name, sa.String(), nullable=False) for name in ("regency", "site")]
    op.create_table(
        table, *place, *columns,
        sa.PrimaryKeyConstraint("regency", "site", *keys, name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(["regency", "site"], ["sites.regency", "sites.code"],
                                name=op.f(f"fk_{table}_regency_site_sites")),
    )  # fmt: skip
