"""Pure: secrets told as people tell them, in a line: a word for a secret, a space, and the secret, for :mod:`.scrub`.

A sentence about a password has no password in it: ``password changed``, ``sandi ditolak``. Behind words that are nearly
always followed by the secret itself everything is hidden but the words of such sentences. Behind words that stand for
much else (a key, a code, a token) only what nobody would say is hidden: letters among digits, or in both cases.
"""

import re
from typing import Final

from kampungnet_agent.named_rows import HIDDEN

_SURE: Final = r"(?:psk|pass(?:word|wd|phrase|code)|pwd|sandi|(?-i:Bearer))"
_MAYBE: Final = r"(?:pin|otp|kode|code|token|key|secret|community|voucher|credential|bearer|basic)"
_BETWEEN: Final = r"(?:(?:is|was|adalah|ialah|yaitu|cipher|simple|encrypted|plain|read|write)\s{1,3}){0,2}"
"""Also as switches of the networks print it: ``password cipher …``, ``community read …``."""
_SAID: Final = (
    # English
    "a about accepted after again alone already also an and any are as at auth authentication authorization backup "
    "bad be been before bound but by bytes can cannot change changes check cipher comes correct could did differs do "
    "does each empty encrypted ends error errors everybody expires facts fails failure field fields file files first "
    "for form found from given had has hash hashes have he her here hidden his if in incorrect into invalid is it its "
    "keep kept key known last length login long lost made manager match matches may mismatch missing must name names "
    "need needs never new next no nobody none not now of off old on once one only or other our own per phrase plain "
    "policy prompt protection read reply right same second sees sent set shall she short should shown simple since "
    "size so somebody starts still storage store strong taken than that the their then there these they this those to "
    "token too twice type typed under unknown unset until update user valid value via was we weak were when where "
    "which while who whose will with without works would write written wrong yet you your "
    # Indonesian
    "ada adalah agar akan akun anda apa atau baru belum benar berbeda berlaku berubah bila bisa boleh bukan cadangan "
    "dalam dan dapat dari datang dengan desa di dia dibaca dibuat dicetak diganti dihapus dikenal dikirim diketik "
    "dimasukkan diminta dipakai diperlukan disimpan diterima ditolak diubah gagal habis hanya harus hilang ialah ini "
    "itu jika juga kadaluarsa kalau kami kantor karena ke kedaluwarsa kedua ketika kosong kotak kuat lagi lain lama "
    "lemah lewat lupa mereka oleh operator orang pada panjang pelanggan pendek pengguna perangkat perlu pertama "
    "petugas pusat router saat saja salah sama sampai saya sebelum sekarang sementara sendiri server sesudah siapa "
    "sudah supaya telah tentang terdiri terlalu tersimpan tetap tidak untuk wifi yaitu yang"
)
_SENTENCE: Final = rf"(?:{'|'.join(sorted(_SAID.split()))}|[a-z]{{2,20}}(?:ed|tion))(?![\w@#$%!-])"
_NUMBERS: Final = r"\d+(?:\.\d+)+(?!\w)"
"""A village's code, an address, a version."""
_CAMELS: Final = r"(?-i:[A-Z]?[a-z]{2,20}(?:[A-Z][a-z]{1,20}){1,6})(?!\w)"
"""Names in a program."""
_QUOTED: Final = r'"(?:[^"\\]|\\.)*+\\?(?:"|$)'
_TOLD: Final = re.compile(
    rf"((?<![A-Za-z])(?:{_SURE}(?:nya)?\s{{1,3}}{_BETWEEN}(?!{_SENTENCE})(?=\"|[^\s,;&]{{3}})"
    rf"|{_MAYBE}(?:nya)?\s{{1,3}}{_BETWEEN}(?!{_NUMBERS}|{_CAMELS})(?=[^\s,;&]{{4}})"
    r"(?=[^\s,;&]{0,99}?(?:\d|(?-i:[a-z][A-Z]))))"
    rf"(?![\w.-]{{1,40}}=[^=\s]))(?:{_QUOTED}|[A-Za-z0-9$%!@#^][^\s,;&]*)",
    re.IGNORECASE | re.DOTALL,
)


def without_what_was_told(text: str) -> str:
    """Return text without secrets that a word and a space announce."""
    return _TOLD.sub(rf"\g<1>{HIDDEN}", text)
