"""The agent's own version, read once from the installed package."""

from kampungnet_agent.installed import version_of

VERSION = version_of("kampungnet")
