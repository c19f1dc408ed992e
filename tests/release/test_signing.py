import hashlib
import os
import shlex
import subprocess
import sys
from base64 import b64encode

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.release.signing import fingerprint, is_signed_by, parse_signer, read_signer
from tests.release.published import make_key

# RFC 8032, section 7.1, test 2: the message of one byte, in PKCS 8 and SubjectPublicKeyInfo (RFC 8410).
PRIVATE = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
MESSAGE = b"\x72"
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def pem(prefix: str, key: str, label: str) -> bytes:
    body = b64encode(bytes.fromhex(prefix + key))
    return (
        b"-----BEGIN "
        + label.encode()
        + b"-----\n"
        + body
        + (b"\n-----END " + label.encode() + b"-----\n")
    )


PRIVATE_PEM = pem("302e020100300506032b657004220420", PRIVATE, "PRIVATE KEY")
PUBLIC_PEM = pem("302a300506032b6570032100", PUBLIC, "PUBLIC KEY")


def test_signatures_are_those_of_rfc_8032():
    signer = parse_signer(PRIVATE_PEM, "key")
    assert signer.sign(MESSAGE) == SIGNATURE
    assert signer.public_pem == PUBLIC_PEM
    assert is_signed_by(PUBLIC_PEM, MESSAGE, SIGNATURE, "key")
    assert not is_signed_by(PUBLIC_PEM, b"\x73", SIGNATURE, "key")


@pytest.mark.parametrize("place", range(0, 64, 7))
def test_a_signature_with_one_other_bit_does_not_hold(place):
    changed = bytearray(SIGNATURE)
    changed[place] ^= 1
    assert not is_signed_by(PUBLIC_PEM, MESSAGE, bytes(changed), "key")


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:-1], SIGNATURE + b"\0"])
def test_a_signature_of_another_length_does_not_hold(signature):
    assert not is_signed_by(PUBLIC_PEM, MESSAGE, signature, "key")


def test_openssl_agrees_with_a_signature(tmp_path):
    signer = read_signer(make_key(tmp_path))
    for name, content in (
        ("m", b"manifest"), ("s", signer.sign(b"manifest")), ("p", signer.public_pem)
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
    subprocess.run(
        shlex.split("openssl pkeyutl -verify -pubin -inkey p -sigfile s -rawin -in m"),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )


def test_the_fingerprint_is_that_of_the_key_however_it_is_written():
    expected = hashlib.sha256(bytes.fromhex(PUBLIC)).hexdigest()
    assert fingerprint(PUBLIC_PEM, "key") == expected
    assert fingerprint(b"a comment\n" + PUBLIC_PEM, "key") == expected


def test_the_key_is_never_shown(tmp_path):
    signer = read_signer(make_key(tmp_path))
    assert repr(signer) == "Signer()"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o610, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    path = make_key(tmp_path)
    path.chmod(mode)
    with pytest.raises(SpecError, match="can be read by others: chmod 600"):
        read_signer(path)
    path.chmod(0o400)
    assert read_signer(path)


def test_a_key_behind_a_link_or_pipe_is_refused(tmp_path):
    (tmp_path / "link.pem").symlink_to(make_key(tmp_path))
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("link.pem", "absent.pem", "a\0b"):
        with pytest.raises(SpecError, match=r"publish.signing_key: .* cannot be opened"):
            read_signer(tmp_path / name)
    for name in ("pipe", "folder"):
        with pytest.raises(SpecError, match="is no file"):
            read_signer(tmp_path / name)


@pytest.mark.parametrize("text", [b"", b"secret words", PUBLIC_PEM, PRIVATE_PEM[:60], b"\xff" * 99])
def test_what_is_no_private_key_is_refused_without_being_quoted(text):
    with pytest.raises(SpecError, match=r"^publish.signing_key_secret holds no Ed25519") as error:
        parse_signer(text, "publish.signing_key_secret")
    assert "secret words" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_a_key_of_another_kind_is_refused(tmp_path):
    for kind in (["-algorithm", "x25519"], ["-algorithm", "ed448"]):
        subprocess.run(["openssl", "genpkey", *kind, "-out", tmp_path / "k"], check=True)
        with pytest.raises(SpecError, match="holds no Ed25519 private key"):
            parse_signer((tmp_path / "k").read_bytes(), "key")


@pytest.mark.parametrize("text", [b"", b"x", PRIVATE_PEM, PUBLIC_PEM[:-30], PUBLIC_PEM * 200])
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(SpecError, match="--public-key holds no Ed25519 public key"):
        fingerprint(text, "--public-key")


def test_without_the_library_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(SpecError, match=r"pip install 'prefect-synth\[signing\]'"):
        parse_signer(PRIVATE_PEM, "key")
