"""The box in the village office: polls devices, keeps what it measured, delivers it."""
