"""How far metrics stores have everything, as metrics of the server: what was taken, what was dropped, what lags."""

from sqlalchemy.orm import Session

from kampungnet.metrics import cursors
from kampungnet.metrics.page import Page


def of_stores(page: Page, db: Session) -> None:
    """Add what is known of every store that was ever pushed to."""
    for one in cursors.all_of(db):
        labels = {"regency": one.regency, "store": one.store}
        page.gauge("kampungnet_remote_write_up", labels, float(not one.trouble))
        page.counter("kampungnet_remote_write_samples", labels, one.samples)
        if one.stored_ms:
            page.gauge("kampungnet_remote_write_stored_timestamp_seconds", labels, one.stored_ms / 1000)
    for lost in cursors.dropped(db):
        labels = {"regency": lost.regency, "store": lost.store, "reason": lost.reason}
        page.counter("kampungnet_remote_write_samples_dropped", labels, lost.samples)
