"""A village is found as people write its name."""

import pytest

from kampungnet.villages.search import MOST, Named, search

VILLAGES = [
    Named("35.10.15.2012", "Kampunganyar", "Glagah"), Named("35.10.15.2005", "Rejosari", "Glagah"),
    Named("35.10.01.2001", "Sarongan", "Pesanggaran"), Named("35.10.02.2003", "Sumberberas", "Muncar"),
    Named("35.10.03.2004", "Purwoasri", "Tegaldlimo"), Named("35.10.16.1001", "Kelir Rejo", "Giri"),
    Named("35.10.17.1002", "Jajag", "Gambiran"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "names", "is_guess"),
    [
        ("rejo", ["Rejosari", "Kelir Rejo"], False), ("Desa Sarongan", ["Sarongan"], False),
        ("sumber beras", ["Sumberberas"], False), ("SOEMBERBERAS", ["Sumberberas"], False),
        ("Djadjag", ["Jajag"], False), ("rejsari", ["Rejosari"], True), ("kampung anyer", ["Kampunganyar"], True),
        ("35.10.15", ["Kampunganyar", "Rejosari"], False), ("3510012001", ["Sarongan"], False),
        ("jakarta", [], True), ("  ", [], False), ("<script>", [], True), ("\U0001f600", [], False),
    ],
)  # fmt: skip
def test_what_somebody_types_finds_the_village(typed: str, names: list[str], is_guess: bool) -> None:
    found = search(VILLAGES, typed)
    assert sorted(one.name for one in found.villages) == sorted(names)
    assert found.is_guess is is_guess


def test_a_long_list_is_cut_and_a_long_text_too() -> None:
    many = [Named(f"35.10.15.{n:04}", f"Sumber {n}", "Muncar") for n in range(200)]
    assert len(search(many, "sumber").villages) == MOST
    assert search(many, "x" * 100_000).villages == ()
