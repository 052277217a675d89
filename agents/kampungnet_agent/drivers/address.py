"""``host:port`` as it stands in agent.toml."""

from typing import Final

_HIGHEST_PORT: Final = 65_535


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """Return host and port of ``host:port``, ``host``, ``[ipv6]:port`` or a bare IPv6 address.

    Raises ``ValueError`` when the port is no number from 1 to 65535 or the host is empty.
    """
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":")
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    else:
        host, port = address, ""
    number = int(port) if port else default_port
    if not host or not 0 < number <= _HIGHEST_PORT:
        raise ValueError(f"address {address!r} is not host:port")
    return host, number
