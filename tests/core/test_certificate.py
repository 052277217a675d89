"""When a certificate ends, read from real ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kampungnet.core import certificate
from kampungnet.core.errors import BadInput

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kampungnet.example.go.id")] * 4)


def _pem(end: datetime) -> str:
    key = generate_private_key(SECP256R1())
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 2**150, end - timedelta(days=90), end)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("end", [datetime(2027, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC)])
def test_the_end_is_that_of_the_first_certificate_whichever_way_years_are_written(
    end: datetime, tmp_path: Path
) -> None:
    file = tmp_path / "fullchain.pem"
    file.write_text("Bag Attributes\n" + _pem(end) + _pem(datetime(2040, 1, 1, tzinfo=UTC)))
    assert certificate.end_ms({"KAMPUNGNET_CERTIFICATE": str(file)}) == end.timestamp() * 1000


def test_without_the_setting_nothing_is_known() -> None:
    assert certificate.end_ms({}) is None


@pytest.mark.parametrize("text", ["", "no certificate", f"{BEGIN}\nMII=\n{END}", "cut"])
def test_what_is_no_certificate_is_said_in_a_sentence(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    lines = _pem(datetime(2027, 1, 1, tzinfo=UTC)).splitlines()
    file.write_text("\n".join([lines[0], lines[1], lines[-1]]) if text == "cut" else text)
    with pytest.raises(BadInput, match=r"KAMPUNGNET_CERTIFICATE=.* is no certificate"):
        certificate.end_ms({"KAMPUNGNET_CERTIFICATE": str(file)})
    with pytest.raises(BadInput):
        certificate.end_ms({"KAMPUNGNET_CERTIFICATE": str(tmp_path / "nowhere")})
