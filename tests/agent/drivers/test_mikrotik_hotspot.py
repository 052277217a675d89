"""Guests, users, queues, RADIUS: rows each tenth poll, only where there are few enough, exactly as printed."""

import msgspec

from kampungnet.shared import wire
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import ScriptedRouter, number, row, rows
from tests.agent.drivers.test_mikrotik import body_from, driver_to

ACTIVE = b"/ip/hotspot/active/print"
USERS = b"/ip/hotspot/user/print"
QUEUES = b"/queue/simple/print"


def router_with(path: bytes, *table: list[bytes], there: int | None = None) -> ScriptedRouter:
    router = ScriptedRouter()
    router.answers[path] = number(len(table) if there is None else there)
    router.tables[path] = rows(*table)
    return router


async def test_a_guest_uploads_what_the_router_calls_in() -> None:
    guest = row(user="007", mac_address="AA:BB:CC:00:11:22", server="hotspot1", login_by="http-chap", uptime="1h2m")
    guest += row(idle_time="3s", bytes_in=10, bytes_out=2_000)[1:]
    (got,) = (await body_from(router_with(ACTIVE, guest))).guests
    assert got == wire.HotspotGuest("007", "AA:BB:CC:00:11:22", "hotspot1", "http-chap", 3720, 3, 10, 2_000)


async def test_users_keep_their_names_as_text_and_a_limit_of_0_is_none() -> None:
    router = router_with(
        USERS,
        row(name="007", comment="yes", disabled="false", uptime="0s", limit_uptime="0s", limit_bytes_total=0),
        row(name="628123", comment="Bu Tini ☕", disabled="true", uptime="1d", limit_uptime="1w", limit_bytes_total=5),
        row(name="Café".encode("latin-1"), comment="vc-241"),
    )
    users = (await body_from(router)).users
    assert [(one.name, one.comment, one.disabled) for one in users] == [
        ("007", "yes", False),
        ("628123", "Bu Tini ☕", True),
        ("Café", "vc-241", False),
    ]
    assert [(one.limit_uptime_seconds, one.limit_bytes, one.uptime_seconds) for one in users] == [
        (None, None, 0),
        (604_800, 5, 86_400),
        (None, None, None),
    ]


async def test_the_row_for_trials_is_left_out_by_the_router_itself() -> None:
    router = router_with(USERS, row(name="007"))
    await body_from(router)
    asked = [words for words in router.asked if words[0] == USERS]
    assert len(asked) == 2
    for words in asked:
        queries = [word for word in words if word.startswith(b"?")]
        assert queries == [b"?default=true", b"?#!", b"?name=default-trial", b"?#!"]
        assert not any(b"password" in word for word in words)


async def test_a_table_that_is_too_long_is_counted_and_named_but_never_read() -> None:
    router = router_with(USERS, there=5_000)
    async with driver_to(router) as driver:
        for _ in range(2):
            body = (await driver.poll()).body
            assert isinstance(body, wire.RouterBody)
            assert (body.hotspot_users, body.users) == (5_000, [])
            assert "users: 5000 rows on the router, more than 400 are not read" in body.missing
    assert all(b"=count-only=" in words for words in router.asked if words[0] == USERS)


async def test_rows_come_with_each_tenth_poll_and_counts_with_every_one() -> None:
    router = router_with(ACTIVE, row(user="007"))
    async with driver_to(router) as driver:
        bodies = [(await driver.poll()).body for _ in range(11)]
    seen = [(len(body.guests), body.hotspot_sessions) for body in bodies if isinstance(body, wire.RouterBody)]
    assert seen == [(1, 1), *[(0, 1)] * 9, (1, 1)]


async def test_facts_are_asked_once_a_connection_and_repeated_in_every_reading() -> None:
    router = ScriptedRouter()
    async with driver_to(router) as driver:
        bodies = [(await driver.poll()).body for _ in range(3)]
    assert [getattr(body, "licence_level", "") for body in bodies] == ["4"] * 3
    assert [getattr(body, "identity", "") for body in bodies] == ["Balai Desa"] * 3
    assert router.commands().count(b"/system/license/print") == 1
    assert b"/system/package/update/check-for-updates" not in router.commands()


