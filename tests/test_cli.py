"""The command line as staff use it: real processes, exit codes, one sentence when something is wrong."""

import argparse
import importlib
import io
import logging
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from sqlalchemy import select

import kampungnet as kampungnet_package
from kampungnet import tables
from kampungnet.cli import COMMANDS, main
from kampungnet.core import migrate
from kampungnet.core.database import Database
from kampungnet.devices import service as devices
from kampungnet.devices.models import AssignedOnu, EnrolmentCode
from kampungnet.staff.models import StaffMember
from kampungnet.upkeep import pack_all
from kampungnet.villages.models import Village
from tests.support.ports import free_port
from tests.support.server import HEADER, NEIGHBOUR, REGENCY, VILLAGE, Box, ingested, kampungnet, where

EVERY = [name for texts in COMMANDS.values() for name in texts]
PACKAGE = Path(kampungnet_package.__file__).parent
WEB = ("fastapi", "uvicorn", "jinja2", "typst", "apprise", "xlsxwriter")
SLICES = ("alerts", "backup", "billing", "configs", "demo", "hotspot", "ingest", "sealing", "server")
MODELS = {f"kampungnet.{name}" for module in tables.MODELS for name in (module, module.split(".")[0])}
PASSWORD = "sembilan pohon kelapa tua"
SARI = ("add-staff", "sari", "--name", "Sari", "--role", "engineer", "--regency", REGENCY)


