"""Ed25519 signatures with little memory.

The ``cryptography`` package brings a second OpenSSL: 8.5 MB, a fifth of all the agent may
use. Python's own ``_ssl`` is loaded anyway, so its libcrypto signs. Where that cannot be
reached (a Python with OpenSSL linked in) ``cryptography`` does it. Either way OpenSSL computes;
the RFC 8032 test vector decides at start whether the short way may be used.
"""

import ctypes
from collections.abc import Callable
from typing import Any

Signer = Callable[[bytes], bytes]
"""Message in, 64 signature bytes out."""

_ED25519 = 1087  # EVP_PKEY_ED25519, fixed in OpenSSL's obj_mac.h
_RFC8032_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
_RFC8032_SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


class SigningError(Exception):
    """No way to sign was found on this box."""


def signer_for(seed: bytes) -> Signer:
    """Return a function that signs with the 32-byte private key ``seed``."""
    try:
        if openssl_signer(_RFC8032_SEED)(b"") == _RFC8032_SIGNATURE:
            return openssl_signer(seed)
    except (ImportError, AttributeError, OSError, SigningError):
        pass  # this Python hides its libcrypto; the package below carries its own
    return package_signer(seed)


def public_key_of(seed: bytes) -> bytes:
    """Return the 32 bytes of the public key that belongs to a private one."""
    try:
        return openssl_public_key(seed)
    except (ImportError, AttributeError, OSError, SigningError):
        pass  # as for signing
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def openssl_public_key(seed: bytes) -> bytes:
    """Work a public key out with the libcrypto that Python's ``ssl`` module already loaded."""
    lib = _libcrypto()
    key = lib.EVP_PKEY_new_raw_private_key(_ED25519, None, seed, len(seed))
    if not key:
        raise SigningError("OpenSSL refused the private key")
    try:
        size = ctypes.c_size_t(32)
        out = ctypes.create_string_buffer(32)
        if lib.EVP_PKEY_get_raw_public_key(key, out, ctypes.byref(size)) != 1 or size.value != 32:
            raise SigningError("OpenSSL cannot tell the public key")
        return out.raw
    finally:
        lib.EVP_PKEY_free(key)


def openssl_signer(seed: bytes) -> Signer:
    """Sign with the libcrypto that Python's ``ssl`` module already loaded."""
    lib = _libcrypto()
    key = lib.EVP_PKEY_new_raw_private_key(_ED25519, None, seed, len(seed))
    if not key:
        raise SigningError("OpenSSL refused the private key")

    def sign(message: bytes) -> bytes:
        context = lib.EVP_MD_CTX_new()
        try:
            size = ctypes.c_size_t(64)
            out = ctypes.create_string_buffer(64)
            if lib.EVP_DigestSignInit(context, None, None, None, key) != 1:
                raise SigningError("OpenSSL cannot start an Ed25519 signature")
            if lib.EVP_DigestSign(context, out, ctypes.byref(size), message, len(message)) != 1:
                raise SigningError("OpenSSL cannot sign with Ed25519")
            return out.raw
        finally:
            lib.EVP_MD_CTX_free(context)

    return sign


def package_signer(seed: bytes) -> Signer:
    """Sign with the ``cryptography`` package."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).sign


def _libcrypto() -> Any:
    import _ssl

    # Names are looked up in the module's own dependencies, so this is the one libcrypto in use, of whatever version.
    lib = ctypes.CDLL(_ssl.__file__)
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    lib.EVP_PKEY_new_raw_private_key.restype = pointer
    lib.EVP_PKEY_new_raw_private_key.argtypes = [ctypes.c_int, pointer, ctypes.c_char_p, size]
    lib.EVP_PKEY_get_raw_public_key.argtypes = [pointer, pointer, pointer]
    lib.EVP_PKEY_free.argtypes = [pointer]
    lib.EVP_PKEY_free.restype = None
    lib.EVP_MD_CTX_new.restype = pointer
    lib.EVP_MD_CTX_free.argtypes = [pointer]
    lib.EVP_MD_CTX_free.restype = None
    lib.EVP_DigestSignInit.argtypes = [pointer, pointer, pointer, pointer, pointer]
    lib.EVP_DigestSign.argtypes = [pointer, ctypes.c_char_p, ctypes.POINTER(size), ctypes.c_char_p, size]
    return lib
