"""SNMP version 3 over pysnmp 7.1 (v3arch, asyncio), one engine for each account.

Its command generators are used one layer below ``get_cmd`` and ``bulk_cmd``: those resolve every OID
against MIBs, and where pysmi is installed they would fetch MIBs from the internet. Only sessions of
version 3 import this module, because pysnmp weighs 15 MB.

    pysnmp errind.RequestTimedOut, EmptyResponse    DeviceUnreachable
    its errors of user, key and view                LoginRefused
    every other ErrorIndication, PySnmpError        AnswerUnreadable
    OSError, DNS failure                            DeviceUnreachable
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]
from pyasn1.type import univ  # type: ignore[import-untyped]
from pysnmp.entity.rfc3413 import cmdgen  # type: ignore[import-untyped]
from pysnmp.error import PySnmpError  # type: ignore[import-untyped]
from pysnmp.hlapi.v3arch import asyncio as hlapi  # type: ignore[import-untyped]
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator  # type: ignore[import-untyped]
from pysnmp.proto import errind, rfc1902, rfc1905  # type: ignore[import-untyped]

from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused

from .snmp_access import Access
from .snmp_ber import Answer, Question, Value

_Reply = tuple[Any, Any, Sequence[tuple[Any, Any]]]
"""Error indication, error status and values, as pysnmp hands them over."""
_ADDRESS_BOOK: Final = CommandGeneratorLcdConfigurator()
_NOTHING: Final = univ.Null("")
_ABSENT: Final = (rfc1905.NoSuchObject, rfc1905.NoSuchInstance, rfc1905.EndOfMibView)
_REFUSALS: Final = (
    errind.UnknownCommunityName,
    errind.NoAuthentication,
    errind.AuthenticationError,
    errind.AuthenticationFailure,
    errind.UnsupportedAuthProtocol,
    errind.UnsupportedPrivProtocol,
    errind.NoEncryption,
    errind.EncryptionError,
    errind.DecryptionError,
    errind.UnknownSecurityName,
    errind.UnsupportedSecurityLevel,
    errind.UnknownUserName,
    errind.WrongDigest,
    errind.NoSuchView,
    errind.NoAccessEntry,
    errind.NoGroupName,
    errind.NotInView,
    errind.NoSuchContext,
)
_AUTH_PROTOCOLS: Final = {
    "md5": hlapi.USM_AUTH_HMAC96_MD5,
    "sha": hlapi.USM_AUTH_HMAC96_SHA,
    "sha224": hlapi.USM_AUTH_HMAC128_SHA224,
    "sha256": hlapi.USM_AUTH_HMAC192_SHA256,
    "sha384": hlapi.USM_AUTH_HMAC256_SHA384,
    "sha512": hlapi.USM_AUTH_HMAC384_SHA512,
}
_PRIV_PROTOCOLS: Final = {
    "des": hlapi.USM_PRIV_CBC56_DES,
    "aes": hlapi.USM_PRIV_CFB128_AES,
    "aes192": hlapi.USM_PRIV_CFB192_AES,
    "aes256": hlapi.USM_PRIV_CFB256_AES,
}


class _Engines:
    """One engine per account, closed when its last session ends.

    pysnmp keeps one set of keys per user name, so two devices with the same user and different
    passwords would take each other's.
    """

    def __init__(self) -> None:
        self._engines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Access, tuple[Any, int]]]
        self._engines = WeakKeyDictionary()  # an engine belongs to the event loop it was made in

    def take(self, access: Access) -> Any:
        """Return the engine, made at first use, which blocks the loop for some 50 ms once."""
        engines = self._engines.setdefault(asyncio.get_running_loop(), {})
        engine, users = engines.get(access) or (hlapi.SnmpEngine(), 0)
        engines[access] = engine, users + 1
        return engine

    def give_back(self, access: Access) -> None:
        """Close the engine with its last user."""
        engines = self._engines[asyncio.get_running_loop()]
        engine, users = engines.pop(access)
        if users > 1:
            engines[access] = engine, users - 1
        else:
            engine.close_dispatcher()


_ENGINES: Final = _Engines()


class V3Line:
    """One device under one account; times in seconds. :meth:`close` must be called at the end."""

    def __init__(self, host: str, port: int, access: Access, timeout: float, tries: int) -> None:
        self._place, self._access = (host, port), access
        self._timeout, self._retries = timeout, tries - 1
        self._credentials = credentials_of(access)
        self._engine: Any = None
        self._address: Any = None

    async def ask(self, question: Question) -> Answer:
        """Send one question; raises ``DeviceError``."""
        with self._errors_become_ours():
            if self._engine is None:
                self._engine = _ENGINES.take(self._access)
            if self._address is None:
                target = await self._resolve()
                self._address, _ = _ADDRESS_BOOK.configure(self._engine, self._credentials, target)
            answered: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
            self._send(question, answered)
            error, status, reply = await answered
            if error:
                raise error if isinstance(error, errind.ErrorIndication) else PySnmpError(str(error))
            return Answer(0, int(status), [(name.asTuple(), plain(value)) for name, value in reply])

    def close(self) -> None:
        """Give the engine back; never raises."""
        if self._engine is not None:
            self._engine = self._address = None
            _ENGINES.give_back(self._access)

    def _send(self, question: Question, answered: "asyncio.Future[_Reply]") -> None:
        names = [(rfc1902.ObjectName(oid), _NOTHING) for oid in question.oids]
        where = (self._engine, self._address, None, b"")
        if question.repetitions:
            bulk = cmdgen.BulkCommandGeneratorSingleRun()
            bulk.send_varbinds(*where, question.non_repeaters, question.repetitions, names, _arrived, answered)
        else:
            cmdgen.GetCommandGenerator().send_varbinds(*where, names, _arrived, answered)

    async def _resolve(self) -> Any:
        kind = hlapi.Udp6TransportTarget if ":" in self._place[0] else hlapi.UdpTransportTarget
        return await kind.create(self._place, timeout=self._timeout, retries=self._retries)

    @contextmanager
    def _errors_become_ours(self) -> Iterator[None]:
        try:
            yield
        except (errind.ErrorIndication, PySnmpError, PyAsn1Error, OSError) as error:
            self._address = None  # the name may point elsewhere by now
            raise as_device_error(error) from error


def credentials_of(access: Access) -> Any:
    """Return pysnmp's form of an account; raises ``ValueError`` on an unknown protocol."""
    auth = _protocol(_AUTH_PROTOCOLS, access.auth_protocol)
    if not access.secret:
        return hlapi.UsmUserData(access.username)  # noqa: S509 -- the device asks for no more
    if not access.privacy_secret:
        return hlapi.UsmUserData(access.username, authKey=access.secret, authProtocol=auth)
    privacy = _protocol(_PRIV_PROTOCOLS, access.priv_protocol)
    keys = {"authKey": access.secret, "privKey": access.privacy_secret}
    return hlapi.UsmUserData(access.username, authProtocol=auth, privProtocol=privacy, **keys)


