"""What is told, and when: facts in, messages out. Every story checks that asking twice says nothing twice."""

import pytest

from kampungnet.alerts import decide
from kampungnet.alerts.facts import NOTHING, Act, Severity
from kampungnet.core import clock
from kampungnet.measurement.outage_words import Cause
from kampungnet.staff.service import Scope
from tests.alerts.stories import (
    CODES,
    HOUR,
    MINUTE,
    NOON,
    Ear,
    at,
    group,
    incident,
    quiet,
    reader,
    texts,
    work,
)

BEGIN, MORE, END, CANCEL, SUMMARY = Act.BEGIN, Act.MORE, Act.END, Act.CANCEL, Act.SUMMARY


def test_twenty_three_villages_at_once_are_one_message() -> None:
    (one,) = Ear().listen(NOON, incident(codes=CODES[:23]))
    (text,) = texts([one], NOON)
    lines = text.split("\n")
    assert lines[0] == "GANGGUAN: serat optik putus, Kabel FO Utara"
    assert lines[1] == "semua 23 desa di sana: Desa 1, Desa 2, Desa 3, Desa 4, Desa 5, Desa 6 dan 17 lainnya"
    assert lines[2] == "Sejak hari ini pukul 11.00\N{NO-BREAK SPACE}WIB (1 jam)"
    assert lines[-1] == "https://kn.example/gangguan/i1"


def test_an_outage_is_told_after_ten_minutes_and_never_when_it_ended_before() -> None:
    ear, start = Ear(), NOON - 9 * MINUTE
    assert ear.acts(NOON, incident(start_ms=start)) == []
    assert ear.acts(NOON + 4 * MINUTE, incident(start_ms=start, end_ms=NOON)) == []
    assert ear.acts(NOON + MINUTE, incident("i2", start_ms=start)) == [BEGIN]


def test_one_that_grows_from_five_to_twenty_three_updates_once_and_does_not_flood() -> None:
    ear, start = Ear(), NOON - 10 * MINUTE
    assert ear.acts(NOON, incident(codes=CODES[:5], start_ms=start)) == [BEGIN]
    sent = [
        act for minute in range(1, 40)
        for act in ear.acts(NOON + minute * MINUTE, incident(codes=CODES[: 5 + min(18, minute)], start_ms=start))
    ]  # fmt: skip
    assert sent == [MORE]
    assert ear.acts(NOON + 3 * HOUR, incident(codes=CODES[:24], start_ms=start)) == [], "one more of 24 is no news"


def test_a_cause_that_becomes_known_is_news_at_most_six_times_a_day() -> None:
    ear = Ear()
    assert ear.acts(NOON, incident(is_silence=True)) == [BEGIN]
    assert ear.acts(NOON + 10 * MINUTE, incident()) == [], "not within half an hour of the last message"
    assert ear.acts(NOON + 31 * MINUTE, incident()) == [MORE]
    swaying = [
        act for n in range(1, 40)
        for act in ear.acts(NOON + (1 + n) * 31 * MINUTE, incident(cause=(Cause.LISTRIK, Cause.FIBER)[n % 2]))
    ]  # fmt: skip
    assert len(swaying) == 5


def test_recovered_is_told_with_the_length_once_it_stays() -> None:
    ear, start = Ear(), NOON - 75 * MINUTE
    ear.listen(NOON - HOUR, incident(codes=CODES[:3], start_ms=start))
    over = incident(codes=CODES[:3], start_ms=start, end_ms=NOON)
    assert ear.acts(NOON + 4 * MINUTE, over) == []
    (one,) = ear.listen(NOON + 5 * MINUTE, over)
    (text,) = texts([one], NOON + 5 * MINUTE)
    assert text.split("\n")[0] == "PULIH: serat optik putus, Kabel FO Utara"
    assert "(1 jam 15 menit)" in text
    assert ear.acts(NOON + HOUR, over) == []


def test_recovered_waits_half_an_hour_for_readings_that_are_missing() -> None:
    ear = Ear()
    ear.listen(NOON - HOUR, incident(start_ms=NOON - 2 * HOUR))
    over = incident(start_ms=NOON - 2 * HOUR, end_ms=NOON, is_settled=False)
    assert ear.acts(NOON + 29 * MINUTE, over) == []
    assert ear.acts(NOON + 30 * MINUTE, over) == [END]


def test_silence_that_was_none_is_taken_back_and_not_called_recovered() -> None:
    ear = Ear()
    assert ear.acts(NOON, incident(is_silence=True)) == [BEGIN]
    (one,) = ear.listen(NOON + HOUR)
    (text,) = texts([one], NOON + HOUR)
    assert one.act is CANCEL
    assert text.startswith("DIBATALKAN: pesan hari ini pukul 12.00")
    assert "Desa 1" in text
    assert ear.acts(NOON + 2 * HOUR) == []


