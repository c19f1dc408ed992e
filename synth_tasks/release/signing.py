"""Signatures of releases: Ed25519 over the bytes of the manifest.

The manifest names every other file by its SHA-256, so its signature holds for the whole release. It is
kept as 64 raw bytes in ``manifest.json.sig``, the public key in ``signing-key.pem``. OpenSSL checks it
as well::

    openssl pkeyutl -verify -pubin -inkey signing-key.pem -sigfile manifest.json.sig
        -rawin -in manifest.json

A private key is made by ``openssl genpkey -algorithm ed25519 -out key.pem && chmod 600 key.pem``.

References
----------
Josefsson & Liusvaara (2017). Edwards-curve digital signature algorithm (EdDSA). RFC 8032.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synth_tasks.errors import SpecError

PUBLIC_KEY = "signing-key.pem"
MAX_KEY_BYTES = 10_000
OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key that signs releases; it is never shown.

    Parameters
    ----------
    key : Ed25519PrivateKey
        The key.
    """

    key: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature of `data`."""
        return bytes(self.key.sign(data))

    @property
    def public_pem(self) -> bytes:
        """The public key in PEM, as it is published."""
        serialization = _library().serialization
        return bytes(
            self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )


def read_signer(path: Path) -> Signer:
    """Read a private key from a file that nobody else can read.

    Parameters
    ----------
    path : Path
        PEM file with mode 0600 or 0400; no link.

    Raises
    ------
    SpecError
        If the file cannot be read, can be read by others, or holds no such key.
    """
    setting = f"publish.signing_key: {path}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        raise SpecError(f"{setting} cannot be opened: give a file that is no link") from None
    try:
        # Asked of the open file: the name may lead to another one by now.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise SpecError(f"{setting} is no file: give a PEM file")
        if mode & OTHERS:
            raise SpecError(f"{setting} can be read by others: chmod 600, and make a new key")
        return parse_signer(os.read(descriptor, MAX_KEY_BYTES), setting)
    finally:
        os.close(descriptor)


def parse_signer(pem: bytes, setting: str) -> Signer:
    """Read a private key from PEM text; `setting` is named in errors, the text never."""
    library = _library()
    try:
        key = library.serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, library.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, library.Ed25519PrivateKey):
        raise SpecError(
            f"{setting} holds no Ed25519 private key in PEM without password: make one by "
            "openssl genpkey -algorithm ed25519"
        )
    return Signer(key)


def is_signed_by(public_pem: bytes, data: bytes, signature: bytes, origin: str) -> bool:
    """Tell whether a signature of `data` was made with the private key of a public one.

    Parameters
    ----------
    public_pem : bytes
        PEM text.
    data, signature : bytes
        What was signed, and the 64 bytes.
    origin : str
        Where the key comes from, for the error.

    Raises
    ------
    SpecError
        If it is no such key.
    """
    key, invalid = _parse_public(public_pem, origin), _library().InvalidSignature
    try:
        key.verify(signature, data)
    except invalid:
        return False
    return True


def fingerprint(public_pem: bytes, origin: str) -> str:
    """Return the SHA-256 of the 32 bytes of a public key, to compare with the publisher's."""
    return hashlib.sha256(_parse_public(public_pem, origin).public_bytes_raw()).hexdigest()


def _parse_public(pem: bytes, origin: str) -> Any:
    library = _library()
    try:
        if len(pem) > MAX_KEY_BYTES:
            raise ValueError("longer than a key")
        key = library.serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, library.UnsupportedAlgorithm):
        key = None
    if not isinstance(key, library.Ed25519PublicKey):
        raise SpecError(f"{origin} holds no Ed25519 public key in PEM: give the publisher's key")
    return key


def require_library() -> None:
    """Raise an error if signatures cannot be made or checked here."""
    _library()


@dataclass(frozen=True, slots=True)
class _Library:
    serialization: Any
    Ed25519PrivateKey: Any
    Ed25519PublicKey: Any
    InvalidSignature: Any
    UnsupportedAlgorithm: Any


def _library() -> _Library:
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (
            Ed25519PrivateKey,
            Ed25519PublicKey,
        )
    except ImportError:
        raise SpecError(
            "signatures need the package cryptography: python -m pip install "
            "'prefect-synth[signing]'"
        ) from None
    return _Library(
        serialization, Ed25519PrivateKey, Ed25519PublicKey, InvalidSignature, UnsupportedAlgorithm
    )
