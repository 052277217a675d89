"""SNMP version 3 over pysnmp: every error of the library becomes one of ours."""

from collections.abc import Iterator

import pytest
from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]
from pysnmp.error import PySnmpError  # type: ignore[import-untyped]
from pysnmp.proto import errind  # type: ignore[import-untyped]

from kampungnet_agent.driver import AnswerUnreadable, DeviceError, LoginRefused
from kampungnet_agent.drivers.snmp_access import Access
from kampungnet_agent.drivers.snmp_v3 import as_device_error, credentials_of


def test_every_error_of_pysnmp_becomes_one_of_ours() -> None:
    kinds = [kind for kind in vars(errind).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    kinds += [*_subclasses(PySnmpError), PySnmpError, PyAsn1Error, OSError]
    for kind in kinds:
        try:
            error = kind()
        except TypeError:
            continue
        ours = as_device_error(error)
        assert isinstance(ours, DeviceError)
        assert str(ours)
    assert isinstance(as_device_error(errind.WrongDigest()), LoginRefused)
    assert isinstance(as_device_error(errind.ParseError()), AnswerUnreadable)


def _subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


@pytest.mark.parametrize("auth", ["md5", "sha", "sha224", "SHA-256", "sha384", "sha512"])
@pytest.mark.parametrize("privacy", ["aes", "aes192", "AES-256", "des"])
def test_all_protocols_of_the_facts_can_be_chosen(auth: str, privacy: str) -> None:
    access = Access("3", "desa", "kata-sandi", auth, privacy, "kata-rahasia")
    credentials = credentials_of(access)
    assert credentials.authentication_protocol
    assert credentials.privacy_protocol
    assert "rahasia" not in repr(access)


@pytest.mark.parametrize("changes", [{"auth_protocol": "sha3"}, {"priv_protocol": "rot13"}])
def test_an_unknown_protocol_is_named_with_those_that_exist(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not one of"):
        credentials_of(Access("3", "desa", "kata-sandi", privacy_secret="kata-rahasia", **changes))
