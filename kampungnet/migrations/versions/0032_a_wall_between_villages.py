"""PostgreSQL: a second wall between villages. What a transaction says it sees is all that it reads and changes.

A table that comes later gets its line in its own migration; ``tests/core/test_wall.py`` finds the one that has none.
"""

from kampungnet.core import wall

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_PLACE = "current_setting('kampungnet.place', true)"
# A knock of nobody's box belongs to every kabupaten, and to none of its villages.
_NOBODYS = f"coalesce(nullif(regency, ''), CASE length({_PLACE}) WHEN 5 THEN {_PLACE} END)"
_OF = {
    "code": "villages sites",
    "village": "enrolment_codes site_places",
    "site": (
        "agents config_backups config_revisions devices hotspot_accounts hotspot_bindings hotspot_days "
        "hotspot_kicks hotspot_portals hotspot_sessions judged_sites months_due oddities onu_sight_days onus outages "
        "reading_days remote_abilities remote_orders rulings service_months sight_days slot_days "
        "support_bundles traffic_corrections traffic_days traffic_hours "
        "traffic_months traffic_slots unseen_days voucher_batches voucher_misses vouchers young_readings"
    ),
    "unit": "budget_lines contracts statements",
    "line": "budget_versions",
    "contract": "contract_versions corrections invoices line_hours statement_steps",
    "place": "alert_recipients",
    "regency": "alert_groups audit_log push_cursors push_dropped",
    _NOBODYS: "box_knocks",
    "CASE site WHEN '' THEN regency ELSE site END": "hotspot_notices",
}
_SHARED = "account_codes districts fund_stages holidays hotspot_garden hotspot_plans incidents planned_work providers"
_BEFORE_SIGN_IN = {"staff": "coalesce(village, district, regency)", "alert_tokens": "regency"}
_OF_STAFF = {"staff_sessions": True, "staff_spare_codes": True, "pending_imports": False}
_RECIPIENT = "other.regency = alert_messages.regency AND other.id = alert_messages.recipient"


def upgrade() -> None:
    """Go one version forward."""
    for code, names in _OF.items():
        for table in names.split():
            wall.of(table, code)
    for table in _SHARED.split():
        wall.shared(table)
    wall.shared("regencies", "code")
    wall.shown_where("hotspot_notices", "site = ''")
    for table, code in _BEFORE_SIGN_IN.items():
        wall.of(table, code, before_sign_in=True)
    for table, before in _OF_STAFF.items():
        wall.through(table, "staff other", f"other.username = {table}.username", before_sign_in=before)
    wall.jobs_alone("boots")
    wall.through("alert_messages", "alert_recipients other", _RECIPIENT)


def downgrade() -> None:
    """Go back."""
    named = " ".join([*_OF.values(), _SHARED, *_BEFORE_SIGN_IN, *_OF_STAFF, "regencies boots alert_messages"])
    for table in named.split():
        wall.fall(table)
