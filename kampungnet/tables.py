"""Every table of every slice, so that migrations and tests see them all."""

import importlib
from typing import Final

MODELS: Final = (
    "core.jobs", "villages.models", "staff.models", "devices.models", "hands.models", "measurement.models",
    "measurement.outage_models", "billing.models", "hotspot.models", "configs.models", "alerts.models",
    "metrics.models",
)  # fmt: skip


def load() -> None:
    """Import the models of all slices."""
    for name in MODELS:
        importlib.import_module(f"kampungnet.{name}")
