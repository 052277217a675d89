"""api-ssl with a self-signed certificate, as a router makes one for itself."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kampungnet_agent.driver import DeviceUnreachable
from kampungnet_agent.drivers.mikrotik import MikrotikDriver
from tests.agent.drivers.conftest import Settings
from tests.agent.drivers.scripted_router import ScriptedRouter, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1 in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "router")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "router.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


async def identity_over_tls(certificate: Path, options: dict[str, str | int | bool]) -> str:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with serving(ScriptedRouter().speak, context) as port:
        driver = MikrotikDriver(Settings(address=f"127.0.0.1:{port}", options={"tls": True, **options}))
        try:
            body = (await driver.poll()).body
        finally:
            await driver.close()
    return getattr(body, "identity", "")


async def test_a_certificate_from_ca_file_is_trusted(certificate: Path) -> None:
    assert await identity_over_tls(certificate, {"ca_file": str(certificate)}) == "Balai Desa"


async def test_without_verification_any_certificate_is_taken(certificate: Path) -> None:
    assert await identity_over_tls(certificate, {"tls_verify": False}) == "Balai Desa"


async def test_an_unknown_certificate_is_refused_by_default(certificate: Path) -> None:
    with pytest.raises(DeviceUnreachable, match="certificate is not trusted"):
        await identity_over_tls(certificate, {})
