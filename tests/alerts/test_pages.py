"""The page of messages and the commands: who may change what, and that no address is ever shown."""

import getpass
from pathlib import Path

import pytest

from kampungnet import cli
from kampungnet.alerts import outbox, recipients
from kampungnet.alerts.models import AlertMessage
from kampungnet.alerts.routes import speaker
from kampungnet.app import Server
from kampungnet.core import clock
from kampungnet.core.database import Database
from kampungnet.staff import audit
from kampungnet.staff.service import Scope
from tests.alerts.far_ends import chat
from tests.pages.cast import OWN_PAGE, signed_in
from tests.pages.sample import KAMPUNGANYAR, REGENCY
from tests.support.server import where

PAGE = "/pemberitahuan"
SECRET = "tgram://123456789:rahasia-AAbbCCddEEffGGhhIIjjKKllMMnn/-100"
FORM = {"act": "add", "name": "Grup <teknisi>", "address": SECRET, "place": "", "kind": "engineer", "digest": "06:30",
        "quiet_first": "22:00", "quiet_end": "05:00", "passes": "critical"}  # fmt: skip


async def test_an_engineer_enters_tests_and_ends_a_recipient(pages_server: Server, staffed: Database) -> None:
    sari = await signed_in(pages_server, "sari")
    assert "Masukkan penerima pertama" in (await sari.get(PAGE)).text
    assert (await sari.post(PAGE, data=FORM, headers=OWN_PAGE)).status_code == 303
    page = (await sari.get(PAGE)).text
    assert "Grup &lt;teknisi&gt;</b> Telegram · Kabupaten Banyuwangi · Teknisi" in page
    assert "Tenang pukul 22.00 sampai 05.00; yang tetap dikirim: hanya yang mendesak" in page
    assert "Rangkuman pukul 06.30." in page
    with staffed.reads() as db:
        (one,) = recipients.listed(db, Scope(REGENCY))
    assert (await sari.post(PAGE, data={"act": "test", "one": one.id}, headers=OWN_PAGE)).status_code == 303
    assert "menunggu dikirim" in (await sari.get(PAGE)).text
    with staffed.writes() as db:
        (message,) = db.query(AlertMessage)
        message.next_ms, message.tries, message.problem = None, 30, "refused"
    page = (await sari.get(PAGE)).text
    assert "tidak terkirim setelah 30 kali dicoba: Layanan menolak pesannya" in page
    assert (await sari.post(PAGE, data={"act": "end", "one": one.id}, headers=OWN_PAGE)).status_code == 303
    assert "Masukkan penerima pertama" in (await sari.get(PAGE)).text
    again = await sari.post(PAGE, data={"act": "test", "one": one.id}, headers=OWN_PAGE)
    assert (again.status_code, "Penerima ini tidak ada lagi" in again.text) == (404, True)
    with staffed.reads() as db:
        acts = audit.entries(db, REGENCY)
        assert [act.what for act in acts] == ["alerts.end", "alerts.add"]
        assert not any("rahasia" in act.after + act.before for act in acts)


WRONG = (
    ({"address": "halo"}, "Tulis alamat apprise"), ({"address": "syslog://"}, "Tulis alamat apprise"),
    ({"address": "dbus://x"}, "Tulis alamat apprise"), ({"address": "tgram://a b"}, "Tulis alamat apprise"),
    ({"address": "json://" + "x" * 1001}, "Tulis alamat apprise"), ({"name": " "}, "Beri penerima nama"),
    ({"name": "x" * 101}, "Beri penerima nama"), ({"place": "99.99"}, "Tempat ini tidak ada"),
    ({"quiet_end": ""}, "Jam tenang perlu"), ({"quiet_end": "22:00"}, "Jam tenang perlu"),
    ({"digest": "25:00"}, "Tulis jam"), ({"passes": "all"}, "Pilih untuk siapa"),
    ({"kind": "x"}, "Pilih untuk siapa"),
)  # fmt: skip


async def test_what_is_wrong_comes_back_with_a_sentence_and_without_the_address(sqlite_staffed: Server) -> None:
    sari = await signed_in(sqlite_staffed, "sari")
    for wrong, sentence in WRONG:
        answer = await sari.post(PAGE, data=FORM | wrong, headers=OWN_PAGE)
        assert (answer.status_code, sentence in answer.text) == (422, True), wrong
        assert "rahasia" not in answer.text
        assert 'value="06:30"' in answer.text or "digest" in wrong, "what else was typed stays"


async def test_an_operator_sees_the_own_village_only_and_changes_nothing(
    pages_server: Server, staffed: Database
) -> None:
    sari = await signed_in(pages_server, "sari")
    for name, place in (("Seluruhnya", ""), ("Milik Budi", KAMPUNGANYAR), ("Tetangga", "35.10.15.2003")):
        await sari.post(PAGE, data=FORM | {"name": name, "place": place}, headers=OWN_PAGE)
    with staffed.writes() as db:
        for one in recipients.listed(db, Scope(REGENCY)):
            outbox.add_test(db, one, speaker(), clock.now_ms())
            key = one.id
    budi = await signed_in(pages_server, "budi")
    page = (await budi.get(PAGE)).text
    assert "Milik Budi" in page
    assert "Seluruhnya" not in page
    assert "Tetangga" not in page
    assert '<form method="post"><input type="hidden" name="act"' not in page
    for data in (FORM, {"act": "test", "one": key}, {"act": "end", "one": key}):
        assert (await budi.post(PAGE, data=data, headers=OWN_PAGE)).status_code == 403
    assert (await (await signed_in(pages_server, "nur")).get(PAGE)).status_code == 404
    dedi = await signed_in(pages_server, "dedi")
    assert "Seluruhnya" in (await dedi.get(PAGE)).text
    assert (await dedi.post(PAGE, data=FORM, headers=OWN_PAGE)).status_code == 403
    assert (await sari.post(PAGE, data=FORM)).status_code == 403, "a form from elsewhere"


def test_the_commands_enter_try_and_end_a_recipient_and_make_a_token(
    sqlite_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["alerts", *arguments, *where(sqlite_database)])
        return code, *capsys.readouterr()

    assert run("list")[1].startswith("Nobody gets messages yet")
    assert run("add")[0] == 1
    monkeypatch.setattr(getpass, "getpass", lambda _: SECRET)
    assert run("add", "--name", "Diketik")[0] == 0
    with chat() as far:
        (tmp_path / "address").write_text(far.address + "\n")
        code, said, _ = run("add", "--name", "Dari berkas", "--address-file", str(tmp_path / "address"))
        one = said.split(" ", maxsplit=1)[0]
        assert code == 0
        listed = run("list")[1]
        assert ("Diketik" in listed, "rahasia" in listed) == (True, False)
        assert run("test", "--id", one)[:2] == (0, "Sent to Dari berkas.\n")
        assert far.messages[0].startswith("KampungNet: pesan percobaan")
    assert run("end", "--id", one)[0] == 0
    assert run("test", "--id", one)[0] == 1
    assert len(run("token", "--regency", REGENCY)[1].strip()) == 43
    assert run("token", "--regency", "99.99")[0] == 1
