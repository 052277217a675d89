"""The servlet's template language, as the manual describes it and as hostile values try it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet_sim.servlet_template import render, value_of

NAMES = st.sampled_from(["username", "ip", "mac", "error", "link-orig"])
PLAIN = st.text(st.characters(blacklist_characters="$", blacklist_categories=["Cs"]))

MANUAL = """$(if username == john)Hey, john
$(elif username == dizzy)Hello, Dizzy!
$(elif ip == 10.1.2.3)slow computer
$(else)in peace.
$(endif)always"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"username": "john"}, "Hey, john\nalways"),
        ({"username": "dizzy", "ip": "10.1.2.3"}, "Hello, Dizzy!\nalways"),
        ({"ip": "10.1.2.3"}, "slow computer\nalways"),
        ({}, "in peace.\nalways"),
    ],
)
def test_the_manuals_own_example_shows_one_of_its_branches(variables: dict[str, str], expected: str) -> None:
    assert render(MANUAL, variables).body == expected


def test_the_manuals_link_is_escaped_as_it_says() -> None:
    assert value_of("username-esc", {"username": "123&456=1 2"}) == "123%26456%3D1+2"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("trial == 'yes'", True), ('trial == "yes"', True), ("trial==yes", True), ("trial != 'yes'", False),
        ("trial", True), ("error", False), ("error != 'x'", True), ("trial == 'no'", False), ("", False),
        ('user-agent == "Mozilla/5.0 (Android; Mobile)" ', True), ("trial = yes", False),
    ],
)  # fmt: skip
def test_conditions_compare_with_and_without_quotes(condition: str, *, holds: bool) -> None:
    variables = {"trial": "yes", "user-agent": "Mozilla/5.0 (Android; Mobile)"}
    assert render(f"$(if {condition})in$(else)out$(endif)", variables).body == ("in" if holds else "out")


def test_a_page_sets_its_status_and_headers_and_shows_neither() -> None:
    page = '$(if http-status == 302)Login required$(endif)$(if http-header == "Location")$(link)$(endif)text'
    found = render(page, {"link": "http://wifi.desa/login"})
    assert (found.status, found.headers) == ((302, "Login required"), {"Location": "http://wifi.desa/login"})
    assert found.body == "text"


def test_of_two_headers_of_one_name_the_last_counts_and_a_hidden_one_not_at_all() -> None:
    one = '$(if http-header == "X-A")%s$(endif)'
    assert render(one % "a" + one % "b", {}).headers == {"X-A": "b"}
    assert render(f"$(if no){one % 'a'}$(endif)", {}).headers == {}


@given(NAMES, st.text())
def test_a_guests_line_break_makes_no_header_of_its_own(name: str, value: str) -> None:
    found = render(f'$(if http-header == "Location")$({name})$(endif)', {name: value})
    assert set(found.headers) == {"Location"}
    assert not {"\r", "\n", "\0"} & set(found.headers["Location"])


@given(PLAIN, NAMES, PLAIN, st.text())
def test_text_stays_and_a_value_stands_where_its_name_stood(head: str, name: str, tail: str, value: str) -> None:
    assert render(f"{head}$({name}){tail}", {name: value}).body == head + value + tail


@given(NAMES, st.text())
def test_what_a_guest_typed_is_never_read_as_a_template(name: str, value: str) -> None:
    assert render(f"$({name})", {name: f"$(secret){value}", "secret": "SECRET"}).body == f"$(secret){value}"


@given(st.lists(st.sampled_from(["$(if a)", "$(if b)", "$(elif b)", "$(else)", "$(endif)", "x", "$(", ")"])))
def test_no_heap_of_tokens_breaks_the_servlet(parts: list[str]) -> None:
    render("".join(parts), {"a": "1"})


@given(st.lists(st.sampled_from(["a", "b"]), max_size=6))
def test_nested_conditions_show_what_holds_all_the_way(names: list[str]) -> None:
    page = "".join(f"$(if {name})" for name in names) + "in" + "$(endif)" * len(names)
    assert render(page, {"a": "1"}).body == ("" if "b" in names else "in")
