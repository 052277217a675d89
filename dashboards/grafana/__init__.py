"""The boards for Grafana, built as code: ``make dashboards`` writes them."""
