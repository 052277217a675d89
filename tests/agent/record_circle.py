"""The whole circle of a recording: device, ``record``, replay, and the same reading again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kampungnet.shared import wire
from kampungnet_agent.driver import Driver, Polled
from kampungnet_agent.driver_loading import load_driver
from kampungnet_agent.record_mask import Mask
from kampungnet_agent.settings import Device
from kampungnet_sim.replay_serve import Replay


@dataclass(frozen=True)
class Expectation:
    """``expected.json`` of a recording."""

    driver: str
    settings: Mapping[str, Any]
    uptime_seconds: int | None
    body: wire.Body


def read_expectation(folder: Path) -> Expectation:
    """Read what the recording's answers must be read as; it must fit the wire."""
    told = json.loads((folder / "expected.json").read_text())
    body: wire.Body = msgspec.convert(told["body"], wire.Body, strict=True)
    return Expectation(told["driver"], told["settings"], told["uptime_seconds"], body)


async def read_again(folder: Path) -> Polled:
    """Replay a recording over its real protocol and read it with its driver; what it timed itself is left out."""
    expectation = read_expectation(folder)
    replay = Replay()
    driver: Driver | None = None
    try:
        told = await replay.add_recording(folder)
        driver = load_driver(expectation.driver)(_device(expectation, told, folder))
        polled = await driver.poll()
        return Polled(_untimed(polled.body), polled.uptime_seconds)
    finally:
        if driver is not None:
            await driver.close()
        await replay.close()


def _device(expectation: Expectation, told: Mapping[str, Any], folder: Path) -> Device:
    place = next(told[one] for one in ("router", "ont", "ssh") if one in told)
    return Device(
        name="recorded",
        driver=expectation.driver,
        address=place["address"],
        username=place.get("username", ""),
        secret=place.get("password") or place["community"],
        state_folder=str(folder.parent),
        **expectation.settings,
    )


def _untimed(body: wire.Body) -> wire.Body:
    if isinstance(body, wire.HostBody):
        return msgspec.structs.replace(body, pings=[])
    if not isinstance(body, wire.RouterBody):
        return body
    lookups = [msgspec.structs.replace(one, milliseconds=None) for one in body.lookups]
    return msgspec.structs.replace(body, lookups=lookups)


def same_but_names(body: wire.Body, masked: wire.Body) -> bool:
    """Tell whether two bodies have the same shape, the same numbers and texts of the same length."""
    return bool(_shape(msgspec.to_builtins(_untimed(body))) == _shape(msgspec.to_builtins(masked)))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return len(value) if isinstance(value, str) and "." not in value else value if not isinstance(value, str) else "."


def mask() -> Mask:
    """A mask whose key is known, to look at what it does."""
    return Mask(bytes(32))
