from pathlib import Path

import pytest

from kampungnet.core import clock, languages, pages
from kampungnet.core.languages import read_catalogue

INDONESIAN, ENGLISH = pages.all_languages()["id"], pages.all_languages()["en"]
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_795_300_000_000
"""Sunday 22 November 2026, 05:26 WIB."""


@pytest.mark.parametrize(
    ("value", "decimals", "indonesian", "english"),
    [
        (0, 0, "0", "0"), (1234.5, 1, "1.234,5", "1,234.5"), (1_000_000, 0, "1.000.000", "1,000,000"),
        (-26.14, 1, "-26,1", "-26.1"), (-0.04, 1, "0,0", "0.0"), (0.5, 2, "0,50", "0.50"),
    ],
)  # fmt: skip
def test_numbers_are_written_the_local_way(value: float, decimals: int, indonesian: str, english: str) -> None:
    assert INDONESIAN.number(value, decimals) == indonesian
    assert ENGLISH.number(value, decimals) == english


@pytest.mark.parametrize(
    ("ago", "indonesian", "english"),
    [
        (-5 * MINUTE, "baru saja", "just now"), (0, "baru saja", "just now"),
        (MINUTE, "1 menit lalu", "1 minute ago"), (5 * MINUTE, "5 menit lalu", "5 minutes ago"),
        (HOUR, "1 jam lalu", "1 hour ago"), (47 * HOUR, "47 jam lalu", "47 hours ago"),
        (49 * HOUR, "2 hari lalu", "2 days ago"), (1500 * DAY, "1.500 hari lalu", "1,500 days ago"),
    ],
)  # fmt: skip
def test_ages_are_said_as_people_say_them(ago: int, indonesian: str, english: str) -> None:
    assert INDONESIAN.age(NOW - ago, NOW) == indonesian
    assert ENGLISH.age(NOW - ago, NOW) == english


def test_what_was_never_seen_has_no_age() -> None:
    assert INDONESIAN.age(None, NOW) == "belum pernah"


@pytest.mark.parametrize(
    ("seconds", "indonesian"),
    [(20, "kurang dari semenit"), (300, "5 menit"), (3_600, "1 jam"), (5_400, "1 jam 30 menit"),
     (90_061, "1 hari 1 jam"), (86_400 * 12, "12 hari")],
)  # fmt: skip
def test_durations_have_at_most_two_units(seconds: int, indonesian: str) -> None:
    assert INDONESIAN.duration(seconds) == indonesian


def test_a_stretch_names_its_day_once_and_the_end_of_the_day_is_24_hours() -> None:
    evening = clock.day_start_ms(clock.local_day(NOW, clock.WIB), clock.WIB) + DAY + 22 * HOUR
    assert INDONESIAN.stretch(evening, evening + 2 * HOUR, clock.WIB, NOW) == "besok pukul 22.00 sampai 24.00 (2 jam)"
    assert ENGLISH.stretch(evening, evening + HOUR, clock.WIB, NOW) == "tomorrow at 22:00 to 23:00 (1 hour)"
    over = INDONESIAN.stretch(evening - DAY, evening - DAY + 3 * HOUR, clock.WIB, NOW)
    assert over == "hari ini pukul 22.00 sampai besok pukul 01.00 (3 jam)"
    assert INDONESIAN.stretch(NOW - HOUR, None, clock.WIB, NOW).endswith("masih berlangsung (1 jam)")


def test_moments_are_local_and_name_their_zone() -> None:
    assert INDONESIAN.moment(NOW, clock.WIB, NOW) == "hari ini pukul 05.26\xa0WIB"
    assert INDONESIAN.moment(NOW, clock.WIT, NOW) == "hari ini pukul 07.26\xa0WIT"
    assert ENGLISH.moment(NOW - DAY, clock.WIB, NOW) == "yesterday at 05:26\xa0WIB"
    assert INDONESIAN.moment(NOW - 100 * DAY, clock.WIB, NOW, with_zone=False) == "14 Agt pukul 05.26"
    assert INDONESIAN.moment(NOW - 400 * DAY, clock.WIB, NOW, with_zone=False) == "18 Oktober 2025 pukul 05.26"


def test_sizes_count_in_decimal_units() -> None:
    assert INDONESIAN.size(999) == "999 B"
    assert INDONESIAN.size(34_560_000_000) == "34,6 GB"


def test_a_text_without_a_translation_is_shown_as_it_is() -> None:
    assert INDONESIAN.say("Nobody has translated this.") == "Nobody has translated this."
    assert languages.Language("id", ",", ".", ".", {}).say_many("%(n)s box", "%(n)s boxes", 2) == "2 boxes"


def test_a_catalogue_is_read_with_plurals_continuations_and_escapes() -> None:
    text = """# a comment
msgid ""
msgstr "Plural-Forms: nplurals=1;"

#, python-format
msgid "one \\"%(n)s\\""
msgid_plural "many"
msgstr[0] "a"
msgstr[1] "b"

msgid ""
"long "
"text"
msgstr ""
"teks\\n"
"panjang"

#, fuzzy
msgid "guess"
msgstr "tebakan"

msgid "empty"
msgstr ""
"""
    assert read_catalogue(text) == {'one "%(n)s"': ("a", "b"), "long text": ("teks\npanjang",)}


def test_catalogues_lie_in_the_package_so_that_a_wheel_has_them() -> None:
    for code in pages.all_languages():
        assert (Path(languages.__file__).parent.parent / "locale" / code / "LC_MESSAGES/messages.po").is_file()
