"""Pages on which engineers add what machines cannot know: planned work and the cause of an outage."""

from datetime import timedelta

import pytest

from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.measurement import outage_log
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
    assert "Ditarik, tidak dihitung lagi" in (await sari.get("/pekerjaan")).text
    acts = (await sari.get("/catatan")).text
    assert acts.index("<td>planned_work.withdraw<") < acts.index("<td>planned_work.enter<")
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
