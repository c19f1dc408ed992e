"""Generalised linear models are those of R, and say when there is no estimate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import ConvergenceWarning, ModelError
from synth_tasks.inference import fit_model, pool

R = json.loads((Path(__file__).parent / "fixtures" / "r_glm.json").read_text())


@pytest.mark.parametrize("expected", R, ids=lambda expected: expected["model"])
def test_estimates_and_standard_errors_are_those_of_r(boys, expected):
    data = boys.assign(city=pd.Categorical(np.where(boys["reg"] == "city", "yes", "no")))
    fit = fit_model(data, expected["model"], expected["formula"])
    assert list(fit.terms) == expected["terms"]
    np.testing.assert_allclose(fit.estimates, expected["estimates"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(fit.std_errors, expected["std_errors"], rtol=1e-5)
    assert (fit.df_residual, fit.n) == (expected["df_residual"], len(boys))


def table(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(n)
    return pd.DataFrame({"x": x, "y": (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float)})


def test_the_response_of_a_logit_may_be_stored_in_several_ways():
    frame = table()
    forms = [
        frame["y"],
        frame["y"].astype(int),
        frame["y"] == 1,
        frame["y"].map({0.0: "no", 1.0: "yes"}).astype("category"),
        frame["y"].map({0.0: "no", 1.0: "yes"}),
    ]
    fits = [fit_model(frame.assign(y=y), "logit", "y ~ x") for y in forms]
    for fit in fits[1:]:
        np.testing.assert_allclose(fit.estimates, fits[0].estimates)
    assert fits[0].estimates[1] == pytest.approx(1.0, abs=3 * fits[0].std_errors[1])


def test_fits_can_be_pooled():
    fits = [fit_model(table(n), "logit", "y ~ x") for n in (300, 300)]
    assert pool(fits).table["term"].tolist() == ["(Intercept)", "x"]


@pytest.mark.parametrize(
    ("model", "column", "remedy"),
    [
        ("logit", np.arange(300) % 3, "two categories, or is 0 and 1"),
        ("logit", pd.Categorical(np.array(list("abc"))[np.arange(300) % 3]), "merge categories"),
        ("poisson", np.arange(300) - 5.0, "counts cannot be negative"),
        ("gamma", np.arange(300) * 1.0, "positive everywhere"),
    ],
)
def test_a_response_that_does_not_fit_is_refused(model, column, remedy):
    with pytest.raises(ModelError, match=remedy):
        fit_model(table().assign(y=column), model, "y ~ x")


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_separation_is_told(shift):
    """Complete, and with some rows at the border."""
    frame = table()
    frame["y"] = (frame["x"] > shift).astype(float)
    frame["side"] = frame["y"]
    if shift:
        frame.loc[:20, "y"] = 0.0
    with pytest.warns(ConvergenceWarning, match="separate the two categories"):
        fit = fit_model(frame, "logit", "y ~ side")
    assert not fit.converged
