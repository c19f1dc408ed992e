"""Input that somebody might give who wishes the program ill, or has had a bad day."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from synth_tasks.errors import SynthError

EXPLORES = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
LONGEST_MESSAGE = 2100


def cases(usual: int = 300, exploring: int = 5000) -> settings:
    """Return how many cases are tried: some in every run, thousands when exploring."""
    return settings(
        max_examples=exploring if EXPLORES else usual,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@contextmanager
def only_typed_errors() -> Iterator[None]:
    """Let input be accepted or refused in one line that a person can read; nothing else may happen."""
    raised: SynthError | None = None
    try:
        yield
    except SynthError as error:
        raised = error
    if raised is not None:
        message = str(raised)
        assert message.replace("\u00a0", " ").isprintable(), repr(message)
        assert len(message) <= LONGEST_MESSAGE
        # No traceback of a library that quotes the input.
        assert raised.__cause__ is None
        assert raised.__suppress_context__ or raised.__context__ is None


def refused(message: str):
    """Expect a typed error with this message."""
    return pytest.raises(SynthError, match=message)


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", " ", "\0", "\n", "a\nb", "\x1b[31m", "\ud800", "\u2028", "../../etc/passwd",
            "/etc/passwd", "a" * 5000, "=1+1", "NA", "nan", "1e999", "~", "__import__('os')",
            "{}", "%s", "{x.__class__}", "<script>", "`", "é\u0301", "boys", "cart", "norm",
        ]
    ),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**63, 2**64, 10**30, 2**1000, -(2**1000), 1e308, 5e-324, -0.0]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JSON = st.recursive(
    SCALARS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=6,
)
