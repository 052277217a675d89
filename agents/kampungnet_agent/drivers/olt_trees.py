"""Where each maker's OLT keeps its ONUs: nothing but data. Facts on ONTs, sections 2.3 and 5 to 10.

A tree is chosen by whether it answers, never by the maker's name alone: ZTE has an old and a new one,
and the same number means LOS in one and "working" in the other. Columns with names, descriptions and
passwords of customers stand nowhere here and are never read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kampungnet.shared.wire import DownCause, Grade, OnuState

from .light_sources import oid
from .olt_values import dotted, fiberhome_5116, fiberhome_5516, huawei_pon, zte_if_index, zte_new, zte_pon
from .snmp_ber import Oid


def _same(row: Oid) -> Oid:
    return row


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity: value = raw x ``scale`` + ``offset``."""

    oid: Oid
    scale: float = 1.0
    offset: float = 0.0
    suffix: Oid = ()
    """Stands behind the ONU's index: the ONU's own port."""
    row: Callable[[Oid], Oid] = _same
    """From the ONU's index in the serial column to the one in this column."""

    def cell(self, row: Oid, further: Oid = ()) -> Oid:
        """Return the exact object for one ONU."""
        return (*self.oid, *self.row(row), *self.suffix, *further)


@dataclass(frozen=True, slots=True)
class OnuTree:
    """One maker's table of ONUs. Every column but ``serial`` is read by exact row only."""

    name: str
    models: str
    """For people: which OLTs."""
    enterprises: tuple[Oid, ...]
    """Starts of the sysObjectID of devices that may have it."""
    grade: Grade
    serial: Oid
    """The one column that is walked, once."""
    state: Column
    states: Mapping[int, OnuState]
    light: Mapping[str, Column]
    """``rx``, ``tx`` at the ONU and ``olt_rx`` in dBm, ``temperature`` C, ``voltage`` V, ``bias`` mA."""
    distance: Column | None = None
    """In metres."""
    admin: Column | None = None
    """1 is enabled."""
    last_up: Column | None = None
    last_down: Column | None = None
    cause: Column | None = None
    causes: Mapping[int, DownCause] = field(default_factory=dict)
    port: Callable[[Oid], str] = dotted
    zero_is_none: bool = False
    """Light of exactly 0 is no reading."""
    pon_port: Callable[[Oid], tuple[int, str]] | None = None
    """ifIndex of the ONU's PON port and the end its ifName must have: joined by name, never by number alone."""
    light_suffixes: tuple[Oid, ...] = ((),)
    """What may stand behind the index in the table of light, where software versions differ."""
    doubtful: tuple[str, ...] = ()
    """Quantities whose scale or meaning two sources tell differently."""


_ZTE: Final = "1.3.6.1.4.1.3902."
_HUAWEI: Final = "1.3.6.1.4.1.2011.6.128.1.1.2."
_FIBERHOME: Final = "1.3.6.1.4.1.5875.800.3."
_UFIBER: Final = "1.3.6.1.4.1.41112.1.5.6.2.1."
_VSOL_D: Final = "1.3.6.1.4.1.37950.1.1.5.12."
_VSOL_G: Final = "1.3.6.1.4.1.37950.1.1.6.1.1."
_CDATA_E: Final = "1.3.6.1.4.1.17409.2.3.4."
_CDATA_G: Final = "1.3.6.1.4.1.17409.2.8.4."
_BDCOM: Final = "1.3.6.1.4.1.3320."
_HSGQ: Final = "1.3.6.1.4.1.50224.3.12."
_CDATA_ENTERPRISES: Final = (oid("1.3.6.1.4.1.17409"), oid("1.3.6.1.4.1.34592"))


def _column(dotted_oid: str, scale: float = 1.0, offset: float = 0.0, suffix: Oid = ()) -> Column:
    return Column(oid(dotted_oid), scale, offset, suffix)


def _five(start: str, columns: str, scales: tuple[float, ...]) -> dict[str, Column]:
    """Return columns of one table for rx, tx, bias, voltage, temperature."""
    names = ("rx", "tx", "bias", "voltage", "temperature")
    pairs = zip(names, columns.split(), scales, strict=True)
    return {name: _column(start + column, scale) for name, column, scale in pairs}


