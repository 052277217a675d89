"""Whoever reads the views for people (``…_read``) reads them still when a migration or a restore made them anew.

The role is made by ``dashboards/grafana/reader.sql``, once. Rights are a view's, not its name's; backups hold none.
"""

from typing import Final

from sqlalchemy import Connection, text

ROLE: Final = "kampungnet_reader"
_LACKS_PLACE: Final = text(
    "SELECT count(*) FROM pg_roles r, pg_namespace n WHERE r.rolname = :role AND n.nspname = 'public'"
    " AND pg_has_role(n.nspowner, 'MEMBER') AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE')"
)
_LACKS: Final = text(
    "SELECT c.relname FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE r.rolname = :role AND n.nspname = 'public' AND c.relkind = 'v' AND c.relname LIKE '%\\_read'"
    " AND pg_has_role(c.relowner, 'MEMBER') AND NOT has_table_privilege(r.oid, c.oid, 'SELECT') ORDER BY c.relname"
)


def let_in(db: Connection) -> list[str]:
    """Let the reader, where there is one, see every view for people; return those it did not see before."""
    if db.dialect.name != "postgresql":
        return []
    if db.scalar(_LACKS_PLACE, {"role": ROLE}):  # a schema that a restore made is its owner's alone
        db.execute(text(f"GRANT USAGE ON SCHEMA public TO {ROLE}"))
    views = list(db.scalars(_LACKS, {"role": ROLE}))
    if views:
        db.execute(text(f"GRANT SELECT ON {', '.join(views)} TO {ROLE}"))
    return views
