"""Making a synthesizer that can be shared."""

from __future__ import annotations

import pickle
import struct
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.datasets import load_boys_completed
from synth_tasks.engine import (
    AnySynthesizer,
    StratifiedSynthesizer,
    Synthesizer,
    fit_synthesizer,
)
from synth_tasks.engine.planning import plan_and_fill
from synth_tasks.engine.portable import make_portable, to_json
from synth_tasks.errors import PlanError
from tests.engine.portable.builders import EVERY_METHOD, SPIKE, fitted, fitted_by, table

# --- nothing of a person -------------------------------------------------------------------------


def values_found(values: np.ndarray, portable: AnySynthesizer) -> list[float]:
    """Look for values as text in the JSON, and as eight or four bytes in a pickle."""
    text, content = to_json(portable), pickle.dumps(portable)
    found = []
    for value in values.tolist():
        digits = repr(value).removesuffix(".0").split("e")[0].replace(".", "")
        as_bytes = [struct.pack(code, value) for code in ("<d", ">d", "<f", ">f")]
        plain = text.replace(".", "")
        if digits in plain or any(b in content for b in as_bytes):
            found.append(value)
    return found


def marked(n_rows: int = 150) -> pd.DataFrame:
    """Return numbers of 15 digits, each of one person only, and a category; e says the same as d."""
    rng = np.random.default_rng(1)
    a = rng.integers(10**14, 10**15, size=n_rows).astype(float)
    b = np.rint(a / 2 + rng.integers(10**13, 10**14, size=n_rows))
    c = np.rint(b / 3 + rng.integers(10**13, 10**14, size=n_rows))
    c[: n_rows // 3] = 0.0
    d = np.round(rng.standard_normal(n_rows), 14)
    g = pd.Categorical(np.where(a > 5e14, "u", "v"))
    return pd.DataFrame({"a": a, "g": g, "b": b, "c": c, "d": d, "e": 1 - d})


METHODS: dict[str, Any] = {
    "cart": "cart",
    "norm": {"a": "sample", "g": "logreg", "b": "norm", "c": "norm.nob", "d": "cart"},
    "ranks": {"a": "sample", "g": "cart", "b": "normrank", "c": "cubertnorm", "d": "nested"},
}


@pytest.mark.parametrize("settings", [{}, {"strata": ["g"]}, {"tail_support": 2}], ids=str)
@pytest.mark.parametrize("methods", METHODS)
def test_no_real_number_is_left(methods: str, settings: dict[str, Any]) -> None:
    frame = marked()
    if methods == "ranks":
        settings = settings | {"method_options": {"nested": {"within": "g"}}}
    synthesizer = fitted(
        frame, {"c": SPIKE["income"]}, method=METHODS[methods], min_stratum_size=20, **settings
    )
    numbers = frame.drop(columns="g").to_numpy().ravel()
    numbers = numbers[numbers != 0]
    assert values_found(numbers, make_portable(synthesizer)) == []


@pytest.mark.parametrize(
    ("method", "strata"),
    [("cart", []), ("cart", ["g"]), ("sample", []), ("sample", ["g"]), ("nested", [])],
)
def test_imputed_copies_of_a_number_count_for_nobody(method: str, strata: list[str]) -> None:
    """Ten rows hold the value of one person: they are no group of ten."""
    frame, copies = marked()[["g", "b"]], np.arange(3, 13)
    own = frame["b"].iloc[2]
    frame.loc[copies, "b"] = own
    imputed = np.zeros(frame.shape, dtype=bool)
    imputed[copies, 1] = True
    settings: dict[str, Any] = {
        "method": {"g": "sample", "b": method},
        "method_options": {"nested": {"within": "g"}},
        "strata": strata,
        "min_stratum_size": 20,
    }

    def portable(only_observed: bool) -> AnySynthesizer:
        schema = infer_schema(frame)
        plan, matrix = plan_and_fill(
            encode(frame, schema), schema, where="all", m=1, maxit=1, **settings
        )
        return make_portable(
            fit_synthesizer(plan, matrix, imputed=imputed, only_observed=only_observed)
        )

    assert values_found(np.array([own]), portable(False)) == [own]
    assert values_found(np.array([own]), portable(True)) == []


def test_a_variable_that_nobody_has_given_cannot_be_learnt() -> None:
    frame = marked()[["g", "b"]]
    schema = infer_schema(frame)
    plan, matrix = plan_and_fill(
        encode(frame, schema), schema, where="all", method="cart", m=1, maxit=1
    )
    imputed = np.column_stack([np.zeros(len(frame)), np.ones(len(frame))]).astype(bool)
    with pytest.raises(PlanError, match="'b' was imputed in all rows that it is learnt from"):
        fit_synthesizer(plan, matrix, imputed=imputed, only_observed=True)


def test_a_real_number_would_be_found() -> None:
    synthesizer = make_portable(fitted(marked()))
    assert isinstance(synthesizer, Synthesizer)
    secret = 123456789012345.0
    fitted_variable = synthesizer.steps[0].fitted
    assert fitted_variable is not None
    fitted_variable.model.distribution.values[3] = secret  # type: ignore[attr-defined]
    assert values_found(np.array([secret]), synthesizer) == [secret]


def test_nothing_is_told_of_rows() -> None:
    frame = table()
    portable = make_portable(fitted_by("cart", ignore=np.arange(len(frame)) < 20))
    plan = portable.plan
    assert plan.where.all()
    assert not plan.missing.any()
    assert not plan.ignore.any()
    assert np.isnan(portable.matrix).all()
    assert plan.k == plan.n_rows == len(frame)
    assert (plan.events, portable.events) == ((), ())


# --- it draws alike ------------------------------------------------------------------------------


def test_boys_keep_their_margins_and_correlations() -> None:
    boys = load_boys_completed()
    synthesizer = fitted(boys)
    portable = make_portable(synthesizer)
    schema, n_sets = infer_schema(boys), 30
    numbers = [schema.position(name) for name in ("age", "hgt", "wgt", "hc", "tv")]
    with_donors, without = (
        np.array([s.draw(seed=1, set_number=i) for i in range(n_sets)])
        for s in (synthesizer, portable)
    )

    def correlations(sets: np.ndarray) -> np.ndarray:
        return np.mean([np.corrcoef(one[:, numbers].T) for one in sets], axis=0)

    assert np.abs(correlations(without) - correlations(with_donors)).max() < 0.03
    real = encode(boys, schema)
    for name in schema.names:
        j = schema.position(name)
        drawn, expected = without[:, :, j], real[:, j]
        if schema[name].is_categorical:
            shares = [np.mean(drawn == code) for code in range(len(schema[name].categories))]
            wanted = np.bincount(expected.astype(int)) / len(expected)
            np.testing.assert_allclose(shares, wanted, atol=0.02)
        else:
            # Each set has its own age structure, so the sets are what is independent.
            error = drawn.mean(axis=1).std() / np.sqrt(n_sets)
            assert drawn.mean() == pytest.approx(expected.mean(), abs=4 * error)
            assert drawn.std() == pytest.approx(expected.std(), rel=0.03)


def test_a_conditional_share_survives() -> None:
    """P(smoker | young) = 0.14 / 0.38, from a table with these cells."""
    counts = {("young", "yes"): 140, ("young", "no"): 240, ("old", "yes"): 100, ("old", "no"): 520}
    rows = [cell for cell, n in counts.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["age", "smoker"]).astype("category")
    portable = make_portable(fitted(frame, k=100_000))
    drawn = portable.draw(seed=1, set_number=1)
    young = drawn[:, 0] == list(portable.plan.schema["age"].categories).index("young")
    yes = drawn[:, 1] == list(portable.plan.schema["smoker"].categories).index("yes")
    # Standard errors 0.0015 and 0.0025.
    assert young.mean() == pytest.approx(0.38, abs=0.006)
    assert yes[young].mean() == pytest.approx(0.14 / 0.38, abs=0.01)


@pytest.mark.parametrize("name", EVERY_METHOD)
def test_every_method_draws_values_of_its_kind(name: str) -> None:
    portable = make_portable(fitted_by(name, k=3000))
    drawn, real = portable.draw(seed=1, set_number=1), fitted_by(name).plan.schema
    assert drawn.shape == (3000, len(real))
    assert np.isfinite(drawn).all()
    frame = table()
    assert np.mean(drawn[:, 2] == 0) == pytest.approx((frame["income"] == 0).mean(), abs=0.08)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(
        frame["x"].corr(frame["y"]), abs=0.1
    )


def test_strata_keep_their_models_and_roughly_their_shares() -> None:
    frame = table(400)
    synthesizer = fitted(frame, strata=["g"], k=20_000)
    portable = make_portable(synthesizer)
    assert isinstance(portable, StratifiedSynthesizer)
    assert isinstance(synthesizer, StratifiedSynthesizer)
    np.testing.assert_allclose(portable.strata.shares, synthesizer.strata.shares, atol=1e-3)
    drawn, means = (
        portable.draw(seed=1, set_number=1),
        frame.groupby("g", observed=True)["x"].mean(),
    )
    for code, label in enumerate(portable.plan.schema["g"].categories):
        rows = drawn[:, 3] == code
        assert rows.mean() == pytest.approx((frame["g"] == label).mean(), abs=0.02)
        assert drawn[rows, 0].mean() == pytest.approx(means[label], rel=0.03)


def test_tails_keep_their_support() -> None:
    frame = table()
    portable = make_portable(fitted(frame, tail_support=10, smoothing="spline", k=5000))
    drawn, x = portable.draw(seed=1, set_number=1)[:, 0], np.sort(frame["x"])
    assert drawn.max() == pytest.approx(x[-10:].mean())
    assert np.mean(drawn == drawn.max()) == pytest.approx(0.05, abs=0.012)
    assert drawn.min() == pytest.approx(x[:10].mean())


def test_passive_variables_and_rules_stay() -> None:
    frame = table()[["x", "y", "g"]].assign(double=lambda t: 2 * t["x"])
    portable = make_portable(
        fitted(
            frame,
            method={"x": "cart", "y": "cart", "g": "cart", "double": "~ 2 * x"},
            rules={"g": {"x < 1": "v"}},
        )
    )
    drawn = portable.draw(seed=1, set_number=1, k=1000)  # type: ignore[call-arg]
    np.testing.assert_array_equal(drawn[:, 3], 2 * drawn[:, 0])
    assert (drawn[drawn[:, 0] < 1, 2] == 1).all()


def test_what_is_portable_already_stays() -> None:
    portable = make_portable(fitted_by("mixed"))
    again = make_portable(portable)
    assert to_json(again) == to_json(portable)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["pmm", "midastouch", "rf", "norm.boot"])