_ON_OFF: Final = {1: OnuState.ONLINE, 2: OnuState.OFFLINE}
_ZTE_PHASES: Final = (
    OnuState.REGISTERING,
    OnuState.LOS,
    OnuState.REGISTERING,
    OnuState.ONLINE,
    OnuState.DYING_GASP,
    OnuState.REFUSED,
    OnuState.OFFLINE,
)
_ZTE_CAUSES: Final = {
    2: DownCause.LOS,
    4: DownCause.SIGNAL,
    5: DownCause.SIGNAL,
    6: DownCause.SIGNAL,
    9: DownCause.DYING_GASP,
}
"""Two tables of causes are in use (facts 5.5): only numbers of one meaning in both."""
_HUAWEI_CAUSES: Final = (
    dict.fromkeys((1, 2), DownCause.LOS)
    | dict.fromkeys((3, 4, 5, 6, 11, 15), DownCause.SIGNAL)
    | dict.fromkeys((7, 8, 30), DownCause.DEACTIVATED)
    | dict.fromkeys((9, 10, 31, 32, 33), DownCause.RESET)
    | dict.fromkeys((12, 35), DownCause.REFUSED)
    | {13: DownCause.DYING_GASP}
)
_BDCOM_CAUSES: Final = {
    1: DownCause.DYING_GASP,
    3: DownCause.DEACTIVATED,
    6: DownCause.LOS,
    8: DownCause.LOS,
    11: DownCause.RESET,
    12: DownCause.SIGNAL,
}


def _place(numbers: tuple[int, ...]) -> str:
    return "/".join(map(str, numbers))


def _fiberhome_pon(row: Oid) -> Oid:
    slot, pon, onu = fiberhome_5516(row[0])
    return (slot << 25) + (pon << 19), onu


def _fiberhome(
    models: str,
    system: tuple[str, ...],
    states: Mapping[int, OnuState],
    decode: Callable[[int], tuple[int, int, int]] = fiberhome_5516,
) -> OnuTree:
    return OnuTree(
        name=f"FiberHome {models.split(',', maxsplit=1)[0]}",
        models=models,
        enterprises=tuple(oid("1.3.6.1.4.1.5875." + one) for one in system),
        grade=Grade.FROM_MIB,
        serial=oid(_FIBERHOME + "10.1.1.10"),
        state=_column(_FIBERHOME + "10.1.1.11"),
        states=states,
        light=_five(_FIBERHOME + "9.3.3.1.", "6 7 9 8 10", (0.01,) * 5)
        | {"olt_rx": Column(oid(_FIBERHOME + "9.3.7.1.2"), 0.01, row=_fiberhome_pon)},
        distance=_column(_FIBERHOME + "9.6.1.1.1"),
        last_up=_column(_FIBERHOME + "10.1.1.30"),
        last_down=_column(_FIBERHOME + "10.1.1.31"),
        port=lambda row: "{}/{}:{}".format(*decode(row[0])),
        zero_is_none=True,
        doubtful=("olt_rx",),
    )


