"""Pages on which engineers add what machines cannot know: planned work and the cause of an outage."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.devices.models import Site
from kampungnet.measurement import incident_log, outage_log
from kampungnet.measurement.outage_models import JudgedSite, LoggedOutage
from kampungnet.measurement.outage_words import Cause, Span
from tests.pages import losses
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.losses import HOUR, LOSING
from tests.pages.sample import KAMPUNGANYAR, REGENCY, REJOSARI

PLACE = (REGENCY, f"{LOSING}-1")


def _form(**changes: str) -> dict[str, str]:
    start = clock.local(clock.now_ms() + 2 * HOUR, clock.WIB).replace(tzinfo=None, second=0, microsecond=0)
    plain = {
        "start": start.isoformat(), "end": (start + timedelta(hours=3)).isoformat(), "places": KAMPUNGANYAR,
        "provider": "PT Serat", "reason": "Pindah kabel <b>",
    }  # fmt: skip
    return plain | changes


async def test_planned_work_is_entered_listed_for_its_village_and_withdrawn_with_a_reason(server: Server) -> None:
    sari, budi, citra = [await signed_in(server, name) for name in ("sari", "budi", "citra")]
    assert (await sari.post("/pekerjaan", data=_form(), headers=OWN_PAGE)).status_code == 303
    page = (await sari.get("/pekerjaan")).text
    assert "Pindah kabel &lt;b&gt;" in page
    assert "Diumumkan sebelum dimulai" in page
    (work,) = (await budi.get("/data/v1/planned-work")).json()
    assert (work["announced"], work["places"], work["withdrawn"]) == (True, [KAMPUNGANYAR], None)
    assert "Masukkan pekerjaan" not in (await budi.get("/pekerjaan")).text
    assert (await citra.get("/data/v1/planned-work")).json() == []
    both: dict[str, str | list[str]] = {**_form(reason="Dua desa"), "places": [KAMPUNGANYAR, REJOSARI]}
    assert (await sari.post("/pekerjaan", data=both, headers=OWN_PAGE)).status_code == 303
    assert {tuple(one["places"]) for one in (await budi.get("/data/v1/planned-work")).json()} == {(KAMPUNGANYAR,)}
    assert "Rejosari" not in (await budi.get("/pekerjaan")).text
    withdrawal = f"/pekerjaan/{work['id']}/tarik"
    assert (await budi.post(withdrawal, data={"reason": "x"}, headers=OWN_PAGE)).status_code == 403
    assert (await sari.post(withdrawal, data={"reason": " "}, headers=OWN_PAGE)).status_code == 422
    assert (await sari.post(withdrawal, data={"reason": "Ditunda"}, headers=OWN_PAGE)).status_code == 303
    page = (await sari.get("/pekerjaan")).text
    assert "Ditarik, tidak dihitung lagi" in page
    assert "Ditarik oleh Ibu Sari, hari ini" in page
    assert ": Ditunda." in page
    acts = (await sari.get("/catatan")).text
    assert acts.index("<b>Pekerjaan terencana ditarik<") < acts.index("<b>Pekerjaan terencana dimasukkan<")
    assert (await budi.get("/catatan")).status_code == 403


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"end": "2026-01-01T00:00"}, "Waktu selesai mendahului waktu mulai."),
        ({"start": "soon"}, "Silakan isi hari dan jam"),
        ({"start": "1970-01-01T00:00", "end": "1970-01-01T01:00"}, "Ini lebih dari setahun"),
        ({"end": "2200-01-01T00:00"}, "Pekerjaan terencana paling lama 31 hari."),
        ({"places": "33.10.01.2001"}, "Salah satu tempat tidak ada"),
        ({"places": ""}, "Salah satu tempat tidak ada"),
        ({"reason": "  "}, "Silakan tulis alasannya"),
        ({"reason": "x" * 501}, "paling banyak 500 huruf"),
        ({"reason": "x" * 50_000}, "paling banyak 500 huruf"),
        ({"start": "x" * 5_000}, "Silakan isi hari dan jam"),
        ({"reason": "a\u202eb"}, "tanda yang tidak terbaca"),
    ],
)
async def test_bad_planned_work_is_refused_with_a_sentence_and_nothing_typed_is_lost(
    server: Server, changes: dict[str, str], sentence: str
) -> None:
    sari = await signed_in(server, "sari")
    answer = await sari.post("/pekerjaan", data=_form(**changes), headers=OWN_PAGE)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="PT Serat"' in answer.text
    assert (await sari.get("/data/v1/planned-work")).json() == []


async def test_an_engineer_sets_a_cause_and_lets_the_measured_one_stand_again(server: Server) -> None:
    now_ms = clock.now_ms()
    losses.add(server.database, now_ms)
    with server.database.reads() as db:
        fibre = next(
            one for one in outage_log.outages(db, PLACE, Span(0, now_ms)) if one.cause is Cause.FIBER
        )  # fmt: skip
    sari, budi = await signed_in(server, "sari"), await signed_in(server, "budi")
    address = f"/desa/{LOSING}/sebab?mulai={fibre.start_ms}"
    assert "Serat optik putus" in (await sari.get(address)).text
    assert (await sari.post(address, data={"cause": "gaib", "reason": "x"}, headers=OWN_PAGE)).status_code == 422
    assert (await budi.get(address)).status_code == 404
    said = {"cause": "orang", "reason": "Satpam mencabut kabel"}
    assert (await sari.post(address, data=said, headers=OWN_PAGE)).status_code == 303
    page = (await sari.get(f"/desa/{LOSING}")).text
    assert "Ditetapkan oleh Ibu Sari: Satpam mencabut kabel. Hasil ukur: Serat optik putus." in page
    with server.database.reads() as db:
        ruled = next(one for one in outage_log.outages(db, PLACE, Span(0, now_ms)) if one.ruled)
    assert (ruled.cause, ruled.ruled.judged if ruled.ruled else None) == (Cause.ORANG, Cause.FIBER)
    back = {"cause": "judged", "reason": "Keliru"}
    assert (await sari.post(address, data=back, headers=OWN_PAGE)).status_code == 303
    assert (await sari.post(address, data=back, headers=OWN_PAGE)).status_code == 404
    with server.database.reads() as db:
        assert not any(one.ruled for one in outage_log.outages(db, PLACE, Span(0, now_ms)))
    assert (await sari.get(f"/desa/{REJOSARI}/sebab?mulai=5")).status_code == 404


async def test_a_reason_of_any_length_comes_back_with_one_sentence_where_it_was_typed(server: Server) -> None:
    now_ms, long = clock.now_ms(), "panjang " * 1000
    losses.add(server.database, now_ms)
    sari = await signed_in(server, "sari")
    await sari.post("/pekerjaan", data=_form(), headers=OWN_PAGE)
    (work,) = (await sari.get("/data/v1/planned-work")).json()
    cause = f"/desa/{LOSING}/sebab?mulai={now_ms - HOUR}"
    for address in (f"/pekerjaan/{work['id']}/tarik", cause):
        answer = await sari.post(address, data={"reason": long, "cause": "orang"}, headers=OWN_PAGE)
        assert answer.status_code == 422
        assert answer.text.count("Silakan tulis paling banyak 500 huruf.") == 1
        assert f'value="{long}"' in answer.text
    assert (await sari.get("/data/v1/planned-work")).json() == [work]


async def test_of_two_sites_that_are_dark_at_once_the_one_in_the_link_gets_the_cause(server: Server) -> None:
    now_ms = clock.now_ms()
    losses.add(server.database, now_ms)
    school = (REGENCY, f"{LOSING}-2")
    with server.database.writes() as db:
        db.add(Site(regency=REGENCY, code=school[1], village=LOSING, name="SD Negeri 1"))
        db.flush()
        db.add(
            LoggedOutage(
                regency=REGENCY, site=school[1], start_ms=now_ms - HOUR, end_ms=None, cause="perangkat",
                confidence=0.9, evidence=f'[{{"at_ms":{now_ms - HOUR},"what":"router_silent","number":0}}]',
                provisional=True,
            )
        )  # fmt: skip
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/desa/{LOSING}")).text
    assert f"/desa/{LOSING}/sebab?tempat={PLACE[1]}&amp;mulai={now_ms - HOUR}" in page
    address = f"/desa/{LOSING}/sebab?tempat={school[1]}&mulai={now_ms - HOUR}"
    form = (await sari.get(address)).text
    assert "SD Negeri 1" in form
    assert f"sebab?tempat={school[1]}&amp;mulai=" in form
    said = {"cause": "orang", "reason": "Sekolah libur"}
    assert (await sari.post(address, data=said, headers=OWN_PAGE)).status_code == 303
    with server.database.reads() as db:
        causes = {
            place: [one.cause for one in outage_log.outages(db, place, Span(now_ms - 1, now_ms))]
            for place in (PLACE, school)
        }
    assert causes == {PLACE: [Cause.PENYEDIA], school: [Cause.ORANG]}
    elsewhere = f"/desa/{LOSING}/sebab?tempat={KAMPUNGANYAR}-1&mulai={now_ms - HOUR}"
    assert (await sari.get(elsewhere)).status_code == 404


async def test_the_form_says_that_planned_work_set_afterwards_counts_as_lost_time(server: Server) -> None:
    now_ms = clock.now_ms()
    losses.add(server.database, now_ms)
    sari = await signed_in(server, "sari")
    page = (await sari.get(f"/desa/{LOSING}/sebab?mulai={now_ms - HOUR}")).text
    assert "tetap dihitung sebagai waktu tanpa layanan" in page


async def test_a_cause_whose_outage_is_gone_is_listed_with_what_to_do_until_somebody_takes_it_back(
    server: Server,
) -> None:
    now_ms = clock.now_ms()
    losses.add(server.database, now_ms)
    sari, dedi, budi = [await signed_in(server, name) for name in ("sari", "dedi", "budi")]
    said = {"cause": "orang", "reason": "Satpam mencabut kabel"}
    await sari.post(f"/desa/{LOSING}/sebab?mulai={now_ms - HOUR}", data=said, headers=OWN_PAGE)
    gone = "Sebab yang ditetapkan untuk gangguan yang tidak ada lagi"
    assert gone not in (await sari.get("/janggal")).text
    with server.database.writes() as db:
        db.execute(delete(LoggedOutage).where(LoggedOutage.start_ms == now_ms - HOUR))
    page = (await sari.get("/janggal")).text
    assert gone in page
    assert "Satpam mencabut kabel" in page
    (lost,) = (await sari.get("/data/v1/oddities")).json()["lost_rulings"]
    assert (lost["village"], lost["site"], lost["cause"]) == (LOSING, PLACE[1], "orang")
    made = re.search(r'name="made" value="(\d+)"', page)
    assert made is not None
    form = {"site": PLACE[1], "made": made[1], "reason": "y" * 501}
    assert 'name="made"' not in (await dedi.get("/janggal")).text
    for other, status in ((dedi, 403), (budi, 404)):
        assert (await other.post("/janggal/sebab", data=form, headers=OWN_PAGE)).status_code == status
    long = await sari.post("/janggal/sebab", data=form, headers=OWN_PAGE)
    assert (long.status_code, "y" * 501 in long.text) == (422, True)
    form["reason"] = "Gangguan itu bacaan terlambat"
    assert (await sari.post("/janggal/sebab", data=form, headers=OWN_PAGE)).status_code == 303
    assert gone not in (await sari.get("/janggal")).text
    for wrong in ({}, {"made": "x"}, {"site": "35.10.99.2001-1"}):
        assert (await sari.post("/janggal/sebab", data=form | wrong, headers=OWN_PAGE)).status_code == 404
    assert "Gangguan itu bacaan terlambat" in (await sari.get("/catatan")).text


async def test_pages_of_outages_say_how_old_the_judgement_is(server: Server) -> None:
    now_ms = clock.now_ms()
    losses.add(server.database, now_ms)
    with server.database.writes() as db:
        incident_log.update(db, REGENCY, now_ms)
        db.execute(update(JudgedSite).values(judged_ms=now_ms - 7 * 60_000))
    sari = await signed_in(server, "sari")
    (incident, *_) = (await sari.get("/data/v1/incidents")).json()
    for address in ("/gangguan", f"/gangguan/{incident['id']}", "/janggal", f"/desa/{LOSING}"):
        assert "Dinilai 7 menit lalu." in (await sari.get(address)).text, address


async def test_a_village_sees_planned_work_past_and_ahead_beside_its_interruptions(server: Server) -> None:
    now_ms = clock.now_ms()
    losses.add(server.database, now_ms)
    sari = await signed_in(server, "sari")
    evening = clock.local(now_ms + clock.DAY_MS, clock.WIB).replace(tzinfo=None, hour=22, minute=0, second=0)
    tomorrow = _form(
        places=LOSING, start=evening.isoformat()[:16], end=(evening + timedelta(hours=2)).isoformat()[:16]
    )  # fmt: skip
    past = clock.local(now_ms - 20 * HOUR, clock.WIB).replace(tzinfo=None)
    late = _form(
        places=LOSING, reason="Sambung ulang", start=past.isoformat(), end=(past + timedelta(hours=3)).isoformat()
    )  # fmt: skip
    elsewhere = _form(places=KAMPUNGANYAR, reason="Di desa lain")
    for form in (tomorrow, late, elsewhere):
        assert (await sari.post("/pekerjaan", data=form, headers=OWN_PAGE)).status_code == 303
    page = (await sari.get(f"/desa/{LOSING}")).text
    list_of = page[page.index('id="gangguan"') :]
    ahead = "<b>Pekerjaan terencana</b> <span>besok pukul 22.00 sampai 24.00 (2 jam)</span>"
    assert ahead in list_of
    assert list_of.index(ahead) < list_of.index("masih berlangsung") < list_of.index("Sambung ulang")
    assert "Pindah kabel &lt;b&gt; (PT Serat)" in list_of
    assert "Dimasukkan sesudahnya" in list_of
    assert "Di desa lain" not in page
    assert "Bilah sempit" in page
