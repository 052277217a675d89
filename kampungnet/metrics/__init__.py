"""What is measured, for metrics stores: live at scrape time, and pushed with its own time."""
