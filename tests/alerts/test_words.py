"""What messages say: whatever people call their village, the text stays plain, in its lines and within the limit."""

import pytest

from kampungnet.alerts import words
from kampungnet.alerts.cutting import cut, length
from kampungnet.alerts.facts import Kind, Light, Morning, Silent
from kampungnet.alerts.gather import Known, seen_by
from kampungnet.core import clock
from kampungnet.measurement.outage_words import Cause
from kampungnet.staff.service import Scope
from tests.alerts.stories import CODES, HOUR, MINUTE, NOON, VILLAGES, Ear, at, group, incident, texts, voice, work

HOSTILE = (
    "<b>Desa</b> & \"satu\" 'dua' <script>alert(1)</script>",
    "*tebal* _miring_ [tautan](http://jahat.example) `kode`",
    "baris\nkedua\r\nketiga\ttab\x00nol\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe",
    "\N{FACE WITH TEARS OF JOY}" * 80,
    "a" * 300,
    "%(what)s %s %d {} {{ 7*7 }} $HOME",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_their_line_as_they_were_typed(name: str) -> None:
    named = VILLAGES | {CODES[0]: name}
    for fact in (incident(codes=CODES[:7], names=named), group(2, start_ms=NOON - HOUR)):
        (text,) = texts(Ear().listen(NOON, fact), NOON)
        assert all(sign.isprintable() for line in text.split("\n") for sign in line.replace("\N{NO-BREAK SPACE}", " "))
        assert len(text.split("\n")) <= 6
        assert length(text) < 600
    (text,) = texts(Ear().listen(NOON, incident(codes=CODES[:7], names=named)), NOON)
    assert " ".join(name.replace("\x00", " ").replace("\N{RIGHT-TO-LEFT OVERRIDE}", " ").split())[:25] in text


@pytest.mark.parametrize("most", [4096, 1024, 160, 70])
def test_a_text_that_is_too_long_loses_whole_lines_of_its_middle(most: int) -> None:
    lines = [
        "GANGGUAN: \N{FACE WITH TEARS OF JOY}" + "x" * 30,
        *(f"- desa {n} " + "\N{FACE WITH TEARS OF JOY}" * 20 for n in range(200)),
    ]
    found = cut("\n".join([*lines, "https://kn.example/gangguan/i1"]), most)
    assert length(found) <= most
    assert found.split("\n")[-1] == "https://kn.example/gangguan/i1"
    assert found.startswith("GANGGUAN: ")
    assert all(line in (*lines, "…", "https://kn.example/gangguan/i1") for line in found.split("\n")[1:])
    assert cut("pendek\nhalaman", most) == "pendek\nhalaman"
    assert length(cut("x" * 9000, most)) <= most


@pytest.mark.parametrize("cause", [one for one in Cause if one is not Cause.TERENCANA])
def test_every_cause_says_what_to_do_and_operators_read_other_words(cause: Cause) -> None:
    told = [texts(Ear().listen(NOON, incident(cause=cause)), NOON, kind)[0] for kind in Kind]
    assert all("Yang perlu dilakukan: " in text for text in told)
    assert told[0] != told[1]


def test_a_digest_says_what_is_down_what_recovered_and_which_lights_fall() -> None:
    now = at("2026-11-30 06:30")
    facts = [
        incident("i1", CODES[:23], now - 5 * HOUR), incident("i2", CODES[30:31], now - 9 * HOUR, now - 7 * HOUR),
        work(now + 2 * HOUR, now + 3 * HOUR),
    ]  # fmt: skip
    light = Light(CODES[4], "Desa <5>", "−26,1 dBm, lemah")
    morning = Morning(
        clock.local_day(now, clock.WIB), facts, [light], [Silent(CODES[7], "Desa 8", now - 187 * MINUTE)], 60, 36
    )
    assert words.digest_text(morning, voice(now)).replace("\N{NO-BREAK SPACE}", " ") == (
        "30 November 2026: 36 dari 60 desa tersambung\n"
        "Sekarang terganggu:\n"
        "- Kabel FO Utara: serat optik putus (semua 23 desa di sana), hari ini pukul 01.30 WIB\n"
        "Pulih sejak kemarin:\n"
        "- Desa 31: serat optik putus, kemarin pukul 21.30 WIB sampai kemarin pukul 23.30 WIB (2 jam)\n"
        "Cahaya serat optik buruk atau menurun:\n"
        "- Desa <5>: −26,1 dBm, lemah\n"
        "Kotak tidak melapor:\n"
        "- Desa 8 sejak hari ini pukul 03.23 WIB\n"
        "Pekerjaan terencana:\n"
        "- Kabupaten Banyuwangi, hari ini pukul 08.30 WIB sampai hari ini pukul 09.30 WIB (1 jam)\n"
        "https://kn.example/"
    )
    calm = Morning(clock.local_day(now, clock.WIB), [], [], [], 60, 60)
    assert words.digest_text(calm, voice(now)).split("\n")[1] == "Tidak ada kejadian sejak kemarin."


def test_who_hears_of_one_village_reads_its_name_and_no_other() -> None:
    whole = incident(codes=CODES[:23])
    known = Known("35.10", clock.WIB, VILLAGES, [whole])
    (seen,) = seen_by(known, Scope("35.10", CODES[4]))
    (text,) = texts(Ear().listen(NOON, seen), NOON, Kind.OPERATOR)
    assert text.split("\n")[:2] == ["GANGGUAN: serat optik putus, Kabel FO Utara", "Desa 5"]
    (alone,) = texts(Ear().listen(NOON, incident()), NOON)
    assert alone.count("Desa 1") == 1


def test_a_digest_says_beside_the_seal_that_the_log_has_a_break() -> None:
    now = at("2026-11-30 06:30")
    seal = "35.10 2026-11-29 45 · 2:" + "ab" * 16
    begun = Morning(clock.local_day(now, clock.WIB), [], [], [], 60, 60, seal, 41)
    assert words.digest_text(begun, voice(now)).split("\n")[2:4] == [
        f"Segel catatan: {seal}", "Catatan dimulai lagi pada tindakan 41.",
    ]  # fmt: skip