def test_methods_that_need_real_rows_are_refused(method: str) -> None:
    frame = table()[["x", "y"]]
    synthesizer = fitted(frame, method={"x": "sample", "y": method})
    with pytest.raises(PlanError, match=rf"'{method}' of 'y' .* use one of sample, cart, "):
        make_portable(synthesizer)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"conditioning": "observed"}, 'set conditioning to "synthetic"'),
        ({"proper": True}, "set proper to false"),
        ({"method": {"x": "sample", "y": ""}}, "keeps real cells, as of 'y'"),
        (
            {"formulas": {"y": "y ~ log(x)"}, "method": {"x": "sample", "y": "norm"}},
            "formulas of 'y'",
        ),
        ({"method_options": {"cart": {"minbucket": 2}}}, "raise its option minbucket to 3"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_needs_real_rows_is_refused(settings: dict[str, Any], message: str) -> None:
    synthesizer = fitted(table()[["x", "y"]], **settings)
    with pytest.raises(PlanError, match=message):
        make_portable(synthesizer)


def test_methods_that_draw_parameters_may_be_proper() -> None:
    frame = table()[["x", "y"]]
    synthesizer = fitted(frame, method={"x": "norm", "y": "norm"}, proper=True)
    with pytest.raises(PlanError, match="'sample' of 'x' is fitted anew"):
        make_portable(synthesizer)


def test_a_model_through_single_values_is_refused() -> None:
    frame = table(4)[["x", "y"]].assign(z=[1.0, 2.5, 4.0, 3.0])
    synthesizer = fitted(frame, method={"x": "sample", "y": "norm", "z": "norm"})
    with pytest.raises(PlanError, match="of 'z' has nearly as many parameters as rows"):
        make_portable(synthesizer)
