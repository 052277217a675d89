"""What ``/interface/ethernet/monitor`` says of a cage (facts/routeros.md, 7.4). No recording of these rows exists."""

from kampungnet_sim.routeros_router import Moment
from kampungnet_sim.routeros_tables import Row
from kampungnet_sim.routeros_values import boolean
from kampungnet_sim.village import NO_LIGHT_DBM

_UNITS = {
    "sfp-temperature": "C", "sfp-supply-voltage": "V", "sfp-tx-bias-current": "mA", "sfp-rx-power": "dBm",
    "sfp-tx-power": "dBm",
}  # fmt: skip


def cage(moment: Moment, port: str) -> Row:
    """The ``sfp-*`` part of a port; a copper port has none."""
    router = moment.profile.router
    if port == router.empty_cage:
        return {"sfp-module-present": "false"}
    if not router.has_sfp or port != router.wan_interface:
        return {}
    return _module(moment)


def _module(moment: Moment) -> Row:
    features = moment.profile.features
    dark = moment.state.rx_power_dbm <= NO_LIGHT_DBM
    row = {
        "sfp-module-present": "true",
        "sfp-rx-loss": boolean(dark),
        "sfp-tx-fault": "false",
        "sfp-type": "SFP-or-SFP+",
        "sfp-connector-type": "SC",
        "sfp-link-length-sm": "20km",
        "sfp-vendor-name": "HSGQ",
        "sfp-vendor-part-number": "XPON-STICK",
        "sfp-vendor-revision": "1.0",
        "sfp-vendor-serial": moment.profile.ont_serial,
        "sfp-manufacturing-date": "23-04-11",
        "sfp-wavelength": "1310",
    }
    if "no-ddm" in features:
        # From 7.12 on a bad checksum also means that nothing is measured.
        return row | {"eeprom-checksum": "bad"}
    levels = _nonsense() if dark and "odd-stick" in features else _levels(moment)
    if "sfp-units" in features:
        levels = {name: value + _UNITS[name] for name, value in levels.items()}
    return {**row, **levels, "eeprom-checksum": "good"}


def _levels(moment: Moment) -> Row:
    state = moment.state
    levels = {
        "sfp-temperature": f"{state.ont_temperature_celsius:.0f}",
        "sfp-supply-voltage": f"{state.ont_voltage_volts:.3f}",
        "sfp-tx-bias-current": f"{state.ont_bias_milliamperes:.0f}",
        "sfp-rx-power": f"{state.rx_power_dbm:g}",
    }
    if state.tx_power_dbm is not None:
        levels["sfp-tx-power"] = f"{state.tx_power_dbm:g}"
    return levels


def _nonsense() -> Row:
    # Published dumps of GPON sticks without fibre.
    return {"sfp-temperature": "-24", "sfp-supply-voltage": "3.299", "sfp-tx-bias-current": "0",
            "sfp-rx-power": "2.499", "sfp-tx-power": "2.499"}  # fmt: skip
