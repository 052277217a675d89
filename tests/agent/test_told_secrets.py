"""A secret behind a word and a space is hidden; a sentence about a secret is not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from kampungnet_agent.scrub import Scrub
from kampungnet_agent.told_secrets import without_what_was_told

ROOT = Path(__file__).parents[2]
SCRUB = Scrub([])
TOLD = [
    ("PIN 1234", "PIN ***"),
    ("the PIN is 1234, ask", "the PIN is ***, ask"),
    ("PINnya 0815", "PINnya ***"),
    ("OTP 482913 dikirim", "OTP *** dikirim"),
    ("psk kopihitam", "psk ***"),
    ("wpa2-psk kopihitam ssid desa", "wpa2-psk *** ssid desa"),
    ('passphrase "kopi hitam manis" ssid desa', "passphrase *** ssid desa"),
    ("curl -H Bearer abcdefgh", "curl -H Bearer ***"),
    ("Bearer eyJhbGciOi.JIUzI1NiJ9", "Bearer ***"),
    ("Bearer token a1b2c3d4", "Bearer token ***"),
    ("bearer a1b2c3d4e5", "bearer ***"),
    ("Basic QWxhZGRpbjpvcGVu", "Basic ***"),
    ("sandi adalah kopi1", "sandi adalah ***"),
    ("username admin password Rahasia!", "username admin password ***"),
    ("password kopihitam", "password ***"),
    ("password cipher %^%#Kq", "password cipher ***"),
    ("snmp-agent community read cipher desa99x", "snmp-agent community read cipher ***"),
    ("kode ABCD2345 dipakai", "kode *** dipakai"),
    ("voucher K7M2P9QX habis", "voucher *** habis"),
    ("api key aB9xYz", "api key ***"),
    ("new1 password new1", "new1 password ***"),
]
SENTENCES = [
    "password changed",
    "token expired",
    "PIN wrong",
    "password is wrong",
    "the password was not accepted",
    "user name or password refused by the command line",
    "password authentication failed for user",
    "user name, password or community refused",
    "token is not valid any more",
    "kode salah",
    "kode desa 35.10.15.2012",
    "kode 35.10.15.2012",
    "kode 404",
    "sandi ditolak",
    "kata sandi sudah diganti",
    "PIN salah, coba lagi",
    "key exchange failed",
    "the key of this box could not be changed yet",
    "default bearer activated",
    "basic settings read",
    "spin 12345 and ping 12345",
    "community 10.0.0.1 did not answer",
    "psk is set",
    "pin 3 of 8, key 12",
    "/ppp secret add profile=10M1",
    "/snmp community add addresses=10.0.0.0/8",
]


@pytest.mark.parametrize(("line", "left"), TOLD, ids=[line for line, _ in TOLD])
def test_a_secret_behind_a_word_and_a_space_is_hidden(line: str, left: str) -> None:
    secret = re.fullmatch(re.escape(left).replace(re.escape("***"), "(.+)"), line)
    assert secret
    assert without_what_was_told(line) == left
    for hide in (SCRUB.line, SCRUB.setting):
        assert secret[1].strip('"') not in hide(f"system,info {line}").removeprefix("system,info new1"), hide(line)


@pytest.mark.parametrize("line", SENTENCES)
def test_a_sentence_about_a_secret_stays(line: str) -> None:
    assert without_what_was_told(line) == line


def _sentences_of_ours() -> Iterator[str]:
    for file in (ROOT / "agents/kampungnet_agent").rglob("*.py"):
        for one in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and file.name != "told_secrets.py":
                yield from one.value.splitlines()
    for language in ("id", "en"):
        with (ROOT / f"kampungnet/locale/{language}/LC_MESSAGES/messages.po").open("rb") as file_of_texts:
            for message in read_po(file_of_texts, locale=language):
                for said in (message.id, message.string or ""):
                    yield from [said] if isinstance(said, str) else said


def test_nothing_that_we_say_ourselves_in_either_language_is_taken_for_a_secret() -> None:
    """Thousands of ordinary sentences, some hundred of them about passwords, keys and codes."""
    said = set(_sentences_of_ours())
    assert sum(bool(re.search("password|sandi|key|kode|token", one)) for one in said) > 200
    assert {one: hidden for one in said if (hidden := without_what_was_told(one)) != one} == {}
