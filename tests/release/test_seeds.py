from __future__ import annotations

import hashlib
import hmac

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.release.seeds import SALT_BYTES, commitment, commitment_salt, parse_seed


@pytest.mark.parametrize(("text", "seed"), [("0", 0), (" 42 ", 42), (str(2**200), 2**200)])
def test_a_seed_is_read_from_text(text: str, seed: int) -> None:
    assert parse_seed(text, "--seed") == seed


@pytest.mark.parametrize("text", ["", "-1", "1.5", "secret", "0x10"])
def test_other_seeds_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_seed(text, "SYNTH_SEED")
    assert str(caught.value) == "SYNTH_SEED: the seed must be a whole number of 0 or more"


def test_the_commitment_is_a_salted_hash() -> None:
    assert commitment(123, b"salt") == hashlib.sha256(b"salt123").hexdigest()
    assert commitment(123, b"salt") != commitment(124, b"salt")
    assert commitment(123, b"salt") != commitment(123, b"pepper")


def test_the_salt_of_a_commitment_is_an_hmac_of_the_name() -> None:
    salt = commitment_salt(b"key", "people")
    assert salt == hmac.new(b"key", b"seed commitmentpeople", hashlib.sha256).digest()
    assert len(salt) == SALT_BYTES
    assert salt != commitment_salt(b"key", "pets")
