"""Columns that follow from others are found, and coincidences are not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import encode, infer_schema
from synth_tasks.release.relations import find_relations
from tests.release.builders import make_people

N = 200


def relations_of(frame: pd.DataFrame) -> dict[str, str]:
    schema = infer_schema(frame)
    return {r.target: r.formula for r in find_relations(encode(frame, schema), schema)}


@pytest.fixture
def amounts() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({c: rng.gamma(3, 50, N).round(2) for c in ("a", "b", "c", "d")})
    return frame.assign(n=rng.integers(1, 40, N), k=rng.integers(1, 40, N))


def test_the_body_mass_index_of_the_boys_is_found_although_it_is_cut(boys):
    schema = infer_schema(boys)
    (found,) = find_relations(encode(boys, schema), schema)
    assert (found.target, found.formula) == ("bmi", "~ wgt / (hgt / 100)**2")
    assert found.inputs == ("wgt", "hgt")
    assert found.n_rows == boys[["wgt", "hgt", "bmi"]].dropna().shape[0]


@pytest.mark.parametrize(
    ("computed", "formula"),
    [
        (lambda f: (f["a"] + f["b"]).round(2), "~ a + b"),
        (lambda f: (f["a"] + f["b"] + f["c"] + f["d"]).round(2), "~ a + b + c + d"),
        (lambda f: f["n"] + f["k"], "~ n + k"),
        (lambda f: (f["a"] * f["n"]).round(2), "~ a * n"),
        (lambda f: (f["a"] / f["b"]).round(3), "~ a / b"),
        (lambda f: (f["a"] / f["b"] * 100).round(1), "~ a / b * 100"),
        (lambda f: f["a"] / f["b"] ** 2, "~ a / b**2"),
    ],
)
def test_sums_products_and_ratios_are_found(amounts, computed, formula):
    assert relations_of(amounts.assign(y=computed(amounts))) == {"y": formula}


def test_a_sum_of_sums_is_computed_from_sums_without_a_circle(amounts):
    frame = amounts.assign(ab=amounts["n"] + amounts["k"])
    frame["all"] = frame["ab"] + frame["k"]
    assert relations_of(frame) == {"ab": "~ k + n", "all": "~ k + ab"} or relations_of(frame) == {
        "ab": "~ n + k",
        "all": "~ k + ab",
    }


def test_one_row_that_disagrees_is_enough_to_refuse(amounts):
    frame = amounts.assign(y=(amounts["a"] + amounts["b"]).round(2))
    frame.loc[123, "y"] += 0.05
    assert relations_of(frame) == {}


def test_holes_do_not_hide_a_relation(amounts):
    frame = amounts.assign(y=(amounts["a"] + amounts["b"]).round(2))
    frame.loc[::3, "y"] = None
    frame.loc[1::5, "a"] = None
    assert relations_of(frame) == {"y": "~ a + b"}


def test_too_few_rows_are_no_proof(amounts):
    frame = amounts.assign(y=(amounts["a"] + amounts["b"]).round(2)).head(19)
    assert relations_of(frame) == {}


def test_names_that_are_no_words_are_quoted(amounts):
    frame = amounts.rename(columns={"a": "net income", "b": "tax"})[["net income", "tax"]]
    frame["gross"] = (frame["net income"] + frame["tax"]).round(2)
    assert relations_of(frame) == {"gross": "~ `net income` + tax"}


def test_people_have_one_relation():
    people = make_people()
    schema = infer_schema(people)
    assert [r.target for r in find_relations(encode(people, schema), schema)] == ["bmi"]


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_unrelated_columns_are_left_alone(seed, decimals):
    rng = np.random.default_rng(seed)
    numbers = {f"x{i}": rng.normal(50, 10, 40).round(decimals) for i in range(4)}
    counts = {f"n{i}": rng.poisson(4, 40) for i in range(3)}
    assert relations_of(pd.DataFrame(numbers | counts)) == {}
