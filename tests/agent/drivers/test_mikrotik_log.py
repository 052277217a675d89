"""The router's log: every line that concerns us once, and no secret in it."""

import pytest

from kampungnet.shared import wire
from kampungnet_agent.drivers.mikrotik_answers import Answers
from kampungnet_agent.drivers.mikrotik_log import LogFollower, masked
from kampungnet_agent.drivers.routeros_wire import Reply
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import ScriptedRouter, number, row, rows
from tests.agent.drivers.test_mikrotik import driver_to


def logged(*numbers: int, topics: str = "hotspot,info,debug", message: str = "") -> Answers:
    reply = Reply()
    for one in numbers:
        said = message or f"line {one}"
        reply.rows.append(
            {b".id": b"*%X" % one, b"time": b"09:54:33", b"topics": topics.encode(), b"message": said.encode()}
        )
    return Answers({"log": reply})


def messages(lines: list[wire.LogLine]) -> list[str]:
    return [line.message for line in lines]


def test_at_first_sight_only_the_end_is_learned_and_then_each_line_comes_once() -> None:
    follower = LogFollower("rahasia")
    assert follower.new_lines(logged(1, 2, 3)) == []
    assert messages(follower.new_lines(logged(1, 2, 3, 9, 10, 11))) == ["line 9", "line 10", "line 11"]
    assert follower.new_lines(logged(9, 10, 11)) == []


def test_ids_are_numbers_and_not_text_so_that_100_comes_after_ff() -> None:
    follower = LogFollower("")
    follower.new_lines(logged(0xFE))
    assert messages(follower.new_lines(logged(0x100, 0xFF))) == ["line 255", "line 256"]


def test_after_a_reboot_ids_start_anew_and_all_lines_are_new() -> None:
    follower = LogFollower("")
    follower.note_uptime(5_000, now=10_000)
    follower.new_lines(logged(700))
    follower.note_uptime(5_060, now=10_060.9)
    assert follower.new_lines(logged(700)) == []
    follower.note_uptime(6_000, now=20_000)
    assert messages(follower.new_lines(logged(1, 2))) == ["line 1", "line 2"]


def test_an_emptied_log_and_lines_that_fell_out_of_it_change_nothing() -> None:
    follower = LogFollower("")
    follower.new_lines(logged(7, 8, 9))
    assert follower.new_lines(logged()) == []
    assert follower.new_lines(logged(8, 9)) == []
    assert [line.message for line in follower.new_lines(logged(9, 10))] == ["line 10"]


def test_a_poll_without_the_log_forgets_nothing() -> None:
    follower = LogFollower("")
    follower.new_lines(logged(5))
    assert follower.new_lines(Answers({})) == []
    assert messages(follower.new_lines(logged(5, 6))) == ["line 6"]


def test_other_topics_are_none_of_our_business() -> None:
    follower = LogFollower("")
    follower.new_lines(logged(1))
    assert follower.new_lines(logged(2, topics="dhcp,info")) == []
    assert len(follower.new_lines(logged(3, topics="system,error,critical"))) == 1
    assert len(follower.new_lines(logged(4, topics="system,info,account"))) == 1


def test_of_too_many_lines_the_newest_come_and_the_number_is_named() -> None:
    follower = LogFollower("")
    follower.new_lines(logged(1))
    answers = logged(*range(2, 102))
    lines = follower.new_lines(answers)
    assert (len(lines), lines[-1].message) == (50, "line 101")
    assert answers.missing == ["log: 100 new lines, the last 50 reported"]


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("user rahasia logged in", "user *** logged in"),
        ("script: password=abc123 set", "script: password=*** set"),
        ('fetch "Secret: two words"', 'fetch "Secret: *** words"'),
        ('psk = "two words" set', "psk = *** set"),
        ("login failed: invalid password", "login failed: invalid password"),
    ],
)
def test_what_looks_like_a_secret_is_masked(message: str, shown: str) -> None:
    assert masked(message, "rahasia") == shown


async def test_lines_reach_the_reading_and_outlive_a_lost_connection() -> None:
    router = ScriptedRouter()
    router.answers[b"/log/print"] = number(2)

    def log_of(*numbers: int) -> None:
        router.tables[b"/log/print"] = rows(
            *(row(**{".id": f"*{one:X}"}, time="09:54:33", topics="hotspot,info", message=f"m{one}") for one in numbers)
        )

    log_of(1, 2)
    async with driver_to(router, Settings(options={"full": True})) as driver:
        first = (await driver.poll()).body
        driver.drop()
        log_of(1, 2, 3)
        second = (await driver.poll()).body
        third = (await driver.poll()).body
    told = [[line.message for line in getattr(body, "log", [])] for body in (first, second, third)]
    assert told == [[], ["m3"], []]
