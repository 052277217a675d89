"""A village's page tells when it had no service, why, and what speaks for it."""

import re
from datetime import date, timedelta

import pytest

from kampungnet.app import Server
from kampungnet.core import clock, pages
from kampungnet.core.languages import Language
from kampungnet.measurement import month_strip, months_of_village
from kampungnet.measurement.availability import Record, Window, availability
from kampungnet.measurement.outage_list import lines
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span
from kampungnet.measurement.workdays import OfficeHours
from tests.pages.cast import signed_in
from tests.pages.losses import LOSING

HOUR = 3_600_000
LANGUAGES = pages.all_languages()
ID: Language = LANGUAGES["id"]
NOON = 1_782_882_000_000
"""Wednesday 2026-07-01 12.00 in WIB."""
WHOLE = month_strip.period(NOON, clock.WIB)


def _outage(start_ms: int, end_ms: int | None, cause: Cause = Cause.LISTRIK, *seen: Finding) -> Outage:
    evidence = tuple(Evidence(start_ms, one) for one in seen or (Finding.ROUTER_RESTARTED,))
    return Outage(start_ms, end_ms, cause, 0.9, evidence, provisional=end_ms is None)


async def test_the_page_shows_the_month_in_colours_and_patterns_and_says_why(server: Server) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/desa/{LOSING}")).text
    drawn = set(re.findall(r'fill="url\(#is-([a-z]+)\)"', page))
    assert drawn == {"good", "unseen", *(cause.value for cause in Cause)}
    assert set(re.findall(r'<pattern id="is-([a-z]+)"', page)) == drawn
    marks = re.findall(r'<path class="mark" d="([^"]+)"', page)
    assert len(set(marks)) == len(Cause), "every cause has a pattern of its own"
    assert re.search(r"<b>Serat optik putus</b> <span>[^<]+13\.00 sampai 14\.00 \(1 jam\)</span>", page)
    assert "Kabar terakhir pukul 12.59, tidak ada cahaya di serat optik, kotak pantau menyala lagi pukul 14.00." in page
    assert "<b>Mungkin: gangguan penyedia</b>" in page
    assert "Sementara: belum semua data dari kotak pantau tiba." in page
    assert "Tersedia pada jam kerja, 07.00 sampai 15.00" in page
    english = (await sari.get(f"/desa/{LOSING}?lang=en")).text
    assert "no light came through the fibre, the box started again at 14:00." in english


def test_a_quiet_month_is_available_all_the_time_and_a_lost_half_day_is_counted_to_the_second() -> None:
    good = month_strip.strip(Record(), WHOLE, ID, clock.WIB)
    assert good.facts[0] == ("Tersedia siang malam", "100,00%")
    assert {bar.style for bar in good.bars} == {"good"}
    assert good.rows == ()
    lost = Record([_outage(NOON - 60 * HOUR, NOON - 48 * HOUR)])
    half = month_strip.strip(lost, WHOLE, ID, clock.WIB)
    whole_hours = (WHOLE.end_ms - WHOLE.start_ms) // HOUR
    assert half.facts[0][1] == f"{100 - 100 * 12 / whole_hours:.2f}%".replace(".", ",")
    assert ("Tanpa layanan", "12 jam") in half.facts
    assert [row[1] for row in half.rows] == ["12 jam"]


def test_an_outage_over_midnight_is_cut_into_its_days_and_never_leaves_the_strip() -> None:
    midnight = clock.day_start_ms(clock.local_day(NOON, clock.WIB), clock.WIB)
    found = month_strip.strip(Record([_outage(midnight - HOUR, None)]), WHOLE, ID, clock.WIB)
    first, second = (bar for bar in found.bars if bar.style == "listrik")
    assert (first.y, first.height) == (month_strip.HEIGHT - 6, 6)
    assert (second.y, second.height) == (0, month_strip.HEIGHT / 2)
    assert first.x < second.x
    assert all(0 <= bar.x <= 100 - bar.width and bar.y + bar.height <= month_strip.HEIGHT for bar in found.bars)


