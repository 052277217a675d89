"""`kampungnet keys`: a new key on top, everything sealed anew with it, cut off anywhere, and nothing lost meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kampungnet import cli
from kampungnet.alerts.models import AlertRecipient
from kampungnet.core import keys as core_keys
from kampungnet.core.database import Base, Database
from kampungnet.core.errors import Unavailable
from kampungnet.core.keys import Keys, keys_of
from kampungnet.hotspot.models import HotspotAccount, HotspotBinding, Voucher
from kampungnet.hotspot.portals import ACCOUNT, MAC, VOUCHER
from kampungnet.sealing import service
from kampungnet.staff import audit, second_factor
from kampungnet.staff.audit import Act
from kampungnet.staff.models import StaffMember
from kampungnet.staff.service import NewStaff, Role, Scope, SignedIn, add_staff
from tests.support.server import REGENCY, SITE, VILLAGE, enrolled, where

SARI = SignedIn("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY))
CODE = "k7mp3xqwf"


@pytest.fixture
def file(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key file of a database in which one of everything is sealed."""
    path = tmp_path / "keys" / "kampungnet.key"
    path.parent.mkdir()
    monkeypatch.setenv("KAMPUNGNET_KEY_FILE", str(path))
    monkeypatch.setattr(core_keys, "LOOK_SECONDS", 0.0)
    keys = database._info["keys"] = Keys(path)
    enrolled(database)
    with database.writes() as db:
        add_staff(db, NewStaff("sari", "Ibu Sari", Role.ENGINEER, Scope(REGENCY)), "kerupuk udang renyah 7")
        db.get_one(StaffMember, "sari").factor = keys.seal(second_factor.FACTOR, b"x" * 20, "sari")
        _fill(db, "hotspot_accounts", id="A1", password=keys.seal(ACCOUNT, b"rahasia", "A1"))
        _fill(db, "hotspot_bindings", id="D1", mac=keys.seal(MAC, b"02:00:00:00:00:01", "D1"))
        _fill(db, "alert_recipients", id="R1", address=keys.seal("alerts", b"tgram://x", f"{REGENCY}/R1"))
        _fill(db, "alert_recipients", id="R2", address=b"", ended_ms=1)  # one who ended: the address was forgotten
        _fill(db, "voucher_batches", id="B1")
        for number in range(7):
            code = f"{CODE}{number}".encode()
            _fill(db, "vouchers", id=f"V{number}", batch="B1", serial=number, mark=keys.mark(VOUCHER, code),
                  code=keys.seal(VOUCHER, code, f"V{number}"))  # fmt: skip
        audit.record(db, SARI, Act("box.code", VILLAGE, "x"), 1)
    return path


def _fill(db: Session, table: str, **known: object) -> None:
    """Insert a row with something in every column that must have something."""
    found = Base.metadata.tables[table]
    given = {"regency": REGENCY, "site": SITE, **known}
    row = {
        one.name: given.get(one.name, None if one.nullable else one.type.python_type())
        for one in found.columns if one.name in given or not one.nullable
    }  # fmt: skip
    db.execute(found.insert().values(row))


def _opened(database: Database) -> list[bytes]:
    with database.reads() as db:
        keys = keys_of(db)
        found = [keys.open(VOUCHER, one.code, one.id) for one in db.scalars(select(Voucher).order_by(Voucher.id))]
        found += [keys.open(ACCOUNT, one.password, one.id) for one in db.scalars(select(HotspotAccount))]
        found += [keys.open(MAC, one.mac or b"", one.id) for one in db.scalars(select(HotspotBinding))]
        found += [
            keys.open("alerts", one.address, f"{REGENCY}/{one.id}")
            for one in db.scalars(select(AlertRecipient))
            if one.address
        ]
        factor = db.get_one(StaffMember, "sari").factor
        assert factor
        return [*found, keys.open(second_factor.FACTOR, factor, "sari")]


def _keys(database: Database, step: str) -> int:
    return cli.main(["keys", step, *where(database)])


def test_every_sealed_column_is_in_the_list(database: Database, file: Path) -> None:
    with database.reads() as db:
        needed = service.needed(db)
    (by,) = needed.values()
    assert dict(by) == {
        "staff.factor": 1, "vouchers.code": 7, "hotspot_accounts.password": 1, "hotspot_bindings.mac": 1,
        "alert_recipients.address": 1,
    }  # fmt: skip


