"""One ONU's values to what travels. Pure.

The last-down cause is history, not state: it is told only for an outage that is really the last one
(facts 13.1), and an ONU that is up with the cause of last time is simply up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kampungnet.shared.wire import DownCause, Onu, OnuState

from .olt_trees import Column, OnuTree
from .olt_values import DARK_AT_OLT_DBM, DARK_AT_ONU_DBM, amount_of, level_of, time_of
from .snmp_ber import Oid, Value

Values = Mapping[Oid, Value]
_FARTHEST_METRES: Final = 100_000
_LIMITS: Final = {"temperature": (-60.0, 200.0), "voltage": (0.001, 100.0), "bias": (0.0, 1000.0)}


@dataclass(frozen=True, slots=True)
class State:
    """What is asked each minute."""

    state: OnuState = OnuState.UNKNOWN
    admin_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is asked when the state changes."""

    cause: DownCause | None = None
    last_down: str = ""
    last_up: str = ""
    distance: int | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """What is asked rarely."""

    rx: float | None = None
    tx: float | None = None
    olt_rx: float | None = None
    no_light: bool = False
    temperature: float | None = None
    voltage: float | None = None
    bias: float | None = None


def state_cells(tree: OnuTree, row: Oid) -> tuple[Oid, ...]:
    """Return the objects of :func:`state_of`, the serial number first."""
    admin = (tree.admin.cell(row),) if tree.admin else ()
    return ((*tree.serial, *row), tree.state.cell(row), *admin)


def state_of(tree: OnuTree, row: Oid, values: Values) -> State:
    """Return the state by the tree it was read from; a number nobody knows is ``UNKNOWN``."""
    raw = values.get(tree.state.cell(row))
    state = tree.states.get(raw, OnuState.UNKNOWN) if isinstance(raw, int) else OnuState.UNKNOWN
    admin = values.get(tree.admin.cell(row)) if tree.admin else None
    enabled = {1: True, 2: False}.get(admin) if isinstance(admin, int) else None
    if enabled is False and state is not OnuState.ONLINE:
        state = OnuState.DISABLED
    return State(state, enabled)


def history_cells(tree: OnuTree, row: Oid) -> tuple[Oid, ...]:
    """Return the objects of :func:`history_of`."""
    columns = (tree.last_up, tree.last_down, tree.cause, tree.distance)
    return tuple(column.cell(row) for column in columns if column)


def history_of(tree: OnuTree, row: Oid, values: Values, state: OnuState) -> History:
    """Return when and why the ONU was last down.

    While it is down, a time of going down before the last coming up belongs to an older outage:
    its cause says nothing about this one.
    """

    def raw(column: Column | None) -> Value | None:
        return values.get(column.cell(row)) if column else None

    up, down = time_of(raw(tree.last_up)), time_of(raw(tree.last_down))
    number = raw(tree.cause)
    cause = tree.causes.get(number, DownCause.OTHER) if isinstance(number, int) and number > -1 else None
    if isinstance(number, int) and number == 0 and 0 not in tree.causes:
        cause = None
    if state is not OnuState.ONLINE and up and down and down < up:
        cause, down = None, ""
    distance = amount_of(raw(tree.distance), tree.distance.scale if tree.distance else 1, 0, _FARTHEST_METRES)
    return History(cause, down, up, None if distance is None else int(distance))


def level_cells(tree: OnuTree, row: Oid, suffix: Oid) -> tuple[Oid, ...]:
    """Return the objects of :func:`levels_of`."""
    return tuple(_cell(name, column, row, suffix) for name, column in tree.light.items())


def levels_of(tree: OnuTree, row: Oid, suffix: Oid, values: Values) -> Levels:
    """Return light levels and the module's state; darkness is ``no_light`` and no level."""
    raw = {name: values.get(_cell(name, column, row, suffix)) for name, column in tree.light.items()}

    def level(name: str) -> float | None:
        column = tree.light.get(name)
        if column is None:
            return None
        return level_of(raw[name], column.scale, column.offset, zero_is_none=tree.zero_is_none)

    def amount(name: str) -> float | None:
        return amount_of(raw.get(name), tree.light[name].scale, *_LIMITS[name]) if name in tree.light else None

    rx, tx, olt_rx = level("rx"), level("tx"), level("olt_rx")
    dark = rx in {DARK_AT_ONU_DBM, DARK_AT_OLT_DBM} or olt_rx in {DARK_AT_ONU_DBM, DARK_AT_OLT_DBM}
    return Levels(
        rx=_lit(rx),
        tx=_lit(tx),
        olt_rx=_lit(olt_rx),
        no_light=dark,
        temperature=amount("temperature"),
        voltage=amount("voltage"),
        bias=amount("bias"),
    )


def _lit(dbm: float | None) -> float | None:
    return None if dbm in {DARK_AT_ONU_DBM, DARK_AT_OLT_DBM} else dbm


def _cell(name: str, column: Column, row: Oid, suffix: Oid) -> Oid:
    return column.cell(row, () if name == "olt_rx" else suffix)


def onu_of(serial: str, port: str, state: State, history: History, levels: tuple[Levels, int] | None) -> Onu:
    """Return what travels; ``levels`` with their age in seconds."""
    light, age = levels or (Levels(), None)
    return Onu(
        serial=serial,
        port=port,
        state=state.state,
        admin_enabled=state.admin_enabled,
        rx_power_dbm=light.rx,
        tx_power_dbm=light.tx,
        olt_rx_power_dbm=light.olt_rx,
        no_light=light.no_light,
        light_age_seconds=age,
        distance_metres=history.distance,
        last_down_cause=history.cause,
        last_down=history.last_down,
        last_up=history.last_up,
        temperature_celsius=light.temperature,
        voltage_volts=light.voltage,
        bias_milliamperes=light.bias,
    )
