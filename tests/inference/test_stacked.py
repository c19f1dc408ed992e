"""Fits to stacked data sets are the fits to each of them."""

import re

import numpy as np
import pandas as pd
import pytest

from synth_tasks.datasets import load_boys_completed
from synth_tasks.errors import ModelError
from synth_tasks.inference import fit_model
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.stacked import fit_stacked

ANALYSES = [
    ("ols", "hgt ~ age + phb", None),
    ("ols", "log(wgt) ~ age * reg", None),
    ("ols", "wgt ~ poly(age, 2)", None),
    ("ordered_logit", "gen ~ age + hc + reg", None),
    ("mean", None, ["age", "reg"]),
    ("correlation", None, ["age", "hgt", "wgt"]),
    ("gamma", "wgt ~ age", None),
]


@pytest.fixture(scope="module")
def tables() -> list[pd.DataFrame]:
    boys, rng = load_boys_completed(), np.random.default_rng(1)
    return [boys.iloc[rng.integers(0, len(boys), size=size)] for size in (748, 500, 748)]


@pytest.mark.parametrize(("model", "formula", "variables"), ANALYSES)
def test_each_data_set_gets_the_fit_that_it_gets_alone(
    tables: list[pd.DataFrame], model: str, formula: str | None, variables: list[str] | None
) -> None:
    together = fit_stacked(pd.concat(tables), [len(t) for t in tables], model, formula, variables)
    for fit, table in zip(together, tables, strict=True):
        alone = fit_model(table, model, formula, variables)
        assert isinstance(fit, ModelFit)
        assert (fit.terms, fit.n, fit.df_residual) == (alone.terms, alone.n, alone.df_residual)
        np.testing.assert_allclose(fit.estimates, alone.estimates, rtol=1e-10)
        np.testing.assert_allclose(fit.covariance, alone.covariance, rtol=1e-9, atol=1e-12)


def test_a_fit_does_not_depend_on_what_else_is_stacked(tables: list[pd.DataFrame]) -> None:
    first, second = tables[:2]
    (alone,) = fit_stacked(second, [len(second)], "ols", "hgt ~ age + phb")
    _, among = fit_stacked(
        pd.concat([first, second]), [len(first), len(second)], "ols", "hgt ~ age + phb"
    )
    assert isinstance(alone, ModelFit)
    assert isinstance(among, ModelFit)
    assert np.array_equal(alone.estimates, among.estimates)
    assert np.array_equal(alone.covariance, among.covariance)


@pytest.mark.parametrize(
    ("model", "formula", "reason"),
    [
        ("ols", "hgt ~ age + reg", "linear combination"),
        ("ordered_logit", "gen ~ age", "level.s. without rows"),
    ],
)
def test_a_data_set_that_cannot_be_fitted_leaves_the_others_alone(
    tables: list[pd.DataFrame], model: str, formula: str, reason: str
) -> None:
    whole = tables[0]
    lacking = whole[(whole["reg"] != "city") & (whole["gen"] != "G5")]
    fits = fit_stacked(pd.concat([lacking, whole]), [len(lacking), len(whole)], model, formula)
    assert isinstance(fits[0], ModelError)
    assert re.search(reason, str(fits[0]))
    assert isinstance(fits[1], ModelFit)


def test_texts_have_the_levels_of_their_own_data_set(tables: list[pd.DataFrame]) -> None:
    one = tables[0].assign(reg=tables[0]["reg"].astype(str))
    other = one[one["reg"] != "city"]
    fits = fit_stacked(pd.concat([one, other]), [len(one), len(other)], "ols", "hgt ~ reg")
    assert [len(fit.terms) for fit in fits if isinstance(fit, ModelFit)] == [5, 4]


def test_an_unknown_column_is_refused_before_anything_is_fitted(
    tables: list[pd.DataFrame],
) -> None:
    with pytest.raises(ModelError, match="unknown column 'height'"):
        fit_stacked(tables[0], [748], "ols", "height ~ age")