def test_what_joins_a_larger_one_says_nothing_by_itself() -> None:
    ear, start = Ear(), NOON - 20 * MINUTE
    assert ear.acts(NOON, incident("small", CODES[:3], start)) == [BEGIN]
    (one,) = ear.listen(NOON + MINUTE, incident("large", CODES[:20], start + MINUTE))
    assert (one.act, one.topic) == (BEGIN, "incident:large")
    assert ear.acts(NOON + HOUR, incident("large", CODES[:20], start + MINUTE, NOON)) == [END]


def test_what_is_cut_in_two_is_not_told_again_and_both_recover() -> None:
    ear, start = Ear(), NOON - 20 * MINUTE
    assert ear.acts(NOON, incident("a", CODES[:20], start)) == [BEGIN]
    halves = incident("a", CODES[:12], start), incident("b", CODES[12:20], start)
    assert ear.acts(NOON + MINUTE, *halves) == []
    ended = incident("a", CODES[:12], start, NOON), incident("b", CODES[12:20], start, NOON)
    assert ear.acts(NOON + HOUR, *ended) == [END, END]


def test_a_line_that_flaps_is_told_three_times_in_six_hours_then_only_when_it_lasts() -> None:
    ear, heard = Ear(), []
    facts = []
    for n in range(12):  # down for twelve minutes of every half an hour
        start = NOON + n * 30 * MINUTE
        facts.append(incident(f"i{n}", start_ms=start))
        heard += ear.listen(start + 11 * MINUTE, *facts)
        facts[-1] = incident(f"i{n}", start_ms=start, end_ms=start + 12 * MINUTE)
        heard += ear.listen(start + 20 * MINUTE, *facts)
    assert [one.act for one in heard] == [BEGIN, END] * 3
    assert "Putus sambung" in texts(heard, NOON)[4]
    start = NOON + 6 * HOUR
    assert ear.acts(start + 11 * MINUTE, incident("long", start_ms=start)) in ([], [BEGIN])
    assert ear.acts(start + 61 * MINUTE, incident("long", start_ms=start)) in ([], [BEGIN])
    assert [one.topic for one in ear.history].count("incident:long") == 1


def test_many_single_ones_at_once_are_summed_up_and_so_is_their_end() -> None:
    ear, start = Ear(), NOON - 20 * MINUTE
    many = [incident(f"i{n}", [CODES[n]], start + n) for n in range(40)]
    (one,) = ear.listen(NOON, *many)
    assert one.act is SUMMARY
    (text,) = texts([one], NOON)
    assert text.startswith("GANGGUAN: 40 sekaligus\n- Desa 1: serat optik putus, hari ini pukul 11.40")
    assert text.count("\n- ") == 11
    late = [incident(f"j{n}", [CODES[40 + n]], start + 5 * MINUTE) for n in range(3)]
    assert ear.acts(NOON + MINUTE, *many, *late) == [BEGIN] * 3
    later = [incident(f"k{n}", [CODES[50 + n]], start + 5 * MINUTE) for n in range(3)]
    assert ear.acts(NOON + 2 * MINUTE, *many, *late, *later) == [], "the next summary waits"
    assert ear.acts(NOON + 16 * MINUTE, *many, *late, *later) == [SUMMARY]
    over = [incident(f"i{n}", [CODES[n]], start + n, NOON + HOUR) for n in range(40)]
    (end,) = ear.listen(NOON + 2 * HOUR, *over, *late, *later)
    assert texts([end], NOON)[0].startswith("PULIH: 40 gangguan")


def test_planned_work_is_announced_not_alarmed_and_an_overrun_is() -> None:
    start, end = NOON + HOUR, NOON + 3 * HOUR
    ear = Ear()
    (one,) = ear.listen(NOON, work(start, end))
    (text,) = texts([one], NOON)
    assert text.split("\n")[:3] == [
        "PEKERJAAN TERENCANA: Kabupaten Banyuwangi",
        "hari ini pukul 13.00\N{NO-BREAK SPACE}WIB sampai hari ini pukul 15.00\N{NO-BREAK SPACE}WIB (2 jam)",
        "Ganti tiang (PT Serat)",
    ]
    dark = incident(codes=CODES[:9], start_ms=start + MINUTE, is_planned=True)
    assert ear.acts(start + HOUR, work(start, end), dark) == []
    assert ear.acts(end + HOUR, incident(codes=CODES[:9], start_ms=start + MINUTE)) == [BEGIN]


def test_planned_work_that_is_called_off_is_told_to_who_heard_of_it() -> None:
    ear = Ear()
    called_off = work(NOON + HOUR, NOON + 2 * HOUR, withdrawn=True)
    assert ear.acts(NOON, called_off) == [], "who never heard of it hears nothing now"
    assert ear.acts(NOON, work(NOON + HOUR, NOON + 2 * HOUR)) == [Act.PLAN]
    assert ear.acts(NOON + MINUTE, called_off) == [Act.PLAN_OFF]
    assert ear.acts(NOON + 3 * HOUR, called_off) == []


