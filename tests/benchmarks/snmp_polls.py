"""Polls of one SNMP device in a process of its own; prints what they cost as JSON.

``python -m tests.benchmarks.snmp_polls --who pysnmp --version 3 --ont '{…}' --polls 240``. ``ours`` is the driver
``ont-snmp`` with everything it does; ``pysnmp`` is pysnmp used as cheaply as it can be (one engine for life, one
GETBULK over all columns, numbers, no MIB look-up), which hands over rows and makes no reading of them.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.drivers.ont_snmp import OntSnmpDriver
from kampungnet_agent.settings import Device
from tests.benchmarks.own_process import cpu_seconds
from tests.benchmarks.simulator import Ont

ROWS = 10
COLUMNS = (
    "1.3.6.1.2.1.2.2.1.7",
    "1.3.6.1.2.1.2.2.1.8",
    "1.3.6.1.2.1.2.2.1.14",
    "1.3.6.1.2.1.2.2.1.20",
    "1.3.6.1.2.1.31.1.1.1.6",
    "1.3.6.1.2.1.31.1.1.1.10",
)
"""Status wanted and real, errors and bytes of both directions (RFC 2863)."""
WARM_POLLS = 3

Poll = Callable[[], Awaitable[int]]
"""One poll; returns how many values it has read."""


def recording() -> str:
    """Return the walk of a plain device with such a table, as the simulator replays it."""
    lines = [
        "1.3.6.1.2.1.1.1.0|4|A plain fibre unit", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1",
        "1.3.6.1.2.1.1.3.0|67|8640000", "1.3.6.1.2.1.1.5.0|4|ont",
    ]  # fmt: skip
    values = ("2|1", "2|1", "65|17", "65|4", "70|987654321012", "70|123456789012")
    named = (("1.3.6.1.2.1.2.2.1.2", "4|Ethernet port {}"), ("1.3.6.1.2.1.2.2.1.3", "2|6"))
    for column, value in (*named, ("1.3.6.1.2.1.31.1.1.1.1", "4|eth{}"), *zip(COLUMNS, values, strict=True)):
        lines += [f"{column}.{row}|{value.format(row)}" for row in range(1, ROWS + 1)]
    return "\n".join(sorted(lines, key=lambda line: [int(part) for part in line.partition("|")[0].split(".")])) + "\n"


def ours(ont: Ont, version: str) -> Poll:
    """Return a poll of our driver."""
    account: dict[str, str | int | bool | list[str]] = {"version": version}
    if version == "3":
        account |= {"auth_protocol": "sha", "priv_protocol": "aes", "privacy_secret": ont.v3_priv_password}
    secret = ont.community if version == "2c" else ont.v3_auth_password
    device = Device("ont", "ont-snmp", ont.address, ont.v3_username, secret, options=account)
    driver = OntSnmpDriver(device)

    async def poll() -> int:
        body = (await driver.poll()).body
        if not isinstance(body, wire.OntBody):
            return 0
        whole = (one.rx_bytes is not None and one.tx_errors is not None for one in body.interfaces)
        return sum(whole) * len(COLUMNS)

    return poll


def pysnmp(ont: Ont, version: str) -> Poll:
    """Return a poll of pysnmp; imported here, because what it weighs must not slow down the other one."""
    from pysnmp.hlapi.v3arch.asyncio import (  # type: ignore[import-untyped]  # noqa: PLC0415 -- see above
        CommunityData,
        ContextData,
        ObjectIdentity,
        ObjectType,
        SnmpEngine,
        UdpTransportTarget,
        UsmUserData,
        bulk_cmd,
        usmAesCfb128Protocol,
        usmHMACSHAAuthProtocol,
    )

    engine, target = SnmpEngine(), ont.address.split(":")
    account = CommunityData(ont.community, mpModel=1)
    if version == "3":
        account = UsmUserData(
            ont.v3_username, ont.v3_auth_password, ont.v3_priv_password,
            authProtocol=usmHMACSHAAuthProtocol, privProtocol=usmAesCfb128Protocol,
        )  # fmt: skip
    found: list[object] = []

    async def poll() -> int:
        if not found:
            found.append(await UdpTransportTarget.create((target[0], int(target[1])), timeout=2, retries=1))
        columns = [ObjectType(ObjectIdentity(column)) for column in COLUMNS]
        error, status, _, rows = await bulk_cmd(
            engine, account, found[0], ContextData(), 0, ROWS, *columns, lookupMib=False
        )
        if error or status:
            raise RuntimeError(f"pysnmp: {error or status}")
        return len([(name.asTuple(), int(value)) for name, value in rows])

    return poll


async def measure(poll: Poll, polls: int) -> float:
    """Return the CPU milliseconds of one poll."""
    for _ in range(WARM_POLLS):
        await poll()
    spent = cpu_seconds()
    for _ in range(polls):
        read = await poll()
        if read != len(COLUMNS) * ROWS:
            raise RuntimeError(f"{read} values read")
    return (cpu_seconds() - spent) * 1000 / polls


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--who", choices=("ours", "pysnmp"), required=True)
    parser.add_argument("--version", choices=("2c", "3"), required=True)
    parser.add_argument("--ont", required=True)
    parser.add_argument("--polls", type=int, required=True)
    options = parser.parse_args()
    reached = msgspec.json.decode(options.ont, type=Ont)
    chosen = {"ours": ours, "pysnmp": pysnmp}[options.who](reached, options.version)
    sys.stdout.write(str(asyncio.run(measure(chosen, options.polls))))