def test_time_before_the_first_reading_is_neither_good_nor_lost() -> None:
    unseen = [Span(0, NOON - 24 * HOUR), Span(NOON - 2 * HOUR, NOON)]
    found = month_strip.strip(Record(unseen=unseen), WHOLE, ID, clock.WIB)
    assert ("Tersedia siang malam", "100,00%") in found.facts
    assert ("Tidak diketahui", "2 jam") in found.facts
    assert ("Kelengkapan", "data 91% lengkap") in found.facts
    never = month_strip.strip(Record(unseen=[Span(0, NOON)]), WHOLE, ID, clock.WIB)
    assert ("Tersedia siang malam", "tidak diketahui") in never.facts
    assert {bar.style for bar in never.bars} == {"unseen"}


@pytest.mark.parametrize("finding", list(Finding))
def test_every_finding_is_said_in_both_languages(finding: Finding) -> None:
    said = {lines([_outage(NOON, NOON + HOUR, Cause.FIBER, finding)], one, clock.WIB, NOON + HOUR)[0].evidence
            for one in LANGUAGES.values()}  # fmt: skip
    assert len(said) == len(LANGUAGES)


def test_planned_work_stands_beside_the_days_and_covers_nothing_that_was_measured() -> None:
    midnight = clock.day_start_ms(clock.local_day(NOON, clock.WIB), clock.WIB)
    announced = Window(midnight - 26 * HOUR, midnight - 22 * HOUR, midnight - 100 * HOUR)
    ahead = Window(NOON + 24 * HOUR, NOON + 26 * HOUR, NOON)
    plain = month_strip.strip(Record(), WHOLE, ID, clock.WIB)
    found = month_strip.strip(Record(windows=[announced, ahead]), WHOLE, ID, clock.WIB)
    beside = [bar for bar in found.bars if bar.style == "terencana"]
    assert len(beside) == 2, "from 22.00 to midnight and on to 02.00; what is ahead is in the list alone"
    days = [bar for bar in found.bars if bar.style != "terencana"]
    assert days == list(plain.bars)
    assert all(bar.x >= day.x + day.width or bar.x + bar.width <= day.x for bar in beside for day in days)
    assert "Pekerjaan terencana" in {name for _, name, _ in found.legend}
    assert "pekerjaan terencana" in found.note
    assert "pekerjaan terencana" not in plain.note


def test_silence_alone_is_not_called_an_outage() -> None:
    (line,) = lines([_outage(NOON, None, Cause.UNKNOWN, Finding.SILENCE)], ID, clock.WIB, NOON + HOUR)
    assert line.what == "Tidak ada laporan, mungkin tanpa layanan"
    assert line.style == "unseen"


def test_an_outage_of_days_names_the_day_it_ended() -> None:
    (line,) = lines([_outage(NOON - 50 * HOUR, NOON - 24 * HOUR)], ID, clock.WIB, NOON)
    yesterday = ID.day(clock.local_day(NOON, clock.WIB) - timedelta(days=2))
    assert line.when == f"{yesterday} pukul 10.00 sampai kemarin pukul 12.00 (1 hari 2 jam)"


async def test_this_month_and_the_last_one_stand_side_by_side_with_how_fresh_and_final_they_are(
    server: Server,
) -> None:
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/desa/{LOSING}")).text
    today = clock.local_day(clock.now_ms(), clock.WIB)
    this = ID.month(today)
    assert this in page
    assert "sementara: bulan belum berakhir" in page
    assert re.search(r"Dinilai (\d+ menit lalu|baru saja)\.", page)


@pytest.mark.parametrize(
    ("unseen_hours", "said"), [(49, "100,00%"), (51, "belum cukup terukur"), (100, "tidak diketahui")]
)
def test_a_month_of_which_less_than_half_was_seen_has_no_share(unseen_hours: int, said: str) -> None:
    record = Record(unseen=[Span(NOON, NOON + unseen_hours * HOUR)])
    found = availability([Span(NOON, NOON + 100 * HOUR)], record)
    assert months_of_village._percent(found, ID) == said


def test_office_hours_in_the_words_are_those_of_the_installation_and_its_holidays() -> None:
    holiday = OfficeHours(8, 14, holidays=frozenset({date(2026, 6, 30)}))
    facts = dict(month_strip.strip(Record(), WHOLE, ID, clock.WIB, holiday).facts)
    assert "Tersedia pada jam kerja, 08.00 sampai 14.00" in facts
