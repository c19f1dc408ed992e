"""Seeds as people see them: read from text, and committed to without being told."""

from __future__ import annotations

import hashlib
import hmac

from synth_tasks.errors import SpecError

SALT_BYTES = 32


def parse_seed(text: str, origin: str) -> int:
    """Read a seed from a command line or an environment variable.

    Parameters
    ----------
    text : str
        A non-negative whole number.
    origin : str
        Where it came from, for the error message.

    Returns
    -------
    int
    """
    try:
        seed = int(text)
    except ValueError:
        seed = -1
    if seed < 0:
        raise SpecError(f"{origin}: the seed must be a whole number of 0 or more")
    return seed


def commitment_salt(key: bytes, dataset: str) -> bytes:
    """Return the salt of the commitment to a seed; it can be shown without the key of all digests.

    Parameters
    ----------
    key : bytes
        Secret key of the workspace.
    dataset : str
        Name of the data set.

    Returns
    -------
    bytes
        HMAC-SHA256, `SALT_BYTES` long.

    References
    ----------
    Krawczyk, Bellare & Canetti (1997). HMAC: keyed-hashing for message authentication. RFC 2104.
    """
    return hmac.new(key, f"seed commitment{dataset}".encode(), hashlib.sha256).digest()


def commitment(seed: int, salt: bytes) -> str:
    """Return a hash that lets the holder of seed and salt prove later which seed was used.

    Publishing the seed would let anyone who guesses the data test the guess; the salted hash does not.
    """
    return hashlib.sha256(salt + str(seed).encode()).hexdigest()