async def test_with_the_option_full_every_poll_asks_everything() -> None:
    router = router_with(ACTIVE, row(user="007"))
    async with driver_to(router, Settings(options={"full": True})) as driver:
        bodies = [(await driver.poll()).body for _ in range(3)]
    assert [len(getattr(body, "guests", [])) for body in bodies] == [1, 1, 1]
    assert router.commands().count(b"/system/license/print") == 3


async def test_queues_are_up_and_down_as_their_target_sees_them() -> None:
    router = router_with(
        QUEUES,
        row(name="Kantor", target="10.5.50.0/24", max_limit="2000000/0", bytes="11/222", dropped="1/2")
        + row(disabled="false")[1:],
    )
    router.answers[b"/ip/firewall/filter/print"] = number(1)
    body = await body_from(router)
    assert body.queues == [
        wire.Queue("Kantor", "10.5.50.0/24", up_limit_bps=2_000_000, up_bytes=11, down_bytes=222, dropped_packets=3)
    ]
    assert body.fasttrack is True


async def test_radius_servers_tell_their_counters_and_never_their_secret() -> None:
    router = ScriptedRouter()
    router.answers[b"/radius/print"] = rows(row(**{".id": "*1"}, address="10.0.0.5", service="hotspot", disabled="no"))
    router.answers[b"/radius/monitor"] = rows(
        row(requests=9, accepts=5, rejects=1, timeouts=3, bad_replies=2, last_request_rtt="30ms")
    )
    body = await body_from(router)
    assert body.radius == [
        wire.RadiusServer(
            "10.0.0.5", "hotspot", requests=9, accepts=5, rejects=1, timeouts=3, bad_replies=2, last_rtt_ms=30.0
        )
    ]
    assert next(words for words in router.asked if words[0] == b"/radius/monitor")[1:3] == [b"=numbers=*1", b"=once="]
    assert not any(b"secret" in word for words in router.asked for word in words)


async def test_one_portal_has_all_guests_and_several_are_counted_apart() -> None:
    router = ScriptedRouter()
    (alone,) = (await body_from(router)).hotspots
    assert (alone.name, alone.interface, alone.sessions, alone.hosts) == ("hotspot1", "bridge", 12, 30)
    router.answers[b"/ip/hotspot/print"] = rows(
        row(name="Kantor", disabled="false"), row(name="Sekolah=1", disabled="true", invalid="true")
    )
    office, school = (await body_from(router)).hotspots
    assert (office.sessions, school.disabled, school.invalid) == (12, True, True)
    assert any(b"?server=Sekolah=1" in words for words in router.asked)


async def test_a_missing_or_disabled_package_of_version_6_is_named() -> None:
    router = ScriptedRouter()
    router.answers[b"/system/package/print"] = rows(row(name="hotspot", disabled="true"))
    assert "hotspot: the package is disabled" in (await body_from(router)).missing
    router.answers[b"/system/package/print"] = rows(row(name="wireless", disabled="false"))
    assert "hotspot: the package is not installed" in (await body_from(router)).missing


async def test_device_mode_may_forbid_the_hotspot() -> None:
    router = ScriptedRouter()
    router.answers[b"/system/device-mode/print"] = rows(row(mode="home", hotspot="false"))
    body = await body_from(router)
    assert (body.device_mode, body.hotspot_allowed) == ("home", False)


async def test_a_reading_always_fits_and_what_was_cut_is_named_and_comes_first_the_next_time() -> None:
    long = "nama panjang sekali " * 9
    router = router_with(USERS, *(row(name=f"{one:03} {long}", comment=long) for one in range(400)))
    wan = row(name="ether1", rx_byte=7)
    router.answers[b"/interface/print"] = rows(*(row(name=f"{one} {long}"[:100]) for one in range(150)), wan)
    async with driver_to(router, Settings(options={"full": True})) as driver:
        bodies = [(await driver.poll()).body for _ in range(3)]
    told: set[str] = set()
    for body in bodies:
        assert isinstance(body, wire.RouterBody)
        assert len(msgspec.json.encode(body)) < 126_000
        assert any(one.interface == "ether1" and one.rx_bytes == 7 for one in body.interfaces)
        assert f"users: the reading would be too large, {len(body.users)} of 400 reported" in body.missing
        told |= {user.name for user in body.users}
    assert len(told) == 400, "each was told in one of three readings"