def _here(*arguments: str, entered: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command within this process, which saves a second; what reaches PostgreSQL runs as a real one."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(entered))
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def _ours(*names: str) -> list[str]:
    return [f"kampungnet.{name}" for name in names]


def _refused(*arguments: str, entered: str = "") -> str:
    """Run a command that must fail, and return its one sentence."""
    run = kampungnet if "--database-url" in arguments else _here
    done = run(*arguments, entered=entered)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("kampungnet: ")
    return line.removeprefix("kampungnet: ")


@pytest.mark.parametrize("command", ["", *EVERY])
def test_every_command_explains_itself(command: str) -> None:
    done = _here(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: kampungnet")
    if not command:
        told = "".join(done.stdout.split())  # lines break also behind a hyphen
        assert all(
            "".join(f"{name}{text}".split()) in told for texts in COMMANDS.values() for name, text in texts.items()
        )


def test_the_list_of_commands_is_what_the_modules_add() -> None:
    """A command that only one of both knows could not be run, or not be found."""
    files = (file.relative_to(PACKAGE) for file in PACKAGE.rglob("cli*.py") if file != PACKAGE / "cli.py")
    assert sorted(COMMANDS) == sorted(".".join(file.with_suffix("").parts) for file in files)
    for module, texts in COMMANDS.items():
        added: list[str] = []

        def add(name: str, *_: object, to: list[str] = added, **__: object) -> argparse.ArgumentParser:
            to.append(name)
            return argparse.ArgumentParser()

        importlib.import_module(f"kampungnet.{module}").add_commands(add)
        assert added == list(texts)


@pytest.mark.parametrize(
    ("command", "never"),
    [
        (("--help",), ("sqlalchemy", *_ours("core", "staff", "devices", "metrics", *SLICES))),
        (("resend", "--help"), (*WEB, "alembic", *_ours("staff", *SLICES))),
        (("migrate",), (*WEB, "cramjam", *_ours("staff.service", "devices.service", *SLICES))),
        (("audit", "verify"), (*WEB, "alembic", "cramjam", *_ours("metrics", *SLICES))),
    ],
)  # fmt: skip
def test_a_command_imports_only_what_it_needs(
    sqlite_database: Database, command: tuple[str, ...], never: tuple[str, ...]
) -> None:
    """The start of every command took two seconds when it imported all of them."""
    script = (
        "import sys\nfrom kampungnet.cli import main\ntry:\n    assert main(sys.argv[1:]) in (0, 1)\n"
        "finally:\n    print('loaded', *sys.modules)"
    )
    place = [] if "--help" in command else where(sqlite_database)
    done = subprocess.run(
        [sys.executable, "-c", script, *command, *place], capture_output=True, text=True, check=False, timeout=60
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert loaded[0] == "loaded", done.stderr
    assert "kampungnet.cli" in loaded
    assert [one for one in loaded if one.startswith(never) and one not in MODELS] == []


def test_a_command_leaves_the_log_of_its_process_as_it_was(tmp_path: Path) -> None:
    """Tests run many commands in one process, and each would write what the next one logs."""
    root, signing_in = logging.getLogger(), logging.getLogger("kampungnet.staff.signing_in")
    kept, root.handlers = root.handlers, []  # as in a process of its own, without pytest's
    before = root.level, signing_in.level
    try:
        assert _here("migrate", "--data", str(tmp_path)).returncode == 0
        assert (root.handlers, root.level, signing_in.level) == ([], *before)
    finally:
        root.handlers = kept


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("fly",), ("enrol",), ("serve", "--port", "many"), ("serve", "--port", "65536"), ("add-staff", "sari"),
        ("add-staff", "sari", "--name", "Sari", "--role", "king", "--regency", REGENCY),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_exit_2_with_the_usage(arguments: tuple[str, ...]) -> None:
    done = _here(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: kampungnet")


def test_a_new_data_folder_is_made_migrated_and_filled(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "new" / "data"))
    first, again = kampungnet("migrate", *data), kampungnet("migrate", *data)
    assert (first.returncode, first.stdout) == (0, f"Database made, version {migrate.newest()}.\n")
    assert (again.returncode, again.stdout) == (0, f"Database version {migrate.newest()}.\n")
    for _ in range(2):
        done = kampungnet("import-villages", "banyuwangi", *data)
        assert (done.returncode, done.stdout) == (0, "217 villages of 35.10 are in the register.\n")


def test_postgresql_must_be_migrated_by_hand_first(postgresql_database_url: str) -> None:
    sentence = _refused("enrol", "--village", VILLAGE, "--database-url", postgresql_database_url)
    assert sentence.endswith("run `kampungnet migrate` first.")
    done = kampungnet("migrate", KAMPUNGNET_DATABASE_URL=postgresql_database_url)
    assert (done.returncode, done.stdout) == (0, f"Database made, version {migrate.newest()}.\n")
    sentence = _refused("enrol", "--village", VILLAGE, "--database-url", postgresql_database_url)
    assert sentence == "There is no village with this code in the register."


def test_enrol_prints_one_code_that_opens_and_is_kept_as_a_hash_only(database: Database) -> None:
    done = kampungnet("enrol", "--village", VILLAGE, *where(database))
    assert done.returncode == 0
    code = done.stdout.strip()
    assert [len(part) for part in code.split("-")] == [4, 4, 4, 4]
    assert "Kampunganyar" in done.stderr
    with database.reads() as db:
        row = db.scalars(select(EnrolmentCode)).one()
        assert (row.code_hash, row.village) == (devices.code_hash(code), VILLAGE)


def test_revoke_says_how_many_boxes_it_shut_out(database: Database, box: Box) -> None:
    for number in (1, 0):
        done = kampungnet("revoke", "--village", VILLAGE, *where(database))
        assert (done.returncode, done.stdout) == (
            0,
            f"{number} box(es) of {VILLAGE} can no longer report, nor be enrolled again with any key they had.\n",
        )


@pytest.mark.parametrize("command", ["enrol", "revoke"])
def test_a_village_that_is_not_in_the_register_is_one_sentence(sqlite_database: Database, command: str) -> None:
    sentence = _refused(command, "--village", "35.10.15.9999", *where(sqlite_database))
    assert sentence == "There is no village with this code in the register."


def test_rows_that_are_not_taken_are_named_and_the_rest_is_in(sqlite_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    good = "35.10.02.2001,Bangorejo,desa,35.10.02,Bangorejo,35.10,Kabupaten Banyuwangi,-8.5,114.2,68487"
    file.write_text(f"{HEADER}\n{good}\n{good.replace('desa', 'kelurahan')}\nx\n")
    done = _here("import-villages", str(file), *where(sqlite_database))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "register.csv line 3 was not taken: kode 35.10.02.2001 stands twice",
        "register.csv line 4 was not taken: kode 'x' is not a village code such as 35.10.15.2012",
        "kampungnet: 2 rows were not taken: mend them and import the file again.",
    ]
    with sqlite_database.reads() as db:
        assert db.get_one(Village, (REGENCY, "35.10.02.2001")).name == "Bangorejo"


def test_a_file_that_is_no_register_or_not_there_is_one_sentence(sqlite_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "photo.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    assert _refused("import-villages", str(file), *where(sqlite_database)).startswith("This is not a village register")
    assert "No such file" in _refused("import-villages", str(tmp_path / "nothing"), *where(sqlite_database))


def test_an_onu_is_given_to_a_village_and_taken_away(database: Database) -> None:
    onu = ("onu", "--village", VILLAGE, "--serial", "zteg c1234567")
    done = kampungnet(*onu, *where(database))
    assert (done.returncode, done.stdout) == (0, f"ONU ZTEGC1234567 belongs to Kampunganyar ({VILLAGE}).\n")
    with database.reads() as db:
        row = db.scalars(select(AssignedOnu)).one()
    assert (row.serial, row.site) == ("ZTEGC1234567", f"{VILLAGE}-1")
    assert row.set_by
    wrong = ("onu", "--village", NEIGHBOUR, "--serial", "ZTEGC1234567", "--remove")
    assert _refused(*wrong, *where(database)) == "This ONU does not belong to this village."
    done = kampungnet(*onu, "--remove", *where(database))
    assert (done.returncode, done.stdout) == (0, "ONU zteg c1234567 is no village's any more.\n")
    assert _refused(*onu, "--remove", *where(database)) == "This ONU does not belong to this village."


def test_what_is_no_serial_number_is_one_sentence(sqlite_database: Database) -> None:
    sentence = _refused("onu", "--village", VILLAGE, "--serial", "ONT\x1b[31m balai desa", *where(sqlite_database))
    assert "ZTEGC1234567" in sentence
    assert "\x1b" not in sentence


def test_a_list_of_onus_is_taken_and_bad_rows_are_named(sqlite_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "onu.csv"
    file.write_text(f"kode,serial\n{VILLAGE},ZTEGC1234567\n{NEIGHBOUR},AA:BB:CC:00:11:22\n{VILLAGE},4\n", "utf-8-sig")
    done = _here("import-onus", str(file), *where(sqlite_database))
    assert (done.returncode, done.stdout) == (1, "2 ONUs belong to their villages.\n")
    first, last = done.stderr.splitlines()
    assert first.startswith("onu.csv line 4 was not taken: '4' is no ONU's serial number")
    assert last == "kampungnet: 1 rows were not taken: mend them and import the file again."
    assert "column serial is missing" in _refused("import-onus", str(_register(tmp_path)), *where(sqlite_database))


def _register(folder: Path) -> Path:
    file = folder / "register.csv"
    file.write_text(f"{HEADER}\n")
    return file


def test_holidays_are_taken_whole_or_not_at_all(sqlite_database: Database, tmp_path: Path) -> None:
    file = tmp_path / "libur.csv"
    file.write_text("date,name,source\n2026-08-17,Hari Kemerdekaan,SKB 3 Menteri\n2026-12-32,Natal,SKB\n")
    done = _here("import-holidays", str(file), *where(sqlite_database))
    told = done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert "libur.csv line 3: '2026-12-32' is no date: write it like 2026-08-17" in told
    assert "Nothing was taken" in told
    file.write_text("\ufeffdate,name,source\n2026-08-17,Hari Kemerdekaan,SKB 3 Menteri\n")
    assert "1 holidays are known in 35.10" in _here("import-holidays", str(file), *where(sqlite_database)).stdout
    file.write_bytes(b"date,name,source\n2026-08-17,\xff,SKB\n")
    assert "UTF-8" in _refused("import-holidays", str(file), *where(sqlite_database))


def test_days_are_made_anew_for_one_village_or_all(database: Database, box: Box) -> None:
    readings = [box.reading(taken_at_ms=1_785_462_000_000 + n * 60_000) for n in range(3)]
    ingested(database, box.request(box.report(*readings)))
    pack_all(database)
    span = ("--from", "2026-07-01", "--to", "2026-07-31")
    done = kampungnet("recompute", *span, "--village", VILLAGE, *where(database))
    assert (done.returncode, done.stdout) == (0, "1 days of devices were made anew from their readings.\n")
    assert kampungnet("recompute", *span, *where(database)).stdout.startswith("1 days")
    assert kampungnet("recompute", *span, "--village", NEIGHBOUR, *where(database)).stdout.startswith("0 days")


def test_days_that_are_none_are_one_sentence(sqlite_database: Database) -> None:
    wrong = _here("recompute", "--from", "31/07/2026", "--to", "2026-07-31", *where(sqlite_database))
    assert wrong.returncode == 2
    assert "2026-07-01" in wrong.stderr
    turned = ("recompute", "--from", "2026-07-31", "--to", "2026-07-01", *where(sqlite_database))
    assert _refused(*turned) == "The last day is before the first: give --from the earlier one."


def test_staff_are_added_with_the_password_from_the_pipe(database: Database) -> None:
    done = kampungnet(*SARI, *where(database), entered=f"{PASSWORD}\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "sari can sign in.\n", "")
    with database.reads() as db:
        member = db.scalars(select(StaffMember)).one()
    assert (member.username, member.role, member.village) == ("sari", "engineer", None)
    assert member.password_hash.startswith("$argon2id$")
    assert PASSWORD not in repr(member.__dict__)
    assert "already" in _refused(*SARI, *where(database), entered=f"{PASSWORD}\n")


@pytest.mark.parametrize(
    ("changed", "password", "says"),
    [
        ({}, "", "too short"),
        ({}, "short", "too short"),
        ({}, "kampungnet123", "guess"),
        ({"sari": "S A R I"}, PASSWORD, "small letters"),
        ({REGENCY: "99.99"}, PASSWORD, "import its villages first"),
        ({"engineer": "operator"}, PASSWORD, "one village"),
    ],
)
def test_staff_that_cannot_be_added_are_one_sentence(
    sqlite_database: Database, changed: dict[str, str], password: str, says: str
) -> None:
    arguments = [changed.get(word, word) for word in SARI]
    assert says in _refused(*arguments, *where(sqlite_database), entered=f"{password}\n")


def test_a_database_that_does_not_answer_is_one_sentence_without_the_password() -> None:
    url = f"postgresql+psycopg://kampungnet:geheimnis@127.0.0.1:{free_port()}/x"
    assert "geheimnis" not in _refused("migrate", "--database-url", url)
    for wrong in ("postgresql+psycopg//geheimnis", "no://u:geheimnis@h/d", "postgresql+psycopg://u:geheimnis@h:x/d"):
        sentence = _here("migrate", "--database-url", wrong).stderr
        assert "geheimnis" not in sentence
        assert len(sentence.splitlines()) == 1


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "kampungnet.db").write_bytes(b"This is a letter to the Bupati.\n" * 100)
    assert "not a database" in _refused("migrate", "--data", str(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    _refused("migrate", "--data", str(tmp_path / "data"))


def test_a_database_of_another_kind_is_refused_in_one_sentence() -> None:
    assert "postgresql+psycopg" in _refused("migrate", "--database-url", "mysql://kampungnet@127.0.0.1/x")