def _protocol(known: dict[str, Any], name: str) -> Any:
    try:
        return known[name.lower().replace("-", "")]
    except KeyError:
        raise ValueError(f"protocol {name!r} is not one of {', '.join(known)}") from None


def as_device_error(error: Exception) -> DeviceError:
    """Return our error for one of pysnmp's."""
    if isinstance(error, (errind.RequestTimedOut, errind.EmptyResponse)):
        return DeviceUnreachable("no answer: device off, wrong address, or SNMP not allowed from here")
    if isinstance(error, _REFUSALS):
        return LoginRefused(f"SNMP access refused: {error}"[:500])
    if isinstance(error, OSError) or "transport address" in str(error):
        return DeviceUnreachable(f"not reachable: {error}"[:500])
    return AnswerUnreadable(f"answer not understood: {error or type(error).__name__}"[:500])


def _arrived(_engine: Any, _request: Any, error: Any, status: Any, *rest: Any) -> None:
    """Hand an answer to who waits; pysnmp calls it with error index, values and our future last."""
    _, answer, answered = rest
    if not answered.done():  # the poll may have been cancelled meanwhile
        answered.set_result((error, status, answer))


def plain(value: Any) -> Value | None:
    """Return a pysnmp value as int, bytes or dotted OID; ``None`` when the device has no such object."""
    if isinstance(value, _ABSENT):
        return None
    if isinstance(value, univ.OctetString):
        return bytes(value.asOctets())
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, (univ.ObjectIdentifier, rfc1902.ObjectName)):
        return ".".join(map(str, value.asTuple()))
    return None
