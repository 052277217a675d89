"""What others draw and watch with: see docs/grafana.md."""
