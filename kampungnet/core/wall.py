"""The second wall between villages: policies of PostgreSQL's tables, raised by migrations, a line for each table.

``wall.of("orders", "site")`` in the migration that makes a table is all there is to do; SQLite has no such wall and
nothing happens. What a transaction sees is told by :mod:`kampungnet.core.sight`. What these functions write may not
change under migrations that ran: another rule gets another name.

Codes are nested and of fixed length (35.10, 35.10.15, 35.10.15.2012), and what belongs to a village is named by its
code and more (35.10.15.2012-1): so a row is seen by who sees a beginning of its code.
"""

from typing import Final

from alembic import op

NAME: Final = "wall"
_SHARED: Final = "wall_shared"
_ASKED: Final = "(SELECT current_setting('kampungnet.place', true))"
# In brackets with SELECT: asked once for each statement, not for each row. The first line is all that jobs pay.
_WITHIN: Final = (
    f"CASE {_ASKED} WHEN '*' THEN true{{more}} WHEN left({{0}}, 5) THEN true WHEN left({{0}}, 8) THEN true"
    " WHEN left({0}, 13) THEN true ELSE false END"
)
_THROUGH: Final = f"CASE {_ASKED} WHEN '*' THEN true{{more}} ELSE EXISTS (SELECT FROM {{0}}) END"
_SHARING: Final = "(SELECT left(current_setting('kampungnet.place', true), 5)) IN ('*', {0})"
_BEFORE: Final = " WHEN '?' THEN true"
_NOT_BEFORE: Final = " WHEN '?' THEN false"


def of(table: str, code: str, *, before_sign_in: bool = False) -> None:
    """Let rows be seen and changed by who sees the place in ``code``: a column, or an expression of several.

    ``before_sign_in`` lets them be seen while it is not known yet who asks.
    """
    _raise(table, _WITHIN.format(code, more=_BEFORE if before_sign_in else ""))


def through(table: str, other: str, same: str, *, before_sign_in: bool = False) -> None:
    """Let rows be seen and changed by who sees the row of ``other`` for which ``same`` is true."""
    _raise(table, _THROUGH.format(f"{other} WHERE {same}", more=_BEFORE if before_sign_in else _NOT_BEFORE))


def shared(table: str, regency: str = "regency") -> None:
    """Let rows be seen and changed by all of a regency: what is the same in each of its villages."""
    _raise(table, _SHARING.format(regency))


def jobs_alone(table: str) -> None:
    """Let rows be seen and changed only by who sees everything: what no page shows. Costs reports the least."""
    _raise(table, f"{_ASKED} = '*'")


def shown_where(table: str, condition: str, regency: str = "regency") -> None:
    """Besides, let all of a regency read the rows for which ``condition`` is true."""
    if _has_walls():
        op.execute(f"CREATE POLICY {_SHARED} ON {table} FOR SELECT USING ({condition} AND {_SHARING.format(regency)})")


def fall(table: str) -> None:
    """Take the wall away."""
    if _has_walls():
        for name in (NAME, _SHARED):
            op.execute(f"DROP POLICY IF EXISTS {name} ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def _raise(table: str, condition: str) -> None:
    if _has_walls():
        # Forced: else the owner, which the server is, walks through.
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {NAME} ON {table} USING ({condition})")


def _has_walls() -> bool:
    return op.get_bind().dialect.name == "postgresql"
