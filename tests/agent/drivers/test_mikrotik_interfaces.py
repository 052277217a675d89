"""Light in the router's cages, dialled lines, radios."""

import pytest

from kampungnet.shared import wire
from kampungnet_agent.drivers.mikrotik_interfaces import light_of
from tests.agent.drivers.scripted_router import NO_MENU, Answer, ScriptedRouter, number, row, rows, trap
from tests.agent.drivers.test_mikrotik import body_from, driver_to

MONITOR = b"/interface/ethernet/monitor"


def with_cage(*seen: list[bytes]) -> ScriptedRouter:
    router = ScriptedRouter()
    router.answers[b"/interface/ethernet/print"] = rows(
        row(name="ether1", default_name="ether1"), row(name="Serat", default_name="sfp1")
    )
    router.answers[MONITOR] = rows(*seen)
    return router


def stick(**changes: str) -> list[bytes]:
    usual = {
        "name": "Serat",
        "status": "link-ok",
        "sfp-module-present": "true",
        "sfp-rx-loss": "false",
        "sfp-vendor-name": "HALNy  ",
        "sfp-vendor-part-number": "HL-GSFP",
        "sfp-vendor-serial": "HALN1234",
        "sfp-wavelength": "1310nm",
        "sfp-temperature": "41C",
        "sfp-supply-voltage": "3.27V",
        "sfp-tx-bias-current": "12mA",
        "sfp-tx-power": "2.1dBm",
        "sfp-rx-power": "-21.45dBm",
    }
    return row(**(usual | {key.replace("_", "-"): value for key, value in changes.items()}))


async def test_a_stick_in_the_cage_gives_its_light_and_who_made_it() -> None:
    body = await body_from(with_cage(stick()))
    assert body.lights == [
        wire.Light(
            "Serat",
            "HALNy HL-GSFP",
            "HALN1234",
            rx_power_dbm=-21.45,
            tx_power_dbm=2.1,
            wavelength_nm=1310,
            temperature_celsius=41,
            voltage_volts=3.27,
            bias_milliamperes=12,
        )
    ]


async def test_later_polls_ask_the_levels_of_full_cages_alone_and_remember_the_module() -> None:
    router = with_cage(stick())
    async with driver_to(router) as driver:
        await driver.poll()
        router.asked.clear()
        router.answers[MONITOR] = rows(row(name="Serat", sfp_module_present="true", sfp_rx_power="-25.0"))
        body = (await driver.poll()).body
    assert isinstance(body, wire.RouterBody)
    (light,) = body.lights
    assert (light.rx_power_dbm, light.module, light.serial) == (-25.0, "HALNy HL-GSFP", "HALN1234")
    (asked,) = [words for words in router.asked if words[0] == MONITOR]
    assert b"=numbers=Serat" in asked
    assert b"=once=" in asked
    assert not any(b"vendor" in word for word in asked)
    assert b"/interface/ethernet/print" not in router.commands()


async def test_a_router_with_copper_ports_alone_is_never_asked_for_light() -> None:
    router = ScriptedRouter()
    assert (await body_from(router)).lights == []
    assert MONITOR not in router.commands()


async def test_an_empty_cage_has_no_light_to_report() -> None:
    assert (await body_from(with_cage(stick(sfp_module_present="false")))).lights == []


def seen(answer: Answer) -> dict[bytes, bytes]:
    words = (word.split(b"=", 2) for word in answer[0][1:])
    return {key: value for _, key, value in words}


@pytest.mark.parametrize("power", ["-40", "-40dBm", "-40.0"])
def test_minus_40_is_no_light_and_no_level(power: str) -> None:
    light = light_of(seen(rows(stick(sfp_rx_power=power))))
    assert (light.no_light, light.rx_power_dbm) == (True, None)


def test_a_level_the_module_does_not_measure_is_neither_0_nor_darkness() -> None:
    light = light_of({b"name": b"sfp1", b"sfp-module-present": b"true"})
    assert (light.no_light, light.rx_power_dbm, light.tx_power_dbm, light.temperature_celsius) == (
        False, None, None, None,
    )  # fmt: skip


def test_nonsense_of_a_stick_without_fibre_is_darkness() -> None:
    light = light_of(seen(rows(stick(sfp_rx_power="2.499dBm", sfp_rx_loss="true", status="no-link"))))
    assert (light.no_light, light.rx_power_dbm) == (True, None)


