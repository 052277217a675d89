"""The one place where foreign errors of a RouterOS session become ours, cause kept.

    librouteros.LibRouterosError          AnswerUnreadable
    ├── ConnectionClosed                  DeviceUnreachable
    └── ProtocolError                     AnswerUnreadable
        ├── FatalError                    DeviceUnreachable   the router ended the session
        ├── TrapError, MultiTrapError     LoginRefused        raised by login alone
    ssl.SSLError, OSError, TimeoutError   DeviceUnreachable

A trap that answers any other command never becomes an exception: the field is absent and
``missing`` names it.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from librouteros import exceptions as foreign  # type: ignore[import-untyped]

from kampungnet_agent.driver import AnswerUnreadable, DeviceError, DeviceUnreachable, LoginRefused

FOREIGN_ERRORS: Final = (foreign.LibRouterosError, OSError)

_OURS: Final[tuple[tuple[type[Exception], type[DeviceError], str], ...]] = (
    (foreign.ConnectionClosed, DeviceUnreachable, "connection lost"),
    (foreign.FatalError, DeviceUnreachable, "the router ended the session"),
    (foreign.TrapError, LoginRefused, "login refused"),
    (foreign.MultiTrapError, LoginRefused, "login refused"),
    (foreign.ProtocolError, AnswerUnreadable, "answer not understood"),
    (foreign.LibRouterosError, AnswerUnreadable, "answer not understood"),
    (ssl.SSLCertVerificationError, DeviceUnreachable, "the router's certificate is not trusted"),
    (ssl.SSLError, DeviceUnreachable, "TLS failed"),
    (socket.gaierror, DeviceUnreachable, "name not resolved"),
    (TimeoutError, DeviceUnreachable, "no answer in time"),
    (ConnectionRefusedError, DeviceUnreachable, "connection refused"),
    (OSError, DeviceUnreachable, "not reachable"),
)


def as_device_error(error: Exception) -> DeviceError:
    """Return our error for a foreign one, most special class first."""
    for kind, ours, sentence in _OURS:
        if isinstance(error, kind):
            reason = str(error).strip()
            return ours(f"{sentence}: {reason}"[:500] if reason else sentence)
    raise TypeError(f"{type(error).__name__} has no place in the table") from error


@contextmanager
def foreign_errors_become_ours() -> Iterator[None]:
    """Translate every error of librouteros, sockets and TLS that leaves the block."""
    try:
        yield
    except FOREIGN_ERRORS as error:
        raise as_device_error(error) from error
