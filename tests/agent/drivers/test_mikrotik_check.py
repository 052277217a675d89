"""``kampungnet-agent check`` on a router: each sentence says what to do."""

import pytest

from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import Answer, ScriptedRouter, number, row, rows, trap
from tests.agent.drivers.test_mikrotik import driver_to

NO_RIGHT = trap("not enough permissions (9)")


async def complaints(router: ScriptedRouter, settings: Settings | None = None) -> list[str]:
    async with driver_to(router, settings) as driver:
        return [finding.sentence for finding in await driver.check() if not finding.good]


async def test_each_missing_right_is_named_once_with_all_it_costs() -> None:
    router = ScriptedRouter()
    router.answers |= {b"/ping": NO_RIGHT, b"/resolve": NO_RIGHT, b"/radius/print": NO_RIGHT}
    read, test = sorted(await complaints(router))
    assert read.startswith("Hak 'read' tidak ada, jadi radius tidak terbaca. Tambahkan hak 'read'")
    assert test.startswith(
        "Hak 'test' tidak ada, jadi lookup www.google.com, ping internet, ping internet2, ping gateway"
    )


@pytest.mark.parametrize(
    ("path", "answer", "says"),
    [
        (b"/system/license/print", rows(row(nlevel=3)), "Lisensi level 3 hanya mengizinkan 1 tamu"),
        (b"/system/device-mode/print", rows(row(mode="home", hotspot="no")), "Device-mode melarang hotspot"),
        (b"/system/package/print", rows(row(name="routeros-smips")), "Paket hotspot belum terpasang"),
        (b"/system/package/print", rows(row(name="hotspot", disabled="true")), "Paket hotspot dimatikan"),
        (b"/ip/hotspot/print", rows(row(name="hs1", invalid="true")), "Hotspot hs1 tidak bisa berjalan"),
        (b"/ip/hotspot/print", trap("std failure: timeout (13)"), "Hotspot tidak terbaca"),
        (b"/resolve", trap("failure: dns server failure"), "Router tidak menemukan alamat www.google.com"),
    ],
)
async def test_what_keeps_guests_out_is_said_with_the_next_step(path: bytes, answer: Answer, says: str) -> None:
    router = ScriptedRouter()
    router.answers[path] = answer
    assert any(sentence.startswith(says) for sentence in await complaints(router))


async def test_fasttrack_is_a_problem_only_where_there_are_queues() -> None:
    router = ScriptedRouter()
    router.answers[b"/ip/firewall/filter/print"] = number(1)
    assert await complaints(router) == []
    router.answers[b"/queue/simple/print"] = number(7)
    (sentence,) = await complaints(router)
    assert sentence.startswith("FastTrack aktif, jadi 7 simple queue tidak membatasi")


async def test_menus_a_version_lacks_are_told_but_are_no_fault() -> None:
    async with driver_to(ScriptedRouter()) as driver:
        sentences = [finding.sentence for finding in await driver.check() if finding.good]
    assert "Router ini tidak punya device-mode; bagian itu akan kosong." in sentences
