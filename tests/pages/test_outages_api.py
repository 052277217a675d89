"""Outages and availability for programs: who sees what, and that seconds add up."""

from datetime import timedelta
from typing import Final

from kampungnet.app import Server
from kampungnet.core import clock
from tests.pages.cast import browser, signed_in
from tests.pages.losses import LOSING

OUTAGES: Final = f"/data/v1/villages/{LOSING}/outages"
AVAILABILITY: Final = f"/data/v1/villages/{LOSING}/availability"
MONTHS: Final = f"/data/v1/villages/{LOSING}/months"


def _days(number: int) -> dict[str, str]:
    today = clock.local_day(clock.now_ms(), clock.WIB)
    return {"first": str(today - timedelta(days=number - 1)), "last": str(today)}


async def test_outages_come_with_cause_evidence_and_how_sure_they_are(server: Server) -> None:
    sari = await signed_in(server, "sari")
    found = (await sari.get(OUTAGES, params=_days(30))).json()
    assert [one["cause"] for one in found][-2:] == ["listrik", "penyedia"]
    lasting = found[-1]
    assert (lasting["end"], lasting["provisional"], lasting["proven"]) == (None, True, True)
    fibre = next(one for one in found if one["cause"] == "fiber")
    assert fibre["start"].endswith("T13:00:00+07:00")
    assert [one["what"] for one in fibre["evidence"]] == ["last_sign", "no_light", "box_restarted"]


async def test_seconds_of_a_period_are_each_in_one_class(server: Server) -> None:
    sari = await signed_in(server, "sari")
    (site,) = (await sari.get(AVAILABILITY, params=_days(10))).json()
    whole = site["whole"]
    assert whole["up"] + whole["planned"] + whole["unknown"] + sum(whole["down_by_cause"].values()) == whole["seconds"]
    assert whole["down_by_cause"]["listrik"] == 3_600
    assert whole["unknown"] >= 86_400
    assert 0 < whole["percent"] < 100
    assert site["office_hours"]["seconds"] < whole["seconds"] / 3 + 1


async def test_days_before_the_site_was_judged_are_unknown_and_days_to_come_are_refused(server: Server) -> None:
    sari = await signed_in(server, "sari")
    (known,), (longer,) = [(await sari.get(AVAILABILITY, params=_days(number))).json() for number in (30, 300)]
    assert longer["whole"]["up"] >= known["whole"]["up"]
    assert longer["whole"]["unknown"] - known["whole"]["unknown"] >= 260 * 86_400
    assert (await sari.get(AVAILABILITY, params={"first": "2098-01-01", "last": "2098-01-02"})).status_code == 422
    assert (await sari.get(OUTAGES, params=_days(401))).status_code == 422


async def test_a_month_is_told_as_statements_take_it(server: Server) -> None:
    sari = await signed_in(server, "sari")
    today = clock.local_day(clock.now_ms(), clock.WIB)
    (found,) = (await sari.get(f"{MONTHS}/{today:%Y-%m}")).json()
    assert (found["village"], found["month"], found["closed_ms"]) == (LOSING, str(today.replace(day=1)), None)
    classes = found["availability"]
    assert classes["seconds"] == (found["facts"]["period"]["end_ms"] - found["whole"]["start_ms"]) // 1000
    assert classes["down_by_cause"]["penyedia"] > 0
    assert found["facts"]["outages"][-1]["end_ms"] is None
    for wrong in ("2026-13", "2026-7", "2098-01", "now"):
        assert (await sari.get(f"{MONTHS}/{wrong}")).status_code == 422, wrong


async def test_an_operator_sees_no_other_village_and_a_stranger_none(server: Server) -> None:
    citra = await signed_in(server, "citra")
    for path in (OUTAGES, AVAILABILITY, f"{MONTHS}/2026-01"):
        assert (await citra.get(path, params=_days(3))).status_code == 404
        assert (await browser(server).get(path, params=_days(3))).status_code == 401
