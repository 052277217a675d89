"""Single commands and small files over one login, for devices that want no terminal (RouterOS: facts, 12.1)."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

from kampungnet_agent.driver import AnswerUnreadable

CHUNK_BYTES: Final = 32_768
AGAIN_SECONDS: Final = 0.5
"""A file that was written just now may not be readable yet."""


def answer_to(transport: Any, command: str, most_bytes: int, seconds: float) -> str:
    """Return all that one command prints; raises ``AnswerUnreadable``, ``EOFError``, ``OSError``."""
    with contextlib.closing(transport.open_session(timeout=seconds)) as channel:
        channel.settimeout(seconds)
        channel.set_combine_stderr(True)
        channel.exec_command(command)
        data = _all_of(channel.recv, most_bytes, command.split(" password=", maxsplit=1)[0])
    return data.decode("utf-8", "replace")


def file_of(transport: Any, name: str, most_bytes: int, left: Callable[[], float]) -> bytes:
    """Return a small file by SFTP; raises ``AnswerUnreadable`` when it does not appear or is too large."""
    import paramiko  # type: ignore[import-untyped]  # loaded by the login already

    with contextlib.closing(paramiko.SFTPClient.from_transport(transport)) as files:
        files.get_channel().settimeout(left())
        while True:
            with contextlib.suppress(FileNotFoundError), files.open(name, "rb") as file:
                data = _all_of(file.read, most_bytes, name)
                if data:
                    return data
            if left() < 2 * AGAIN_SECONDS:
                raise AnswerUnreadable(f"the router made no file {name}")
            time.sleep(AGAIN_SECONDS)


def _all_of(read: Callable[[int], bytes], most_bytes: int, what: str) -> bytes:
    data = bytearray()
    try:
        while piece := read(CHUNK_BYTES):
            data += piece
            if len(data) > most_bytes:
                raise AnswerUnreadable(f"{what}: more than {most_bytes} bytes")
    except TimeoutError as error:
        raise AnswerUnreadable(f"{what}: the answer did not end in time") from error
    return bytes(data)
