"""Long lists, a hundred rows at a time."""

import pytest

from kampungnet.billing.paged import paged


def test_a_short_list_has_no_pages() -> None:
    found = paged(range(100), "halaman=7")
    assert (list(found.rows), found.all, found.pages) == (list(range(100)), 100, ())


@pytest.mark.parametrize(
    ("query", "rows", "here"),
    [
        ("", range(100), "1"), ("halaman=3", range(200, 250), "3"), ("halaman=semua", range(250), "semua"),
        ("halaman=4", range(100), "1"), ("halaman=0", range(100), "1"), ("halaman=%00", range(100), "1"),
        ("halaman=²", range(100), "1"),
    ],
)  # fmt: skip
def test_a_long_one_is_cut_and_leads_on(query: str, rows: range, here: str) -> None:
    found = paged(range(250), query)
    assert list(found.rows) == list(rows)
    assert found.all == 250
    assert [name for name, _, is_here in found.pages if is_here] == [here]
    assert [name for name, _, _ in found.pages] == ["1", "2", "3", "semua"]


def test_what_was_chosen_otherwise_stays_in_the_links() -> None:
    found = paged(range(101), "kecamatan=35.10.15&halaman=2&hasil=%3Cb%3E")
    assert found.pages[0][1] == "?kecamatan=35.10.15&hasil=%3Cb%3E&halaman=1"
