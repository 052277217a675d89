"""What a month needs of a day becomes one value of one length, so that a database can put a month's days in a row."""

from array import array
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None

_PEAKS = 40
_SUMS = ("rx_bytes", "tx_bytes", "covered_ms", "samples", "flags", "busiest_hour", "busiest_bytes")
_KEY = ("regency", "site", "device", "day", "interface")
_WIDTH = 8


def upgrade() -> None:
    """Go one version forward."""
    op.execute("ALTER TABLE traffic_days RENAME COLUMN peaks TO packed")
    _rewrite(_packed)


def downgrade() -> None:
    """Go back."""
    _rewrite(_peaks)
    op.execute("ALTER TABLE traffic_days RENAME COLUMN packed TO peaks")


def _packed(row: Any) -> bytes:
    """Return the day's numbers and its highest slots: turned round, and as many as a day has at most."""
    numbers = array("q", (row.day.toordinal(), *(getattr(row, name) for name in _SUMS)))
    peaks = array("d", row.packed)
    half = len(peaks) // 2
    filled = [*peaks[:half], *[-1.0] * (_PEAKS - half), *peaks[half:], *[-1.0] * (_PEAKS - half)]
    return numbers.tobytes() + array("d", reversed(filled)).tobytes()


def _peaks(row: Any) -> bytes:
    peaks = array("d", row.packed[_WIDTH * (1 + len(_SUMS)) :])
    return array("d", [one for one in reversed(peaks) if one >= 0]).tobytes()


def _rewrite(change: Callable[[Any], bytes]) -> None:
    db = op.get_bind()
    types: dict[str, Any] = {"day": sa.Date(), "packed": sa.LargeBinary()}
    days = sa.table("traffic_days", *(sa.column(name, types.get(name)) for name in (*_KEY, *_SUMS, "packed")))
    same = [days.c[name] == sa.bindparam(f"key_{name}", type_=types.get(name)) for name in _KEY]
    update = sa.update(days).where(*same).values(packed=sa.bindparam("new", type_=types["packed"]))
    for regency, site in db.execute(sa.select(days.c.regency, days.c.site).distinct()).all():
        rows = db.execute(sa.select(days).where(days.c.regency == regency, days.c.site == site)).all()
        keys = [{f"key_{name}": getattr(row, name) for name in _KEY} for row in rows]
        db.execute(update, [{"new": change(row), **key} for row, key in zip(rows, keys, strict=True)])
