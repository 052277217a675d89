"""The agent's own version, read once from the installed package."""

from importlib import metadata

try:
    VERSION = metadata.version("kampungnet")
except metadata.PackageNotFoundError:
    VERSION = ""
