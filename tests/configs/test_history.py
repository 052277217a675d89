"""What changed between texts of settings, since when a line stands, and what is known against a version."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.configs import history, versions
from kampungnet.configs.history import Blamed, Changed, DiffLine
from kampungnet.shared.config_body import MAX_TEXT_BYTES, ConfigBody

FIRST = "/ip address add address=10.0.0.1/24\n/ip service set telnet disabled=no\n/ip dns set servers=1.1.1.1\n"
SECOND = FIRST.replace("telnet disabled=no", "telnet disabled=yes")
THIRD = SECOND + "/ip firewall filter add action=drop chain=input\n"
TEXTS = st.lists(st.sampled_from("abcd"), max_size=8).map(lambda lines: "".join(f"{one}\n" for one in lines))


def test_a_changed_line_is_one_gone_and_one_new() -> None:
    assert history.changed(FIRST, SECOND) == Changed(1, 1)
    assert list(history.diff(FIRST, SECOND)) == [
        DiffLine(" ", "/ip address add address=10.0.0.1/24"),
        DiffLine("-", "/ip service set telnet disabled=no"),
        DiffLine("+", "/ip service set telnet disabled=yes"),
        DiffLine(" ", "/ip dns set servers=1.1.1.1"),
    ]
    assert list(history.diff(FIRST, FIRST)) == []


def test_each_line_has_the_text_since_which_it_stands() -> None:
    assert [one.since for one in history.blame([FIRST, SECOND, THIRD])] == [0, 1, 0, 2]
    came_back = history.blame([FIRST, SECOND, FIRST])
    assert came_back[1] == Blamed("/ip service set telnet disabled=no", 2), "what was gone between is new"


@given(TEXTS, TEXTS)
def test_a_difference_put_onto_the_old_text_makes_the_new_one(before: str, after: str) -> None:
    lines = list(history.diff(before, after))
    gone, new = ([one.text for one in lines if one.mark == mark] for mark in "-+")
    old_left, new_left = before.splitlines(), after.splitlines()
    for line in gone:
        old_left.remove(line)
    for line in new:
        new_left.remove(line)
    assert sorted(old_left) == sorted(new_left)
    assert [one.text for one in history.blame([before, after])] == after.splitlines()


def test_words_are_found_in_any_order_and_case() -> None:
    assert history.found(FIRST, "TELNET ip") == ["/ip service set telnet disabled=no"]
    assert history.found(FIRST, "  ") == []


@pytest.mark.parametrize(
    ("packed", "digest", "reason"),
    [
        (b"junk", FIRST, "cannot be unpacked"),
        (zlib.compress(FIRST.encode())[:-6], FIRST, "cut off"),
        (zlib.compress(b"x" * (MAX_TEXT_BYTES + 1)), FIRST, "longer than 1000000 bytes"),
        (zlib.compress(SECOND.encode()), FIRST, "not those of their digest"),
    ],
)
def test_a_text_that_is_not_what_it_says_is_refused(packed: bytes, digest: str, reason: str) -> None:
    body = ConfigBody(hashlib.sha256(digest.encode()).hexdigest(), packed=packed)
    assert reason in history.refusal(body)


def test_a_text_that_is_no_utf_8_is_refused() -> None:
    assert "no UTF-8" in history.refusal(ConfigBody(hashlib.sha256(b"\xff").hexdigest(), packed=zlib.compress(b"\xff")))


@pytest.mark.parametrize(
    ("written", "sources"),
    [
        ("6.42 (stable)", ["CVE-2018-14847", "CVE-2019-3976…3979", "CVE-2023-30799"]),
        ("6.40.9 (bugfix)", ["CVE-2018-7445", "CVE-2019-3976…3979", "CVE-2023-30799"]),
        ("6.44.6 (long-term)", ["CVE-2023-30799"]),
        ("6.49.10 (long-term)", []),
        ("7.20.4 (stable)", []),
        ("CHR", []),
        ("", []),
    ],
)
def test_what_is_known_against_a_version(written: str, sources: list[str]) -> None:
    assert [one.source for one in versions.known_against(written)] == sources