def test_a_stick_whose_loss_pin_is_always_set_still_has_its_level() -> None:
    light = light_of(seen(rows(stick(sfp_rx_power="-22.1", sfp_rx_loss="true"))))
    assert (light.no_light, light.rx_power_dbm) == (False, -22.1)


@pytest.mark.parametrize("power", ["-99999999", "655.35", "ok", ""])
def test_a_marker_for_no_value_is_no_level(power: str) -> None:
    light = light_of(seen(rows(stick(sfp_rx_power=power))))
    assert (light.no_light, light.rx_power_dbm) == (False, None)


async def test_a_redialled_line_is_another_instance_of_the_same_name() -> None:
    router = ScriptedRouter()
    router.answers[b"/interface/pppoe-client/print"] = rows(
        row(**{".id": "*A"}, name="pppoe-out1", running="true", disabled="false"),
        row(**{".id": "*B"}, name="cadangan", running="false", disabled="true"),
    )
    router.answers[b"/interface/pppoe-client/monitor"] = rows(
        row(status="connected", uptime="3m", service_name="", ac_name="BRAS-1", mtu=1480)
    )
    router.answers[b"/interface/print"] = rows(row(**{".id": "*F1"}, name="pppoe-out1", type="pppoe-out", rx_byte=9))
    async with driver_to(router) as driver:
        first = (await driver.poll()).body
        router.answers[b"/interface/print"] = rows(
            row(**{".id": "*F2"}, name="pppoe-out1", type="pppoe-out", rx_byte=2)
        )
        second = (await driver.poll()).body
    assert isinstance(first, wire.RouterBody)
    assert isinstance(second, wire.RouterBody)
    assert [(one.instance, one.rx_bytes) for one in (*first.interfaces, *second.interfaces)] == [("*F1", 9), ("*F2", 2)]
    assert second.pppoe == [
        wire.PppoeLine(
            "pppoe-out1", running=True, status="connected", uptime_seconds=180, concentrator="BRAS-1", mtu=1480
        ),
        wire.PppoeLine("cadangan", running=False, disabled=True),
    ]


async def test_counters_that_fell_are_told_as_they_are() -> None:
    router = ScriptedRouter()
    async with driver_to(router) as driver:
        await driver.poll()
        router.answers[b"/interface/print"] = rows(row(**{".id": "*1"}, name="ether1", rx_byte=5))
        body = (await driver.poll()).body
    assert [one.rx_bytes for one in getattr(body, "interfaces", [])] == [5]


async def test_devices_on_wifi_are_added_up_by_radio_and_their_addresses_not_even_asked() -> None:
    router = ScriptedRouter()
    table = b"/interface/wireless/registration-table/print"
    router.tables[table] = rows(
        row(interface="wlan1", signal_strength="-62@1Mbps", bytes="17536671,2966351"),
        row(interface="wlan1", signal_strength="-80", bytes="1,2"),
        row(interface="wlan2", signal_strength="-50"),
    )
    wifi = b"/interface/wifi/registration-table/print"
    router.answers[wifi], router.tables[wifi] = number(1), rows(row(interface="wifi1", signal="-71", bytes="5,6"))
    body = await body_from(router)
    assert body.radios == [
        wire.Radio("wifi1", 1, -71, -71, 6, 5),
        wire.Radio("wlan1", 2, -71, -80, 2966353, 17536672),
        wire.Radio("wlan2", 1, -50, -50, None, None),
    ]
    assert not any(b"mac-address" in word for words in router.asked if b"registration" in words[0] for word in words)


async def test_access_points_of_both_controllers_are_added_and_a_router_without_any_says_so() -> None:
    router = ScriptedRouter()
    router.answers[b"/caps-man/remote-cap/print"] = number(3)
    router.answers[b"/interface/wifi/capsman/remote-cap/print"] = number(2)
    assert (await body_from(router)).access_points == 5
    router.answers[b"/caps-man/remote-cap/print"] = NO_MENU
    router.answers[b"/interface/wifi/capsman/remote-cap/print"] = NO_MENU
    body = await body_from(router)
    assert body.access_points is None
    assert "access points: no such menu on this router" in body.missing


async def test_a_refused_look_at_the_light_is_named() -> None:
    router = with_cage()
    router.answers[MONITOR] = trap("not enough permissions (9)")
    assert "modules: not enough permissions (right: read)" in (await body_from(router)).missing
