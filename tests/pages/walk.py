"""Every address a person can open, from the routes there are: what is not a page of ours is left out by its answer."""

import re
from typing import Final

from kampungnet.app import Server
from tests.pages.furnished import Furnished
from tests.pages.kinds import CAMERA, DECLINING, MUTE, OLT_ONLY
from tests.pages.losses import LOSING
from tests.pages.sample import KAMPUNGANYAR
from tests.pages.test_strangers import routes

ENDLESS: Final = "/segar"
"""The stream of changes: its first bytes come at once and its end never."""
_FILES: Final = ("/berkas/", "/data/", "/static/", "/sd/", "/api/", "/metrics")


def addresses(server: Server, found: Furnished) -> list[str]:
    """Return the addresses of all pages of a furnished kabupaten."""
    contract, month = found.statement.split("/")
    values = {
        "code": KAMPUNGANYAR, "village": KAMPUNGANYAR, "batch": found.batch, "serial": "1", "incident": found.incident,
        "contract": contract, "month": month, "district": KAMPUNGANYAR[:8], "name": "harian", "day": found.day,
        "hour": "0", "content": "0" * 64, "act": "halaman-wifi", "order": found.order,
    }  # fmt: skip
    paths = {path for method, path in routes(server) if method == "GET" and not path.startswith(_FILES)}
    there = {re.sub(r"{(\w+)}", lambda one: values[one[1]], path) for path in paths if "ending" not in path}
    there |= {
        "/?keadaan=down", "/cari?nama=kampunganyr", "/cari?nama=tidak+ada", "/pengaturan-router?cari=telnet",
        f"/desa/{KAMPUNGANYAR}/hitungan?tempat={KAMPUNGANYAR}-1", "/desa/35.10.03.2001", "/paket-wifi/baru", "/nowhere",
        f"/desa/{LOSING}/sebab?tempat={LOSING}-1&mulai={found.outage_ms}", f"/pemakaian?tempat={KAMPUNGANYAR}",
    }  # fmt: skip
    there |= {f"/desa/{KAMPUNGANYAR}/jauh/{act}" for act in ("keterangan", "nyalakan-ulang?perangkat=router")}
    there |= {f"/desa/{code}" for code in (LOSING, DECLINING, OLT_ONLY, CAMERA, MUTE)}
    return sorted(there - {ENDLESS, f"/desa/{KAMPUNGANYAR}/sebab"})
