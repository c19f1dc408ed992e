"""Helpers that make the arguments of mice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.datasets import load_boys
from synth_tasks.engine import (
    make_method,
    make_post,
    make_predictor_matrix,
    make_visit_sequence,
    make_where,
    mice,
    quick_predictors,
)
from synth_tasks.engine.setup import order_columns
from synth_tasks.errors import PlanError
from tests.engine.builders import read_fixture

BOYS = load_boys()


def test_methods_are_chosen_by_kind_as_in_r() -> None:
    # mice::make.method(boys), R 4.2, mice 3.15.0
    assert make_method(BOYS) == {
        "age": "", "hgt": "pmm", "wgt": "pmm", "bmi": "pmm", "hc": "pmm", "gen": "polr", "phb": "polr",
        "tv": "pmm", "reg": "polyreg",
    }  # fmt: skip


def test_methods_of_all_kinds() -> None:
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03"]),
            "flag": [True, False, True],
            "word": ["a", "b", "c"],
            "pair": ["a", "b", "a"],
            "count": [1, 2, 3],
        }
    )
    assert make_method(frame, where="all") == {
        "date": "pmm", "flag": "logreg", "word": "polyreg", "pair": "logreg", "count": "pmm",
    }  # fmt: skip
    assert set(make_method(frame).values()) == {""}
    where = make_where(frame, "none")
    where.loc[0, "word"] = True
    assert {n for n, m in make_method(frame, where=where).items() if m} == {"word"}


def test_every_variable_predicts_every_other() -> None:
    matrix = make_predictor_matrix(BOYS)
    assert list(matrix.index) == list(matrix.columns) == list(BOYS.columns)
    assert (np.diag(matrix) == 0).all()
    assert matrix.to_numpy().sum() == 72


@pytest.mark.parametrize(
    ("keyword", "cells"), [("missing", 1622), ("all", 6732), ("none", 0), ("observed", 5110)]
)
def test_cells_are_marked_by_keyword(keyword: str, cells: int) -> None:
    where = make_where(BOYS, keyword)
    assert where.shape == BOYS.shape
    assert set(where.dtypes.astype(str)) == {"bool"}
    assert int(where.to_numpy().sum()) == cells


def test_the_marks_are_as_in_the_data() -> None:
    pd.testing.assert_frame_equal(make_where(BOYS), BOYS.isna())


def test_post_is_empty_for_every_variable() -> None:
    assert make_post(BOYS) == dict.fromkeys(BOYS.columns, "")


@pytest.mark.parametrize(
    ("keyword", "order"),
    [
        ("roman", ["age", "hgt", "wgt", "bmi", "hc", "gen", "phb", "tv", "reg"]),
        ("arabic", ["reg", "tv", "phb", "gen", "hc", "bmi", "wgt", "hgt", "age"]),
        ("monotone", ["age", "reg", "wgt", "hgt", "bmi", "hc", "gen", "phb", "tv"]),
        ("revmonotone", ["tv", "gen", "phb", "hc", "bmi", "hgt", "wgt", "reg", "age"]),
    ],
)
def test_visits_are_ordered_by_keyword(keyword: str, order: list[str]) -> None:
    assert make_visit_sequence(BOYS, keyword) == order


def test_ties_keep_the_column_order() -> None:
    assert order_columns(["a", "b", "c"], np.array([5, 5, 1]), "monotone") == ["c", "a", "b"]
    everywhere = make_where(BOYS, "all")
    assert make_visit_sequence(BOYS, "monotone", everywhere) == list(BOYS.columns)


def test_unknown_keywords_are_refused() -> None:
    with pytest.raises(PlanError, match="where: unknown keyword 'some'; use missing, all, none"):
        make_where(BOYS, "some")
    with pytest.raises(PlanError, match="visit_sequence: unknown keyword 'greek'; use roman"):
        make_visit_sequence(BOYS, "greek")


# --- quick predictors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings"),
    [("default", {}), ("strict", {"mincor": 0.25, "minpuc": 0.3, "exclude": ["reg"]})],
)
def test_quick_predictors_are_those_of_r(name: str, settings: dict[str, Any]) -> None:
    found = quick_predictors(load_boys(), **settings)
    assert found.to_numpy().tolist() == read_fixture("r_quickpred.json")[name]


def test_predictors_can_be_forced_and_forbidden() -> None:
    found = quick_predictors(load_boys(), mincor=1.1, include=["age", "reg"], exclude=["reg"])
    assert found.loc["hgt"].to_dict() == {**dict.fromkeys(load_boys(), 0), "age": 1}
    assert not found.loc["age"].any()


@pytest.mark.parametrize("setting", ["include", "exclude"])
def test_an_unknown_predictor_is_refused(setting: str) -> None:
    with pytest.raises(PlanError, match=f"{setting} names the unknown column 'shoe'"):
        quick_predictors(load_boys(), **{setting: ["shoe"]})


def test_quick_predictors_serve_the_imputation() -> None:
    boys = load_boys()
    imputed = mice(boys, m=1, maxit=1, predictor_matrix=quick_predictors(boys), seed=1)
    assert imputed.complete(1).notna().all(axis=None)
