"""Requests beside their making: each village in order, and nothing is made for a store that is away."""

import sys
import threading

import pytest

from kampungnet.metrics.lanes import LANES, ON_THEIR_WAY, Lanes
from kampungnet.metrics.sending import Away
from kampungnet.metrics.series import Part, Series
from kampungnet.metrics.store import Answer, Said

VILLAGES = ("35.10.15.2012-1", "35.10.15.2003-1", "35.10.01.2001-1")


def test_the_requests_of_a_village_arrive_in_the_order_they_were_made() -> None:
    arrived: list[int] = []
    noting = threading.Lock()

    def deliver(parts: list[Part]) -> None:
        with noting:
            arrived.append(len(parts))

    part = Part(Series({"__name__": "up"}), b"")
    with Lanes(deliver) as lanes:
        for number in range(100):
            lanes.put(VILLAGES[0], [part] * number)
        lanes.wait()
    assert arrived == list(range(100))


def test_after_a_store_went_away_the_next_request_need_not_be_made() -> None:
    tried: list[str] = []

    def deliver(_: list[Part]) -> None:
        tried.append("")
        raise Away(Answer(Said.LATER, "nobody answers"))

    made: list[int] = []

    def make(lanes: Lanes) -> None:
        for number in range(1_000):
            made.append(number)
            lanes.put(VILLAGES[number % len(VILLAGES)], [])

    with Lanes(deliver) as lanes:
        with pytest.raises(Away, match="nobody answers"):
            make(lanes)
        with pytest.raises(Away):
            lanes.wait()
    assert len(made) <= 2 * ON_THEIR_WAY
    assert len(tried) <= LANES


def test_threads_take_turns_sooner_only_while_requests_travel() -> None:
    before = sys.getswitchinterval()
    with Lanes(lambda _: None):
        assert sys.getswitchinterval() < before / 5
    assert sys.getswitchinterval() == before
