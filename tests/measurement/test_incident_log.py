"""Incidents in the database: one trunk, one incident; its id lives on while readings change the rest."""

from collections.abc import Iterable

import msgspec
import pytest
from sqlalchemy import delete, select

from kampungnet.core.database import Database
from kampungnet.core.errors import BadInput
from kampungnet.devices.models import Site
from kampungnet.measurement import incident_log, topology
from kampungnet.measurement.neighbours import neighbours
from kampungnet.measurement.outage_models import LoggedIncident, LoggedOutage
from kampungnet.measurement.outage_words import Cause, Evidence, Finding, Outage, Span
from kampungnet.staff.service import Role, Scope, SignedIn
from kampungnet.villages import service as villages

REGENCY = "35.10"
NOW = 1_782_882_000_000
MINUTE = 60_000
SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))


def _sites(database: Database, number: int) -> list[str]:
    """Give the first villages of the register a site each; they lie in several kecamatan."""
    with database.writes() as db:
        codes = sorted(villages.names(db, REGENCY))
        if len(codes) < number:
            with villages.register_path("banyuwangi").open(encoding="utf-8") as lines:
                villages.import_register(db, lines)
            codes = sorted(villages.names(db, REGENCY))
        known = set(db.scalars(select(Site.village)))
        db.add_all(
            Site(regency=REGENCY, code=f"{code}-1", village=code, name="Balai desa")
            for code in codes[:number] if code not in known
        )  # fmt: skip
    return codes[:number]


def _log(database: Database, codes: Iterable[str], start_ms: int, *, end_ms: int | None = None, cause: str = "fiber",
         finding: Finding = Finding.NO_LIGHT) -> None:  # fmt: skip
    with database.writes() as db:
        for number, code in enumerate(codes):
            at_ms = start_ms + number * 5_000
            seen = msgspec.json.encode([Evidence(at_ms, finding)]).decode()
            db.add(LoggedOutage(regency=REGENCY, site=f"{code}-1", start_ms=at_ms, end_ms=end_ms, cause=cause,
                                confidence=0.8, evidence=seen, provisional=end_ms is None))  # fmt: skip


def _hang(database: Database, codes: Iterable[str], trunk: str) -> None:
    with database.writes() as db:
        number, bad = topology.import_places(db, REGENCY, ["kode,jalur,odp", *(f"{code},{trunk}," for code in codes)])
    assert number
    assert not bad


def _updated(database: Database, now_ms: int = NOW) -> list[LoggedIncident]:
    with database.writes() as db:
        incident_log.update(db, REGENCY, now_ms)
    with database.reads() as db:
        return incident_log.listed(db, REGENCY, Span(NOW - 40 * 86_400_000, NOW + 1))


def test_twenty_three_villages_on_one_trunk_are_one_incident_named_by_it(database: Database) -> None:
    codes = _sites(database, 40)
    assert len({code[:8] for code in codes[:23]}) > 1, "the trunk crosses kecamatan"
    _hang(database, codes[:23], "FO Pesanggaran-Siliragung")
    _hang(database, codes[23:], "FO Kota")
    _log(database, codes[:23], NOW - 30 * MINUTE)
    (one,) = _updated(database)
    assert (len(incident_log.members(one)), one.sites, one.cause) == (23, 23, "fiber")
    assert incident_log.place(one) == ("FO Pesanggaran-Siliragung",)
    assert (one.end_ms, one.provisional, one.proven) == (None, True, True)


def test_an_id_lives_on_while_members_edges_and_cause_change(database: Database) -> None:
    codes = _sites(database, 12)
    _hang(database, codes, "FO Utara")
    _log(database, codes[:8], NOW - 30 * MINUTE, cause="unknown", finding=Finding.SILENCE)
    (before,) = _updated(database)
    assert not before.proven
    with database.writes() as db:
        db.execute(delete(LoggedOutage))
    _log(database, codes[1:11], NOW - 31 * MINUTE, end_ms=NOW - 5 * MINUTE)
    (after,) = _updated(database)
    assert after.id == before.id
    assert (after.cause, after.end_ms, after.provisional, len(incident_log.members(after))) == (
        "fiber", NOW - 5 * MINUTE, False, 10,
    )  # fmt: skip
    (again,) = _updated(database)
    assert (again.id, again.members) == (after.id, after.members)


def test_an_incident_that_was_judged_away_is_gone(database: Database) -> None:
    codes = _sites(database, 4)
    _log(database, codes[:1], NOW - 30 * MINUTE)
    assert len(_updated(database)) == 1
    with database.writes() as db:
        db.execute(delete(LoggedOutage))
    assert _updated(database) == []


def test_an_incident_older_than_the_open_days_still_ends(database: Database) -> None:
    codes = _sites(database, 2)
    old = NOW - 40 * 86_400_000
    _log(database, codes[:1], old)
    with database.writes() as db:
        incident_log.update(db, REGENCY, old + 86_400_000)
    (before,) = _updated(database)
    assert before.end_ms is None
    with database.writes() as db:
        for row in db.scalars(select(LoggedOutage)).all():
            row.end_ms, row.provisional = NOW - MINUTE, False
    (after,) = _updated(database)
    assert (after.id, after.end_ms, after.provisional) == (before.id, NOW - MINUTE, False)


def test_power_is_grouped_by_kecamatan_although_cables_are_known(database: Database) -> None:
    codes = [code for code in _sites(database, 60) if code.startswith("35.10.02.")][:6]
    _hang(database, codes[:3], "FO Satu")
    _hang(database, codes[3:], "FO Dua")
    _log(database, codes, NOW - 30 * MINUTE, end_ms=NOW, cause="listrik", finding=Finding.OLT_GASP)
    (one,) = _updated(database)
    assert incident_log.place(one)[0] == "35.10.02"


def test_neighbours_tell_only_what_they_know_themselves(database: Database) -> None:
    codes = [code for code in _sites(database, 60) if code.startswith("35.10.02.")][:4]
    _log(database, codes[:2], NOW - 30 * MINUTE, cause="listrik", finding=Finding.ROUTER_RESTARTED)
    _log(database, codes[2:3], NOW - 30 * MINUTE, cause="listrik", finding=Finding.NEIGHBOURS)
    asking = Outage(NOW - 30 * MINUTE, None, Cause.UNKNOWN, 0.2, (), provisional=True)
    with database.reads() as db:
        near = neighbours(db, (REGENCY, f"{codes[3]}-1"), [asking])
    assert [one.cause.value for one in near] == ["listrik", "unknown", "listrik"]


@pytest.mark.parametrize(
    "row",
    ["35.10.99.2001,FO,", "35.10.15.2012,,", "35.10.15.2012,FO,\n35.10.15.2012,FO,", f"35.10.15.2012,{'x' * 81},"],
)
def test_a_list_of_cables_with_one_bad_row_changes_nothing(database: Database, row: str) -> None:
    _sites(database, 217)
    with database.writes() as db:
        number, bad = topology.import_places(db, REGENCY, ["kode,jalur,odp", "35.10.15.2001,FO,", *row.split("\n")])
    assert (number, len(bad)) == (0, 1)
    with database.reads() as db:
        assert topology.topology(db, REGENCY).cable == {}
    with pytest.raises(BadInput), database.writes() as db:
        topology.import_places(db, REGENCY, ["kode,nama", "35.10.15.2001,FO"])
