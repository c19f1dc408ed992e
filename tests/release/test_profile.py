"""What columns seem to be, what is doubtful about them, and what cannot stay."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind
from synth_tasks.release.profile import ColumnProfile, profile_columns, schema_of

N = 300
RNG = np.random.default_rng(8)


def profile(values, least: int = 3, name: str = "x") -> ColumnProfile:
    (found,) = profile_columns(pd.DataFrame({name: values}), least)
    return found


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.arange(N), "holds whole numbers that look like an identifier"),
        ([f"id {i}" for i in range(N)], "holds free text or identifiers"),
        ([*map(str, range(N - 9)), *["unknown"] * 9], "list those under dataset.source.missing"),
        (
            [f"{1 + i % 28:02}-{1 + i % 12:02}-{1990 + i % 31}" for i in range(N)],
            "dates not written",
        ),
        (
            [f"{1 + i % 12}/{1 + i % 28}/{i % 97:02} 9:05" for i in range(N)],
            "not written as 2026-12",
        ),
        ([None] * N, "has no observed value"),
        (["NL"] * N, "is constant"),
        ([*["a"] * 200, *["b"] * 98, "c", "d"], "2 of 4 categories are seen in fewer than 3 rows"),
        ([1.5, np.inf] * 150, "has 150 infinite value(s)"),
        ([2**60 + i for i in range(N)], "whole numbers beyond 2^53"),
    ],
)
def test_what_cannot_stay_has_a_reason(values, problem):
    found = profile(values)
    assert problem in found.problem
    assert found.variable is None


def test_a_few_different_numbers_named_as_an_identifier_are_one():
    numbers = RNG.permutation(50) + 100
    assert "identifier" in profile(numbers, name="patient_id").problem
    assert profile(numbers, name="weight").problem == ""


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        (RNG.integers(1, 6, N), "only 5 different numbers: codes?"),
        (RNG.normal(size=N), "no common number of decimals"),
        (RNG.integers(0, 500, N).astype(float), "whole numbers stored with a decimal point"),
        (np.where(RNG.random(N) < 0.4, 0, RNG.gamma(2, 9, N).round(1)), "many rows hold 0"),
        (np.where(RNG.random(N) < 0.2, -9, RNG.gamma(2, 9, N).round(1)), "spikes: [-9]"),
        (pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 99, N), "D"), "dates lead"),
        (np.where(RNG.random(N) < 0.7, np.nan, RNG.normal(size=N).round(1)), "mostly missing"),
        (RNG.choice([f"c {chr(65 + i)}" for i in range(25)], N), "many categories"),
        (RNG.choice(["low", "mid", "high"], N), "the order is guessed"),
    ],
)
def test_what_inference_may_get_wrong_is_doubted(values, doubt):
    assert any(doubt in text for text in profile(values).doubts)


def test_a_plain_measurement_is_not_doubted():
    found = profile(RNG.normal(170, 9, N).round(1))
    assert found.doubts == ()
    assert found.remarks == ("numeric, 1 decimal", "complete")


def test_an_order_that_the_data_state_is_kept_without_doubt():
    ordered = pd.Categorical(["b", "a", "c"] * 50, categories=["c", "a", "b"], ordered=True)
    found = profile(ordered)
    assert found.settings == {"kind": "ordinal", "categories": ["c", "a", "b"]}
    assert found.doubts == ()


def test_the_schema_holds_the_columns_that_stay():
    frame = pd.DataFrame({"id": np.arange(N), "x": RNG.normal(size=N), "g": ["u", "v"] * 150})
    schema = schema_of(profile_columns(frame, 3))
    assert [(v.name, v.kind) for v in schema] == [("x", Kind.NUMERIC), ("g", Kind.BINARY)]
