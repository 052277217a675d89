"""Providers, budgets, contracts, statements and what belongs to them; a duty for budget staff of a unit."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TEXT, _DAY, _INT, _SMALL, _BLOB, _BOOL = (
    sa.String(), sa.Date(), sa.BigInteger(), sa.SmallInteger(), sa.LargeBinary(), sa.Boolean(),
)  # fmt: skip

_Types = dict[str, Any]


def upgrade() -> None:
    """Go one version forward. The tables begin empty."""
    _books()
    _contracts()
    _papers()
    _make(
        "pending_imports", "regency id",
        {"regency": _TEXT, "id": _TEXT, "username": _TEXT, "what": _TEXT, "file_name": _TEXT, "content": _BLOB,
         "uploaded_ms": _INT}, ("regencies", "regency", "code"),
    )  # fmt: skip
    op.add_column("staff", sa.Column("duty", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("staff") as staff:
        staff.alter_column("duty", server_default=None)


def downgrade() -> None:
    """Go back: contracts, budgets and statements are lost, so export them first."""
    with op.batch_alter_table("staff") as staff:
        staff.drop_column("duty")
    for table in (
        "pending_imports", "statement_steps", "corrections", "statements", "invoices", "contract_versions", "contracts",
        "budget_versions", "budget_lines", "fund_stages", "account_codes", "providers",
    ):  # fmt: skip
        op.drop_table(table)


def _books() -> None:
    regency = ("regencies", "regency", "code")
    _make("providers", "regency code", {"regency": _TEXT, "code": _TEXT, "name": _TEXT, "npwp": _TEXT}, regency)
    _make(
        "account_codes", "regency chart code",
        {"regency": _TEXT, "chart": _TEXT, "code": _TEXT, "name": _TEXT}, regency,
    )  # fmt: skip
    _make(
        "fund_stages", "regency year fund number",
        {"regency": _TEXT, "year": _SMALL, "fund": _TEXT, "number": _SMALL, "share_percent": _TEXT, "arrives": _DAY,
         "source": _TEXT}, regency,
    )  # fmt: skip
    _make(
        "budget_lines", "regency id",
        {"regency": _TEXT, "id": _TEXT, "unit": _TEXT, "village?": _TEXT, "year": _SMALL, "activity": _TEXT,
         "account": _TEXT, "name": _TEXT, "opening_rupiah": _INT, "opening_through?": _DAY},
        ("villages", "regency village", "regency code"),
    )  # fmt: skip
    _index("budget_lines", "regency unit year activity account", unique=True)
    _index("budget_lines", "regency year")
    _make(
        "budget_versions", "regency line valid_from",
        {"regency": _TEXT, "line": _TEXT, "valid_from": _DAY, "kind": _TEXT, "document": _TEXT, "funds": _TEXT,
         "pagu_rupiah": _INT}, ("budget_lines", "regency line", "regency id"),
    )  # fmt: skip


def _contracts() -> None:
    _make(
        "contracts", "regency id",
        {"regency": _TEXT, "id": _TEXT, "unit": _TEXT, "village": _TEXT, "site": _TEXT, "provider": _TEXT,
         "number": _TEXT, "first_day": _DAY, "last_day?": _DAY, "activated?": _DAY, "line?": _TEXT,
         "entered_by": _TEXT, "entered_ms": _INT},
        ("villages", "regency village", "regency code"), ("providers", "regency provider", "regency code"),
        ("budget_lines", "regency line", "regency id"),
    )  # fmt: skip
    _index("contracts", "regency village")
    contract = ("contracts", "regency contract", "regency id")
    _make(
        "contract_versions", "regency contract valid_from",
        {"regency": _TEXT, "contract": _TEXT, "valid_from": _DAY, "terms": _TEXT, "document": _TEXT}, contract,
    )  # fmt: skip
    _make(
        "invoices", "regency contract month revision",
        {"regency": _TEXT, "contract": _TEXT, "month": _DAY, "revision": _SMALL, "number": _TEXT, "dated": _DAY,
         "lines": _TEXT, "total_rupiah": _INT, "entered_by": _TEXT, "entered_ms": _INT}, contract,
    )  # fmt: skip


def _papers() -> None:
    month: _Types = {"regency": _TEXT, "contract": _TEXT, "month": _DAY}
    _make(
        "statements", "regency contract month",
        month | {"unit": _TEXT, "village": _TEXT, "state": _TEXT, "number_year?": _SMALL, "number?": _INT,
                 "document": _BLOB, "hash": _TEXT, "total_rupiah": _INT, "judged": _BOOL, "made_ms": _INT},
        ("contracts", "regency contract", "regency id"),
    )  # fmt: skip
    _index("statements", "regency month")
    _index("statements", "regency village month")
    _index("statements", "regency unit number_year number", unique=True)
    _index("statements", "hash")
    statement = ("statements", "regency contract month", "regency contract month")
    _make(
        "statement_steps", "regency contract month step",
        month | {"step": _SMALL, "state": _TEXT, "username": _TEXT, "name": _TEXT, "at_ms": _INT, "note": _TEXT},
        statement,
    )  # fmt: skip
    _make(
        "corrections", "regency contract month number",
        month | {"number": _SMALL, "noted_ms": _INT, "rupiah": _INT, "document": _BLOB, "posted_month?": _DAY},
        statement,
    )  # fmt: skip


def _make(table: str, keys: str, columns: _Types, *foreign: tuple[str, str, str]) -> None:
    """Make a table; a column whose name ends in a question mark may be empty."""
    of_columns = [sa.Column(name.rstrip("?"), kind, nullable=name.endswith("?")) for name, kind in columns.items()]
    of_keys = [
        sa.ForeignKeyConstraint(
            own.split(), [f"{other}.{name}" for name in theirs.split()],
            name=op.f(f"fk_{table}_{own.replace(' ', '_')}_{other}"),
        )
        for other, own, theirs in foreign
    ]  # fmt: skip
    op.create_table(
        table, *of_columns, sa.PrimaryKeyConstraint(*keys.split(), name=op.f(f"pk_{table}")), *of_keys
    )  # fmt: skip


def _index(table: str, columns: str, *, unique: bool = False) -> None:
    op.create_index(op.f(f"ix_{table}_{columns.replace(' ', '_')}"), table, columns.split(), unique=unique)
