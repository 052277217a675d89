"""The offices of the July journey: who signs, the files they send, and a browser each over real HTTP."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Final

import httpx

from kampungnet.billing import budgets, contract_rows, export
from kampungnet.core.database import Database
from kampungnet.staff import service as staff
from kampungnet.staff.service import Duty, NewStaff, Role, Scope
from tests.journeys.july import KAMPUNGANYAR, PAKIS, SARONGAN
from tests.support.server import REGENCY, Running

PASSWORD: Final = "jenang dodol ketan item 41"
DUTIES: Final = (Duty.SECRETARY, Duty.HEAD, Duty.TREASURER)
SIGNERS: Final = {
    KAMPUNGANYAR: ("eko", "hana", "joko"),
    SARONGAN: ("tri", "umar", "wulan"),
    # A kelurahan's money is the kabupaten's; there, too, who checks does not approve.
    PAKIS: ("nur", "yanti", "nur"),
}
STEPS: Final = ("periksa", "setujui", "bayar")
NAMES: Final = {
    "nur": "Bu Nur", "yanti": "Bu Yanti", "eko": "Pak Eko", "hana": "Bu Hana", "joko": "Pak Joko", "tri": "Pak Tri",
    "umar": "Pak Umar", "wulan": "Bu Wulan",
}  # fmt: skip

_LINES: Final[Mapping[str, tuple[export.Value, ...]]] = {
    # Six months of 2.775.000 were paid before KampungNet kept the books: 16.650.000.
    KAMPUNGANYAR: ("2.6.03", budgets.DESA_ACCOUNT, "Perdes 5/2025", "ADD", 30_000_000, 16_650_000, date(2026, 6, 30)),
    PAKIS: ("", budgets.APBD_ACCOUNT, "Perda 9/2025", "APBD", 36_000_000, "", ""),
    SARONGAN: ("1.1.04", budgets.DESA_ACCOUNT, "Perdes 2/2025", "DD", 32_000_000, "", ""),
}
_CONTRACTS: Final = {
    KAMPUNGANYAR: {
        "penyedia": "PT Serat Nusantara", "npwp": "01.234.567.8-901.000", "nomor_kontrak": "027/12/SPK/2026",
        "mulai": "1/1/2026", "jenis": "dedicated", "harga": "Rp 2.500.000,-", "unduh_mbps": "20", "sla_persen": "99",
        "restitusi": "r2", "kegiatan": "2.6.03",
    },
    PAKIS: {
        "penyedia": "PT Serat Nusantara", "npwp": "01.234.567.8-901.000", "nomor_kontrak": "600/44/SPK/2026",
        "mulai": "1/1/2026", "jenis": "dedicated", "harga": "3.000.000", "harga_termasuk_ppn": "ya",
        "unduh_mbps": "50", "sla_persen": "99", "restitusi": "r1",
    },
    SARONGAN: {
        "penyedia": "PT Langit Satelit", "npwp": "02.345.678.9-012.000", "nomor_kontrak": "05/SPK/2026",
        "mulai": "1/7/2026", "aktif_sejak": "13/7/2026", "jenis": "kuota", "harga": "2500000", "kuota_gb": "5",
        "lebih_per_gb": "50.000", "pph23": "ya", "kegiatan": "1.1.04",
    },
}  # fmt: skip


def pagu_xlsx() -> bytes:
    """The budget as a spreadsheet with real dates and numbers."""
    rows: list[tuple[export.Value, ...]] = [
        (code, "", "", 2026, *of_line[:2], "Internet", "murni", "", *of_line[2:]) for code, of_line in _LINES.items()
    ]
    return export.to_xlsx(budgets.COLUMNS, rows, "APBDes")


def contracts_csv(sla: str = "99") -> bytes:
    """The contracts as a village's CSV: semicolons, amounts as people type them."""
    common = {"selesai": "31/12/2026", "tahun_anggaran": "2026"}
    rows = [
        ";".join(({"kode": code} | common | terms).get(name, "") for name in contract_rows.COLUMNS)
        for code, terms in _CONTRACTS.items()
    ]
    return "\r\n".join([";".join(contract_rows.COLUMNS), *rows]).replace(";99;", f";{sla};").encode("latin-1")


def hire(database: Database) -> None:
    """Let everybody sign in."""
    people = [NewStaff(one, NAMES[one], Role.BUDGET, Scope(REGENCY)) for one in ("nur", "yanti")]
    people += [
        NewStaff(who, NAMES[who], Role.BUDGET, Scope(REGENCY, code), duty)
        for code in (KAMPUNGANYAR, SARONGAN) for who, duty in zip(SIGNERS[code], DUTIES, strict=True)
    ]  # fmt: skip
    with database.writes() as db:
        for person in people:
            staff.add_staff(db, person, PASSWORD)


class Offices:
    """Browsers, each signed in once."""

    def __init__(self, server: Running, stack: ExitStack) -> None:
        self._url, self._stack = f"http://127.0.0.1:{server.port}", stack
        self._browsers: dict[str, httpx.Client] = {}

    def stranger(self) -> httpx.Client:
        """A browser of nobody we know."""
        browser = httpx.Client(base_url=self._url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=30)
        return self._stack.enter_context(browser)

    def of(self, who: str) -> httpx.Client:
        """Return somebody's browser."""
        if who not in self._browsers:
            browser = self._browsers[who] = self.stranger()
            answer = browser.post("/masuk", data={"username": who, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return self._browsers[who]

    def send(self, who: str, path: str, name: str, data: bytes) -> tuple[int, str, str]:
        """Send a file to be looked at; return the status, the page, and where it would be confirmed."""
        answer = self.of(who).post(path, files={"file": (name, data)})
        found = re.search(r'action="(/berkas/[0-9a-f]+)"', answer.text)
        return answer.status_code, answer.text, found[1] if found else ""

    def sign(self, village: str, page: str) -> None:
        """Press the three buttons of a statement, each in the browser of whose duty it is."""
        for who, step in zip(SIGNERS[village], STEPS, strict=True):
            shown = self.of(who).get(page).text
            assert f'action="{page}/langkah/{step}"' in shown, (who, step)
            answer = self.of(who).post(f"{page}/langkah/{step}", data={"note": ""})
            assert answer.status_code == 303, answer.text


@contextmanager
def offices(server: Running) -> Iterator[Offices]:
    """Open the offices of a server."""
    with ExitStack() as stack:
        yield Offices(server, stack)