TREES: Final = (
    OnuTree(
        name="ZTE, tree 1082",
        models="C320 V2.2 and later, C600",
        enterprises=(oid(_ZTE + "1082"),),
        grade=Grade.NOT_TRIED,
        serial=oid(_ZTE + "1082.500.10.2.3.3.1.18"),
        state=_column(_ZTE + "1082.500.10.2.3.8.1.4"),
        states=dict(enumerate(_ZTE_PHASES, start=1)),
        light={
            "rx": _column(_ZTE + "1082.500.20.2.2.2.1.10", 0.002, -30, (1,)),
            "olt_rx": _column(_ZTE + "1082.500.1.2.4.2.1.2", 0.001),
        },
        distance=_column(_ZTE + "1082.500.10.2.3.10.1.2"),
        admin=_column(_ZTE + "1082.500.10.2.3.8.1.1"),
        last_up=_column(_ZTE + "1082.500.10.2.3.8.1.5"),
        last_down=_column(_ZTE + "1082.500.10.2.3.8.1.6"),
        cause=_column(_ZTE + "1082.500.10.2.3.8.1.7"),
        causes=_ZTE_CAUSES,
        port=lambda row: f"gpon_onu-{_place(zte_new(row[0]))}:{row[1]}",
        zero_is_none=True,
        pon_port=lambda row: (row[0], f"-{_place(zte_new(row[0]))}"),
        doubtful=("cause",),
    ),
    OnuTree(
        name="ZTE, tree 1012",
        models="C300, C320 V1.x, V2.0, V2.1",
        enterprises=(oid(_ZTE + "1082"), oid(_ZTE + "1012")),
        grade=Grade.FROM_MIB,
        serial=oid(_ZTE + "1012.3.28.1.1.5"),
        state=_column(_ZTE + "1012.3.28.2.1.4"),
        states=dict(enumerate(_ZTE_PHASES)),
        light={
            "rx": _column(_ZTE + "1012.3.50.12.1.1.10", 0.002, -30, (1,)),
            "tx": _column(_ZTE + "1012.3.50.12.1.1.14", 0.002, -30, (1,)),
            "voltage": _column(_ZTE + "1012.3.50.12.1.1.17", 0.02, suffix=(1,)),
            "bias": _column(_ZTE + "1012.3.50.12.1.1.18", 0.002, suffix=(1,)),
            "temperature": _column(_ZTE + "1012.3.50.12.1.1.19", 1 / 256, suffix=(1,)),
            "olt_rx": _column(_ZTE + "1015.1010.11.2.1.2", 0.001),
        },
        distance=_column(_ZTE + "1012.3.11.4.1.2"),
        admin=_column(_ZTE + "1012.3.28.2.1.1"),
        last_up=_column(_ZTE + "1012.3.28.2.1.5"),
        last_down=_column(_ZTE + "1012.3.28.2.1.6"),
        cause=_column(_ZTE + "1012.3.28.2.1.7"),
        causes=_ZTE_CAUSES,
        port=lambda row: f"gpon-onu_{_place(zte_pon(row[0]))}:{row[1]}",
        zero_is_none=True,
        pon_port=lambda row: (zte_if_index(*zte_pon(row[0])), f"_{_place(zte_pon(row[0]))}"),
        doubtful=("tx", "temperature", "last_up", "last_down", "cause"),
    ),
    OnuTree(
        name="Huawei SmartAX",
        models="MA5600T, MA5603T, MA5608T, MA5800",
        enterprises=(oid("1.3.6.1.4.1.2011"),),
        grade=Grade.FROM_MIB,
        serial=oid(_HUAWEI + "43.1.3"),
        state=_column(_HUAWEI + "46.1.15"),
        states=_ON_OFF,
        light=_five(_HUAWEI + "51.1.", "4 3 2 5 1", (0.01, 0.01, 1, 0.001, 1))
        | {"olt_rx": _column(_HUAWEI + "51.1.6", 0.01, -100)},
        distance=_column(_HUAWEI + "46.1.20"),
        admin=_column(_HUAWEI + "46.1.1"),
        last_up=_column(_HUAWEI + "46.1.22"),
        last_down=_column(_HUAWEI + "46.1.23"),
        cause=_column(_HUAWEI + "46.1.24"),
        causes=_HUAWEI_CAUSES,
        port=lambda row: f"{_place(huawei_pon(row[0]))}:{row[1]}",
        pon_port=lambda row: (row[0], f" {_place(huawei_pon(row[0]))}"),
    ),
    _fiberhome(
        "AN5516-01, -04, -06",
        ("800.1001.11", "800.1001.12"),
        {0: OnuState.LOS, 1: OnuState.ONLINE, 2: OnuState.DYING_GASP, 3: OnuState.OFFLINE},
    ),
    _fiberhome(
        "AN5116",
        ("800.1001.1", "800.1001.2"),
        {0: OnuState.OFFLINE, 1: OnuState.ONLINE, 2: OnuState.DYING_GASP},
        fiberhome_5116,
    ),
    _fiberhome("NG-PON, other models", ("800",), {0: OnuState.OFFLINE, 1: OnuState.ONLINE}),
    OnuTree(
        name="UFiber",
        models="Ubiquiti UFiber OLT",
        enterprises=(oid("1.3.6.1.4.1.41112.1.5"),),
        grade=Grade.RECORDED,
        serial=oid(_UFIBER + "1"),
        state=_column(_UFIBER + "3"),
        states=_ON_OFF,
        light={"rx": _column(_UFIBER + "9", 0.01), "tx": _column(_UFIBER + "8", 0.01)},
        port=lambda _row: "",  # its index is the serial number itself
        zero_is_none=True,
    ),
    OnuTree(
        name="V-SOL EPON",
        models="V1600D",
        enterprises=(oid("1.3.6.1.4.1.37950"),),
        grade=Grade.FROM_MIB,
        serial=oid(_VSOL_D + "1.25.1.5"),
        state=_column(_VSOL_D + "1.25.1.4"),
        states={0: OnuState.OFFLINE, 1: OnuState.ONLINE},
        light=_five(_VSOL_D + "2.1.8.1.", "7 6 5 4 3", (1,) * 5),
        distance=_column(_VSOL_D + "1.25.1.17"),
        last_up=_column(_VSOL_D + "1.25.1.18"),
        last_down=_column(_VSOL_D + "1.25.1.19"),
        cause=_column(_VSOL_D + "1.25.1.15"),
        causes={0: DownCause.LOS, 1: DownCause.DYING_GASP},
        port=lambda row: f"{_place(row[:-1])}:{row[-1]}",
    ),
    OnuTree(
        name="V-SOL GPON",
        models="V1600G",
        enterprises=(oid("1.3.6.1.4.1.37950"),),
        grade=Grade.NOT_TRIED,
        serial=oid(_VSOL_G + "4.1.5"),
        state=_column(_VSOL_G + "1.1.4"),
        states={0: OnuState.OFFLINE, 1: OnuState.ONLINE},
        light={
            "rx": _column(_VSOL_G + "3.1.7", 0.1),
            "tx": _column(_VSOL_G + "3.1.6", 0.1),
            "voltage": _column(_VSOL_G + "3.1.4"),
            "temperature": _column(_VSOL_G + "3.1.3"),
        },
        distance=_column(_VSOL_G + "12.1.3"),
        port=lambda row: f"{_place(row[:-1])}:{row[-1]}",
        zero_is_none=True,
        doubtful=("rx", "tx", "state"),
    ),
    OnuTree(
        name="C-DATA GPON",
        models="FD16xx",
        enterprises=_CDATA_ENTERPRISES,
        grade=Grade.NOT_TRIED,
        serial=oid(_CDATA_G + "1.1.3"),
        state=_column(_CDATA_G + "1.1.7"),
        states=_ON_OFF,
        light=_five(_CDATA_G + "4.1.", "4 5 6 7 8", (0.01,) * 5),
        light_suffixes=((), (0, 0)),
        distance=_column(_CDATA_G + "1.1.9"),
        port=lambda row: f"{(row[0] >> 12 & 0xF) + 1}:{row[0] & 0xFFF}",
        zero_is_none=True,
        doubtful=("voltage", "temperature"),
    ),
    OnuTree(
        name="C-DATA EPON",
        models="FD11xx, FD12xx",
        enterprises=_CDATA_ENTERPRISES,
        grade=Grade.NOT_TRIED,
        serial=oid(_CDATA_E + "1.1.7"),
        state=_column(_CDATA_E + "1.1.8"),
        states=_ON_OFF,
        light=_five(_CDATA_E + "2.1.", "4 5 6 7 8", (0.01,) * 5),
        light_suffixes=((), (0, 0)),
        distance=_column(_CDATA_E + "1.1.15"),
        zero_is_none=True,
        doubtful=("voltage", "temperature"),
    ),
    OnuTree(
        name="BDCOM GPON",
        models="GP3600",
        enterprises=(oid("1.3.6.1.4.1.3320"),),
        grade=Grade.NOT_TRIED,
        serial=oid(_BDCOM + "10.3.3.1.2"),
        state=_column(_BDCOM + "10.3.3.1.4"),
        states={0: OnuState.OFFLINE, 1: OnuState.OFFLINE, 2: OnuState.DISABLED, 3: OnuState.ONLINE},
        light={
            "rx": _column(_BDCOM + "10.3.4.1.2", 0.1),
            "tx": _column(_BDCOM + "10.3.4.1.3", 0.1),
            "olt_rx": _column(_BDCOM + "10.2.3.1.3", 0.1),
        },
        distance=_column(_BDCOM + "10.3.1.1.33"),
        cause=_column(_BDCOM + "10.3.1.1.35"),
        causes=_BDCOM_CAUSES,
        zero_is_none=True,
    ),
    OnuTree(
        name="BDCOM EPON",
        models="P3310, P3608",
        enterprises=(oid("1.3.6.1.4.1.3320"),),
        grade=Grade.NOT_TRIED,
        serial=oid(_BDCOM + "101.10.1.1.3"),
        state=_column(_BDCOM + "101.10.1.1.26"),
        states={
            0: OnuState.ONLINE,
            1: OnuState.REGISTERING,
            2: OnuState.OFFLINE,
            3: OnuState.ONLINE,
            4: OnuState.LOS,
            5: OnuState.OFFLINE,
        },
        light={"rx": _column(_BDCOM + "101.10.5.1.5", 0.1), "olt_rx": _column(_BDCOM + "101.108.1.3", 0.1)},
        zero_is_none=True,
        doubtful=("state",),
    ),
    OnuTree(
        name="HSGQ GPON (50224)",
        models="HSGQ G0xx, PK-700",
        enterprises=(oid("1.3.6.1.4.1.50224"),),
        grade=Grade.NOT_TRIED,
        serial=oid(_HSGQ + "2.1.15"),
        state=_column(_HSGQ + "2.1.4"),
        states=_ON_OFF,
        light={
            "rx": _column(_HSGQ + "3.1.4", 0.01, suffix=(0, 0)),
            "tx": _column(_HSGQ + "3.1.5", 0.01, suffix=(0, 0)),
        },
        last_up=_column(_HSGQ + "2.1.20"),
        port=lambda row: f"{row[0] >> 8 & 0xFF}:{row[0] & 0xFF}",
        zero_is_none=True,
    ),
)


def trees_for(system: Oid) -> tuple[OnuTree, ...]:
    """Return the trees a device of this sysObjectID may have, the likeliest first."""

    def closeness(tree: OnuTree) -> int:
        return max((len(one) for one in tree.enterprises if system[: len(one)] == one), default=0)

    return tuple(sorted((tree for tree in TREES if closeness(tree)), key=closeness, reverse=True))
