"""Whose key signed a report, and which keys count: bytes in, yes or no out."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kampungnet.ingest.signatures import brought, signed

SMALL_ORDER = [
    bytes.fromhex(point)
    for point in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
]
"""Points of order 1, 2, 4 and 8 of the curve."""
FOR_ANYTHING = bytes([1]) + bytes(63)
"""Signs any text "by" one of those: nobody needs a private half for it."""
VECTORS = [  # RFC 8032, 7.1: key, text, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ),
]  # fmt: skip


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(("key", "text", "signature"), VECTORS)
def test_the_standards_own_signatures_are_right_and_none_with_a_bit_changed(
    key: str, text: str, signature: str
) -> None:
    public, plain, raw = (bytes.fromhex(one) for one in (key, text, signature))
    assert signed(public, _text(raw), plain)
    assert brought(public, _text(raw), plain)
    for bit in range(len(raw) * 8):
        other = bytearray(raw)
        other[bit // 8] ^= 1 << bit % 8
        assert not signed(public, _text(bytes(other)), plain), bit
    assert not signed(public, _text(raw), plain + b"\0")


@given(text=st.binary(max_size=300), other=st.binary(max_size=300))
def test_a_signature_is_of_its_own_text_and_key(text: bytes, other: bytes) -> None:
    key, another = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public, signature = key.public_key().public_bytes_raw(), _text(key.sign(text))
    assert signed(public, signature, text)
    assert signed(public, signature, other) is (text == other)
    assert not signed(another.public_key().public_bytes_raw(), signature, text)


@given(key=st.binary(max_size=80), signature=st.text(max_size=120), text=st.binary(max_size=50))
def test_bytes_that_are_no_key_and_text_that_is_no_signature_sign_nothing(
    key: bytes, signature: str, text: bytes
) -> None:
    assert not brought(key, signature, text)
    assert not brought(key, _text(signature.encode()), text)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 63, 65, 128])
def test_a_key_or_a_signature_of_another_length_signs_nothing(length: int) -> None:
    public, text, raw = (bytes.fromhex(one) for one in VECTORS[-1])
    assert not signed((public * 4)[:length], _text(raw), text)
    assert not signed(public, _text((raw * 2)[:length]), text)


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_key_that_anybody_signs_for_counts_for_nobody(point: bytes) -> None:
    assert signed(point, _text(FOR_ANYTHING), b"any text"), "else this test tries nothing"
    assert not brought(point, _text(FOR_ANYTHING), b"any text")
