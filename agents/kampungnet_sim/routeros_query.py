"""Query words of ``print`` (facts/routeros.md, section 3, item 3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Row = Mapping[str, str]
Stack = list[bool]


class QueryError(ValueError):
    """A query word the router cannot read."""


class Test(NamedTuple):
    """One word that pushes a boolean."""

    kind: str
    name: str
    value: str


Step = Test | str


def parse_query(words: Sequence[str]) -> list[Step]:
    """Words with their leading ``?`` taken off, turned into tests and operator strings."""
    return [_parse(word) for word in words]


def _parse(word: str) -> Step:
    if word.startswith("#"):
        return word[1:]
    if word.startswith("-"):
        return Test("lacks", word[1:], "")
    if word[:1] in "<>=" and word:
        name, equals, value = word[1:].partition("=")
        if not equals and word[0] == "=":
            return Test("has", name, "")
        return Test({"<": "less", ">": "more", "=": "equal"}[word[0]], name, value)
    name, equals, value = word.partition("=")
    return Test("equal" if equals else "has", name, value)


def _order(left: str, right: str) -> int:
    """Numbers compare as numbers, everything else as text."""
    if left.lstrip("-").isdecimal() and right.lstrip("-").isdecimal():
        return (int(left) > int(right)) - (int(left) < int(right))
    return (left > right) - (left < right)


_TESTS: dict[str, Callable[[str | None, str], bool]] = {
    "has": lambda have, _: have is not None,
    "lacks": lambda have, _: have is None,
    "equal": lambda have, want: have == want or _same_truth(have, want),
    "less": lambda have, want: have is not None and _order(have, want) < 0,
    "more": lambda have, want: have is not None and _order(have, want) > 0,
}
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def _same_truth(have: str | None, want: str) -> bool:
    """Input takes ``yes`` for ``true``; what is stored says ``true`` or ``false``."""
    return have in ("true", "false") and _TRUTH.get(want) is _TRUTH[have]


def _pop(stack: Stack) -> bool:
    # The manual: the stack starts full of true, so it never runs dry.
    return stack.pop() if stack else True


def _operate(stack: Stack, operators: str) -> Stack:
    digits = ""
    for sign in operators:
        if sign.isdigit():
            digits += sign
            continue
        if digits:
            stack.append(_peek(stack, int(digits)))
            digits = ""
        _apply(stack, sign)
    if digits:
        # An index at the very end replaces the whole stack by that value.
        return [_peek(stack, int(digits))]
    return stack


def _peek(stack: Stack, depth: int) -> bool:
    return stack[-1 - depth] if depth < len(stack) else True


def _apply(stack: Stack, sign: str) -> None:
    if sign == "!":
        stack.append(not _pop(stack))
    elif sign == "&":
        second, first = _pop(stack), _pop(stack)
        stack.append(first and second)
    elif sign == "|":
        second, first = _pop(stack), _pop(stack)
        stack.append(first or second)
    elif sign == ".":
        stack.append(_peek(stack, 0))
    else:
        raise QueryError(f"unknown query operator {sign!r}")


def matches(steps: Sequence[Step], row: Row) -> bool:
    """Does the row stay? Any ``false`` left on the stack drops it."""
    stack: Stack = []
    for step in steps:
        if isinstance(step, str):
            stack = _operate(stack, step)
        else:
            stack.append(_TESTS[step.kind](row.get(step.name), step.value))
    return all(stack)
