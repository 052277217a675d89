"""A real snmpsim that replays recorded walks; a community is the name of a recording."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.ports import free_port
from tests.support.tools import environment

START_SECONDS: Final = 60
PACKAGES: Final = ("snmpsim==1.2.2", "pysmi==1.6.2", "pysnmp==7.1.30", "cryptography")


@contextmanager
def snmpsim(recordings: Path, folder: Path) -> Iterator[str]:
    """Serve the ``.snmprec`` files below a folder, each under its path as community; yield the address."""
    port = free_port(socket.SOCK_DGRAM)
    program = environment("snmpsim", *PACKAGES) / "snmpsim-command-responder"
    command = [
        str(program), f"--data-dir={recordings}", f"--cache-dir={folder / 'snmpsim-cache'}",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}", "--logging-method=null",
    ]  # fmt: skip
    if os.geteuid() == 0:
        command += ["--process-user=root", "--process-group=root"]
    with (folder / "snmpsim.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_it_answers(port, process, folder / "snmpsim.log", _community(recordings))
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def _community(recordings: Path) -> str:
    one = next(recordings.rglob("*.snmprec"))
    return str(one.relative_to(recordings).with_suffix(""))


def _wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]", log: Path, community: str) -> None:
    question = _get_request(community.encode())
    until = time.monotonic() + START_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(0.5)
        asker.connect(("127.0.0.1", port))
        while True:
            try:
                asker.send(question)
                if asker.recv(4096):
                    return
            except OSError as error:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"snmpsim did not start:\n{log.read_text()}") from error
                time.sleep(0.1)


def _get_request(community: bytes) -> bytes:
    """Return an SNMPv2c GetRequest for sysObjectID.0 (RFC 3416)."""
    binding = b"\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x02\x00\x05\x00"
    pdu = b"\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30" + bytes([len(binding)]) + binding
    inside = b"\x02\x01\x01\x04" + bytes([len(community)]) + community + b"\xa0" + bytes([len(pdu)]) + pdu
    return b"\x30" + bytes([len(inside)]) + inside