def test_after_a_rotation_the_old_key_opens_nothing_and_everything_is_what_it_was(
    database: Database, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, old = _opened(database), file.read_text()
    assert (_keys(database, "new"), _keys(database, "rotate")) == (0, 0)
    assert _opened(database) == before
    said = capsys.readouterr().out
    assert "opens nothing that is kept" in said
    assert "keep the old keys in the file" in said
    new, _, rest = file.read_text().partition("\n")
    assert rest == old
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(new + "\n")
    assert _opened(database) == before, "the new key alone is enough for all secrets"
    with database.reads() as db:
        found = [keys_of(db).marks(VOUCHER, f"{CODE}{n}".encode())[0] for n in range(7)]
        assert sorted(db.scalars(select(Voucher.mark))) == sorted(found), "codes are found by the new key's marks"
        assert audit.examine(db, REGENCY).broken == 1, "acts of the old key's time are not proven without it"
    file.write_text(f"{new}\n{old}")
    with database.reads() as db:
        assert audit.examine(db, REGENCY).broken is None


def test_cut_off_anywhere_it_goes_on_where_it_was(database: Database, file: Path) -> None:
    before = _opened(database)
    core_keys.put_on_top(file)
    steps = 0
    for _ in range(50):
        going = service.reseal(database, batch=2)
        done = next(going)[2]
        while not done and (step := next(going, None)) is not None:
            done = step[2]
        going.close()  # the power is gone
        assert _opened(database) == before
        if not done:
            break
        steps += 1
    assert steps >= 5
    with database.reads() as db:
        assert len(service.needed(db)) == 1


def test_what_somebody_seals_meanwhile_is_left_as_it_is(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core_keys.put_on_top(file)
    really = service._next

    def between(db: Session, place: service.Sealed, after: tuple[Any, ...] | None, batch: int) -> list[Any]:
        rows = really(db, place, after, batch)
        if place.column == "password":
            mine = update(HotspotAccount).values(password=Keys(file).seal(ACCOUNT, b"baru", "A1"))
            db.execute(mine)
        return rows

    monkeypatch.setattr(service, "_next", between)
    list(service.reseal(database))
    assert b"baru" in _opened(database)


def test_a_row_whose_key_is_gone_is_said_and_not_touched(
    database: Database, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core_keys.put_on_top(file)
    file.write_text(file.read_text().splitlines()[0] + "\n")
    assert _keys(database, "rotate") != 0
    capsys.readouterr()
    assert _keys(database, "status") == 0
    assert "IS MISSING" in capsys.readouterr().out
    with pytest.raises(Unavailable, match="put the key"):
        _opened(database)


def test_a_rotation_that_stops_at_a_row_is_in_the_log_from_its_beginning(
    database: Database, file: Path, tmp_path: Path
) -> None:
    strange = Keys(tmp_path / "strange.key").seal(ACCOUNT, b"rahasia", "A1")
    with database.writes() as db:
        db.execute(update(HotspotAccount).values(password=strange))
    newest = core_keys.put_on_top(file)
    assert _keys(database, "rotate") != 0
    with database.reads() as db:
        begun = audit.entries(db, REGENCY)[0]
        assert (begun.what, begun.about, begun.after) == ("keys.rotate", newest, '{"to_seal":11}')
        assert service.needed(db)[newest]["vouchers.code"] == 7, "some of it was done"


def test_of_new_keys_made_at_once_none_is_lost(file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: core_keys.put_on_top(file), range(40)))
    assert len(made) == 40
    assert made < core_keys.names(file).keys()


def test_a_server_that_runs_takes_the_new_key_by_itself(database: Database, file: Path) -> None:
    running, other = Keys(file), Keys(file)
    before = running.seal("x", b"y", "1")
    name = core_keys.put_on_top(file)
    assert other.seal("x", b"y", "1")[:4].hex() == name
    assert running.open("x", other.seal("x", b"z", "1"), "1") == b"z", "also before it has looked: the key is not known"
    assert running.open("x", before, "1") == b"y"
    assert not running.is_newest(before)
