"""The key outside the database: who steals the tables (or a backup of them) reads no code and forges no log.

One file, readable by the server alone: a line for each key, the newest first. The first one seals and signs, all
of them open and prove: ``kampungnet keys new`` puts another line on top and ``keys rotate`` seals everything with it.
From each key one is derived for every purpose (BLAKE2b), so that what is sealed for one is useless for another.
"""

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)
from nacl.exceptions import CryptoError
from sqlalchemy.orm import Session

from kampungnet.core.errors import Unavailable
from kampungnet.shared.files import sync_folder

KEY_BYTES: Final = 32
NAME_BYTES: Final = 4
"""What is sealed begins with the name of its key."""
LOOK_SECONDS: Final = 1.0
"""A file that another process put a new key into is read again after so long, or when a key is not known."""
_NONCE_BYTES: Final = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES


class Keys:
    """The keys of one file. Nothing is read before the first use, and a missing file is made then."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._keys: list[bytes] = []
        self._read_as: tuple[int, int, int] | None = None
        self._looked = 0.0

    @property
    def file(self) -> Path | None:
        """Where they lie."""
        return self._file

    def is_there(self) -> bool:
        """Tell whether there is a key. Asking makes none, as a first use would."""
        try:
            return bool(self._keys) or (self._file is not None and self._file.exists())
        except OSError as error:
            raise _unusable(error) from error

    def seal(self, purpose: str, plain: bytes, about: str) -> bytes:
        """Return ``plain`` encrypted. It opens only with the same ``about``, the row it belongs to."""
        key, nonce = self._known()[0], secrets.token_bytes(_NONCE_BYTES)
        box = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, about.encode(), nonce, _derived(key, purpose))
        return _name(key) + nonce + box

    def open(self, purpose: str, sealed: bytes, about: str) -> bytes:
        """Return what was sealed. Raises ``Unavailable`` when the key is gone or the row was tampered with."""
        nonce, box = sealed[NAME_BYTES : NAME_BYTES + _NONCE_BYTES], sealed[NAME_BYTES + _NONCE_BYTES :]
        key = self._named(sealed[:NAME_BYTES])
        if key is not None:
            try:
                return crypto_aead_xchacha20poly1305_ietf_decrypt(box, about.encode(), nonce, _derived(key, purpose))
            except CryptoError:
                pass  # one sentence for both
        raise Unavailable(f"A secret cannot be opened: put the key it was sealed with back into {self._file}.")

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether something was sealed with the key that seals now."""
        return sealed[:NAME_BYTES] == _name(self._known()[0])

    def mark(self, purpose: str, content: bytes) -> bytes:
        """Return 16 bytes by which the same content is found or proven again, useless without the key."""
        return _mark(self._known()[0], purpose, content)

    def marks(self, purpose: str, content: bytes) -> list[bytes]:
        """Return the mark by each key, the newest first."""
        return [_mark(key, purpose, content) for key in self._known()]

    def _named(self, name: bytes) -> bytes | None:
        for look_again in (False, True):
            for key in self._known(look_again=look_again):
                if _name(key) == name:
                    return key
        return None

    def _known(self, *, look_again: bool = False) -> list[bytes]:
        if self._file is None:
            raise Unavailable("No key file is named: set KAMPUNGNET_KEY_FILE to a file of the server's own.")
        now = time.monotonic()
        if self._keys and not look_again and now - self._looked < LOOK_SECONDS:
            return self._keys
        try:
            if not self._keys and not self._file.exists():
                write(self._file, [secrets.token_hex(KEY_BYTES)])  # of two processes one wins
            seen = _stamp(self._file)
            if seen != self._read_as:
                self._keys, self._read_as = _read(self._file), seen
            self._looked = now
        except OSError as error:
            if self._keys:
                return self._keys  # what was read still counts; the next start says what is wrong
            raise _unusable(error) from error
        return self._keys


def _unusable(error: OSError) -> Unavailable:
    return Unavailable(
        f"The key file cannot be used: {error}. Let it and its folder belong to the user of the server, or name "
        "another with KAMPUNGNET_KEY_FILE."
    )


def keys_of(db: Session) -> Keys:
    """Return the keys that belong to a session's database."""
    keys: Keys = db.info["keys"]
    return keys


def names(file: Path) -> dict[str, str]:
    """Return the keys of a file as it holds them, by a name that tells nothing of them; none where there is no file."""
    return {_name(key).hex(): key.hex() for key in _read(file)} if file.exists() else {}


def put_on_top(file: Path) -> str:
    """Put a new key on top of those of a file, and return its name. Old ones stay below."""
    with _alone_in(file.parent):  # of two at once one would write without the other's key, by which things are sealed
        old = file.stat()
        lines = [secrets.token_hex(KEY_BYTES), *(key.hex() for key in _read(file))]
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        write(draft, lines)
        if os.geteuid() == 0:
            os.chown(draft, old.st_uid, old.st_gid)  # root changes it for the user of the server
        draft.chmod(stat.S_IMODE(old.st_mode))
        draft.replace(file)
        sync_folder(file.parent)
    return _name(bytes.fromhex(lines[0])).hex()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def write(file: Path, lines: Sequence[str]) -> None:
    """Put keys into a new file. One that is there already is left as it is."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write("".join(f"{line}\n" for line in lines))
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        draft.unlink()
    sync_folder(file.parent)  # a code sealed with a key that a power cut takes away could never be opened again


def _read(file: Path) -> list[bytes]:
    # What systemd hands over lies in a folder of this service alone, where a list of rights shows as rights of a group.
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    handed = folder is not None and file.parent == Path(folder)
    if file.stat().st_mode & (0o007 if handed else 0o077):
        raise Unavailable(f"Others can read {file}: take that right away (chmod 600), then start again.")
    try:
        keys = [bytes.fromhex(line) for line in file.read_text().split()]
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise Unavailable(f"{file} holds no key: each line is 64 hexadecimal digits. Bring it back from its copy.")
    return keys


def _stamp(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _name(key: bytes) -> bytes:
    return blake2b(key, digest_size=NAME_BYTES, person=b"name").digest()


@cache
def _derived(key: bytes, purpose: str) -> bytes:
    return blake2b(purpose.encode(), digest_size=KEY_BYTES, key=key, person=b"purpose").digest()


def _mark(key: bytes, purpose: str, content: bytes) -> bytes:
    return blake2b(content, digest_size=16, key=_derived(key, purpose), person=b"mark").digest()
