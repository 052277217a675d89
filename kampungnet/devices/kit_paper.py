"""Pure: the paper of a village's kit as PDF: five steps with pictures for who never saw a box, and no secret."""

from datetime import datetime
from pathlib import Path
from typing import Final

from kampungnet.core.typesetting import qr_svg, typeset
from kampungnet.shared.kit import BoxKit

_TEMPLATE: Final = Path(__file__).parent / "paper/kit.typ"
_MONTHS: Final = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()
)  # fmt: skip
_BOX: Final = (
    '<rect x="62" y="34" width="34" height="24" rx="3" fill="#fff"/><circle cx="70" cy="51" r="2" fill="#000"/>'
)
_WIFI: Final = (
    '<rect x="6" y="38" width="34" height="16" rx="3" fill="#fff"/><path d="M14 38V22M32 38V22" fill="none"/>'
    '<circle cx="13" cy="46" r="1.6" fill="#000"/><circle cx="20" cy="46" r="1.6" fill="#000"/>'
)
_CARDBOARD: Final = (
    '<path d="M20 34 50 24 80 34V60L50 70 20 60Z" fill="#fff"/><path d="M20 34 50 44 80 34M50 44V70" fill="none"/>'
    '<path d="M50 6V18M45 13 50 18 55 13" fill="none"/>'
)
_CABLE: Final = f'{_BOX}{_WIFI}<path d="M40 47C52 47 50 62 56 62S58 47 62 47" fill="none" stroke-width="3"/>'
_PLUG: Final = (
    f'{_BOX}<rect x="10" y="30" width="24" height="32" rx="4" fill="#fff"/>'
    '<path d="M18 42V50M26 42V50M34 46H62" fill="none" stroke-width="3"/>'
)
_CLOCK: Final = '<circle cx="50" cy="42" r="26" fill="#fff"/><path d="M50 42V24M50 42 62 50" fill="none"/>'
_PHONE: Final = (
    '<rect x="34" y="8" width="32" height="62" rx="5" fill="#fff"/><circle cx="50" cy="34" r="11" fill="#2e7d32" '
    'stroke="none"/><path d="M45 34 49 38 56 29" stroke="#fff" fill="none" stroke-width="3"/>'
)
_RESULT: Final = (
    "Arahkan kamera ponsel ke gambar kotak-kotak di bawah. Desa ini menyala: selesai. Belum: periksa kabel dan "
    "listrik, tunggu lima menit lagi, lalu hubungi Kominfo."
)
_STEPS: Final = (
    ("Buka kardus", "Isinya kotak kecil, kabel pipih, kabel listrik, dan kertas ini.", _CARDBOARD),
    (
        "Sambungkan kabel pipih",
        "Satu ujung ke kotak, ujung lain ke alat wifi kantor, di lubang yang diberi tanda.",
        _CABLE,
    ),
    ("Colokkan ke listrik", "Pakai stopkontak yang selalu menyala, juga di luar jam kantor.", _PLUG),
    ("Tunggu lima menit", "Kotak bekerja sendiri. Tidak ada yang perlu ditekan.", _CLOCK),
    ("Lihat hasilnya", _RESULT, _PHONE),
)


def pdf(kit: BoxKit, made: datetime, zone: str) -> bytes:
    """Return the paper; ``made`` is local, ``zone`` is that of the village."""
    last = datetime.fromtimestamp(kit.expires_ms / 1000, made.tzinfo)
    page = f"{kit.server}/info/{kit.village}"
    return typeset(
        _TEMPLATE,
        {
            "title": f"Memasang kotak desa {kit.village_name}", "date": [made.year, made.month, made.day],
            "village": kit.village_name, "code": kit.village, "zone": zone,
            "until": f"{last.day} {_MONTHS[last.month - 1]} {last.year}",
            "qr": qr_svg(page), "page": page.partition("://")[2],
            "steps": [{"head": head, "text": text, "picture": _picture(drawing)} for head, text, drawing in _STEPS],
        },
    )  # fmt: skip


def _picture(drawing: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 76"><g stroke="#000" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round">{drawing}</g></svg>'
    )
