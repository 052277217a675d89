import pytest
from hypothesis import given
from hypothesis import strategies as st

from kampungnet_sim.routeros_query import QueryError, matches, parse_query

Tree = str | tuple["Tree", ...]
ROW = {"name": "ether1", "mtu": "1500", "running": "true", "comment": ""}

leaves = st.sampled_from(["name", "-name", "name=ether1", "=name=ether2", "<mtu=1600", ">mtu=9", "-ghost", "ghost"])
trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("!"), inner), st.tuples(st.just("&"), inner, inner), st.tuples(st.just("|"), inner, inner)
    ),
    max_leaves=12,
)


def postfix(tree: Tree) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    return [word for part in tree[1:] for word in postfix(part)] + [f"#{tree[0]}"]


def truth(tree: Tree) -> bool:
    if isinstance(tree, str):
        return {
            "name": True, "-name": False, "name=ether1": True, "=name=ether2": False,
            "<mtu=1600": True, ">mtu=9": True, "-ghost": True, "ghost": False,
        }[tree]  # fmt: skip
    parts = [truth(part) for part in tree[1:]]
    return {"!": not parts[0], "&": all(parts), "|": any(parts)}[str(tree[0])]


@given(trees)
def test_operators_after_their_operands_mean_what_logic_means(tree: Tree) -> None:
    assert matches(parse_query(postfix(tree)), ROW) == truth(tree)


@given(st.lists(leaves, max_size=5))
def test_words_without_an_operator_must_all_hold(words: list[str]) -> None:
    assert matches(parse_query(words), ROW) == all(truth(word) for word in words)


@given(st.lists(st.sampled_from(["#!", "#&", "#|", "#.", "#0", "#1.", "#&&", "#|!", "name", "ghost"]), max_size=12))
def test_no_order_of_operators_breaks_the_router(words: list[str]) -> None:
    assert matches(parse_query(words), ROW) in (True, False)


@pytest.mark.parametrize(
    ("words", "stays"),
    [
        (["name=ether1", "running=true", "#&"], True),
        (["name=ether9", "name=ether1", "#|"], True),
        (["name=ether1", "name=ether9", "#&!"], True),
        (["running=yes"], True),
        (["comment="], True),
        (["comment"], True),
        (["ghost=", "#!"], True),
        (["<ghost=5"], False),
        (["name=ether1", "ghost", "#1"], True),
        (["ghost", "name", "#0"], True),
        (["name", "#.", "#&"], True),
        (["mtu=15"], False),
        ([">mtu=200"], True),
    ],
)
def test_query_words_of_the_manual(words: list[str], *, stays: bool) -> None:
    assert matches(parse_query(words), ROW) is stays


def test_an_operator_nobody_knows_is_refused() -> None:
    with pytest.raises(QueryError):
        matches(parse_query(["#x"]), ROW)
