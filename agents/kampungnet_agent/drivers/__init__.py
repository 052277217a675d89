"""One file per kind of device; found by name among the entry points ``kampungnet.drivers``."""