@pytest.mark.parametrize(("now", "loud"), [("2026-11-29 21:59", True), ("2026-11-29 22:00", False),
                                           ("2026-11-30 00:01", False), ("2026-11-30 04:59", False),
                                           ("2026-11-30 05:00", True)])  # fmt: skip
def test_quiet_hours_over_midnight_hold_back_what_is_not_urgent(now: str, loud: bool) -> None:
    night = reader(quiet=quiet("22:00", "05:00"))
    start = at(now) - 30 * MINUTE
    assert Ear(night).acts(at(now), incident(start_ms=start)) == ([BEGIN] if loud else [])
    assert Ear(night).acts(at(now), incident(codes=CODES[:5], start_ms=start)) == [BEGIN], "five villages are urgent"
    none = reader(quiet=quiet("22:00", "05:00", NOTHING))
    assert Ear(none).acts(at(now), incident(codes=CODES[:5], start_ms=start)) == ([BEGIN] if loud else [])
    noon = reader(quiet=quiet("12:00", "13:00"))
    assert Ear(noon).acts(at(now), incident(start_ms=start)) == [BEGIN]


def test_after_a_quiet_night_only_what_still_lasts_is_told() -> None:
    ear = Ear(reader(quiet=quiet("22:00", "05:00")))
    start = at("2026-11-30 01:00")
    lasting, over = incident("l", start_ms=start), incident("o", [CODES[3]], start, start + HOUR)
    assert ear.acts(at("2026-11-30 03:00"), lasting, over) == []
    (one,) = ear.listen(at("2026-11-30 05:00"), lasting, over)
    assert (one.act, one.topic) == (BEGIN, "incident:l")


def test_one_that_becomes_urgent_in_the_night_is_told() -> None:
    ear, now = Ear(reader(quiet=quiet("22:00", "05:00"))), at("2026-11-30 01:00")
    assert ear.acts(now, incident(codes=CODES[:4], start_ms=now - HOUR)) == []
    assert ear.acts(now + MINUTE, incident(codes=CODES[:9], start_ms=now - HOUR)) == [BEGIN]


def test_who_is_new_hears_nothing_of_what_began_before() -> None:
    ear = Ear(reader(since_ms=NOON))
    assert ear.acts(NOON + HOUR, *(incident(f"i{n}", [CODES[n]], NOON - HOUR) for n in range(30))) == []


def test_a_group_of_alertmanager_is_one_message_and_resolved_is_recovered() -> None:
    ear = Ear()
    (one,) = ear.listen(NOON, group(3))
    (text,) = texts([one], NOON + MINUTE)
    assert text.startswith("PERINGATAN: Router panas di Kec. Glagah\n3 laporan: Desa 0, Desa 1, Desa 2\nSejak hari ini")
    assert ear.acts(NOON + MINUTE, group(3)) == [], "what is sent again is known"
    assert ear.acts(NOON + HOUR, group(6)) == [MORE]
    assert ear.acts(NOON + 2 * HOUR, group(6, end_ms=NOON + 2 * HOUR)) == [END]
    assert ear.acts(NOON + 4 * HOUR, group(2, start_ms=NOON + 4 * HOUR)) == [BEGIN], "the same group fires again"


@pytest.mark.parametrize(
    ("now", "due"),
    [("06:29", None), ("06:30", "digest:2026-11-30"), ("09:29", "digest:2026-11-30"), ("09:31", None), ("23:00", None)],
)
def test_the_digest_is_due_once_in_the_morning(now: str, due: str | None) -> None:
    early, now_ms = reader(digest_minute=390), at(f"2026-11-30 {now}")
    assert decide.digest_day([], early, now_ms) == due
    assert decide.digest_day([], reader(), now_ms) is None
    ear = Ear(early)
    ear.listen(now_ms, incident("x", start_ms=now_ms - HOUR))
    said = [ear.history[0].__class__("digest:2026-11-30", 0, Act.DIGEST, now_ms, now_ms, frozenset(), "", "", True)]  # noqa: FBT003 -- is_loud
    assert decide.digest_day(said, early, now_ms) is None
    assert decide.digest_day([], reader(digest_minute=390, since_ms=at("2026-11-30 06:31")), now_ms) is None


def test_the_zone_of_the_site_cuts_quiet_hours_and_mornings() -> None:
    east = reader(zone=clock.WIT, digest_minute=390, scope=Scope("91.01"), quiet=quiet("22:00", "05:00"))
    assert decide.digest_day([], east, at("2026-11-30 04:30")) == "digest:2026-11-30"
    assert east.is_held(Severity.WARNING, at("2026-11-29 20:00")) is True
    assert east.is_held(Severity.WARNING, at("2026-11-30 03:00")) is False
