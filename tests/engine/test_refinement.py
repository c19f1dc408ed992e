"""Smoothing and supported tails of values drawn from donors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.refinement import Refined, is_refined, refine
from synth_tasks.engine.tails import TailSupport
from synth_tasks.errors import PlanError
from tests.engine.builders import correlation, plan

N = 500
RNG = np.random.default_rng(0)
X = RNG.standard_normal(N)
FRAME = pd.DataFrame(
    {
        "g": RNG.choice(["u", "v"], N),
        "x": X,
        "y": np.exp(0.5 * X + 0.5 * RNG.standard_normal(N)),
    }
)
KINDS = ["density", "spline"]


@dataclass(frozen=True)
class Fixed:
    values: np.ndarray

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.values


def width(values: pd.Series) -> float:
    return float(values.quantile(0.75) - values.quantile(0.25))


def refusal(**settings: Any) -> str:
    with pytest.raises(PlanError) as caught:
        plan(FRAME, where="all", **settings)
    return str(caught.value)


# --- which variables ------------------------------------------------------------------------------


def test_numbers_of_donor_methods_are_refined() -> None:
    p = plan(FRAME, where="all", method={"g": "cart", "x": "norm", "y": "cart"})
    assert [is_refined(p, name) for name in ("g", "x", "y")] == [False, False, True]


def test_nothing_asked_for_leaves_the_method_alone() -> None:
    model = Fixed(X)
    p = plan(FRAME, where="all", method="cart")
    assert refine(p, "y", model, X) is model
    asked = plan(FRAME, where="all", method="cart", smoothing="density", tail_support=5)
    assert refine(asked, "g", model, X) is model
    refined = refine(asked, "y", model, X)
    assert isinstance(refined, Refined)
    assert refined.smoother is not None
    assert refined.tails is not None


def test_tails_come_after_smoothing() -> None:
    p = plan(FRAME, where="all", method="cart", smoothing="density", tail_support=20)
    tails = TailSupport.learn(X, 20)
    drawn = refine(p, "y", Fixed(X), X).draw(np.zeros((N, 0)), np.random.default_rng(0))
    assert drawn.min() == tails.lower_value
    assert drawn.max() == tails.upper_value


@pytest.mark.parametrize("smoothing", [{"y": "density"}, {"y": "spline", "x": "density"}])
def test_smoothing_of_a_method_without_donors_is_refused(smoothing: dict[str, str]) -> None:
    message = refusal(method={"x": "cart", "y": "norm"}, smoothing=smoothing)
    assert message == (
        "smoothing: method 'norm' of 'y' draws no values of donors: leave the variable out"
    )


def test_one_word_for_all_passes_by_methods_without_donors() -> None:
    made = synthesize(FRAME, m=1, method={"y": "norm"}, smoothing="density", seed=1)
    assert made.complete(1).notna().all(axis=None)


def test_what_cannot_be_smoothed_is_refused() -> None:
    assert refusal(smoothing="box") == "smoothing: unknown kind 'box'; use density, spline"
    assert refusal(smoothing={"g": "density"}) == "smoothing: 'g' is no number: leave it out"
    assert "smoothing: unknown column 'z'" in refusal(smoothing={"z": "density"})
    for number in (0, 1.5, True, "3"):
        assert refusal(tail_support=number).startswith("tail_support must be a whole number")


# --- in a synthesis -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("proper", [False, True])
def test_own_values_vanish_and_margins_stay(kind: str, proper: bool) -> None:
    made = synthesize(FRAME, m=4, smoothing=kind, proper=proper, seed=1)
    plain = synthesize(FRAME, m=4, proper=proper, seed=1).complete("stacked")
    smooth = made.complete("stacked")
    for name in ("x", "y"):
        assert np.isin(plain[name], FRAME[name]).all()
        inside = smooth[name][smooth[name].between(FRAME[name].min(), FRAME[name].max(), "neither")]
        assert not np.isin(inside, FRAME[name]).any()
        assert len(inside) > 0.99 * len(smooth)
        # Four sets of 500: the standard error of a mean is 2.2 % of the standard deviation.
        spread = FRAME[name].std()
        assert smooth[name].mean() == pytest.approx(plain[name].mean(), abs=0.1 * spread)
        # Not the standard deviation: in y it hangs on how often one person is drawn.
        assert width(smooth[name]) == pytest.approx(width(plain[name]), rel=0.1)
    assert correlation(smooth[["x", "y"]]) == pytest.approx(
        correlation(plain[["x", "y"]]), abs=0.06
    )


@pytest.mark.parametrize("k", [2, 10])
@pytest.mark.parametrize("proper", [False, True])
def test_no_extreme_of_fewer_people_is_released(k: int, proper: bool) -> None:
    # A person who is drawn twice for a bootstrap sample is still one person.
    made = synthesize(FRAME, m=10, tail_support=k, proper=proper, seed=1).complete("stacked")
    for name in ("x", "y"):
        assert not np.isin(FRAME[name].nlargest(k), made[name]).any()
        assert not np.isin(FRAME[name].nsmallest(k), made[name]).any()


def test_tails_are_replaced_by_their_mean() -> None:
    k = 10
    made = synthesize(FRAME, m=5, tail_support=k, seed=1).complete("stacked")
    for name in ("x", "y"):
        tops = FRAME[name].nlargest(k)
        assert made[name].max() <= tops.mean() + 1e-12
        assert made[name].min() == pytest.approx(FRAME[name].nsmallest(k).mean())


def test_spikes_and_missing_values_pass_through() -> None:
    frame = FRAME.assign(y=FRAME["y"].mask(X > 1).where(X < 0.5, 0.0))
    frame.loc[:50, "y"] = np.nan
    schema = infer_schema(frame, {"y": VariableOverride(spikes=(0.0,), keep_missing=True)})
    for kind in KINDS:
        made = synthesize(
            frame, m=2, smoothing=kind, tail_support=5, schema=schema, seed=1
        ).complete("stacked")
        assert (made["y"] == 0).mean() == pytest.approx((frame["y"] == 0).mean(), abs=0.08)
        assert made["y"].isna().mean() == pytest.approx(frame["y"].isna().mean(), abs=0.06)
        ordinary = made["y"][made["y"].notna() & (made["y"] != 0)]
        # The supported minimum is a mean of five values; no real value is left.
        assert not np.isin(ordinary, frame["y"]).any()


def test_whole_numbers_stay_whole() -> None:
    frame = FRAME.assign(y=RNG.integers(0, 1000, N))
    made = synthesize(frame, m=1, smoothing="spline", tail_support=3, seed=1).complete(1)
    assert made["y"].dtype == frame["y"].dtype
    assert made["y"].between(0, 999).all()


def test_post_processing_sees_refined_values() -> None:
    made = synthesize(
        FRAME, m=1, smoothing="density", post={"x": "clip(x, -0.5, 0.5)"}, seed=1
    ).complete(1)
    assert made["x"].between(-0.5, 0.5).all()


def test_rules_count_more_than_smoothing() -> None:
    made = synthesize(
        FRAME, m=1, smoothing="density", rules={"x": {"g == 'u'": 7.0}}, seed=1
    ).complete(1)
    np.testing.assert_array_equal(made["x"] == 7, made["g"] == "u")


@pytest.mark.parametrize("n_rows", [1, 2, 3, 12])
@pytest.mark.parametrize("kind", KINDS)
def test_few_rows_do_no_harm(n_rows: int, kind: str) -> None:
    made = synthesize(FRAME[:n_rows], m=1, smoothing=kind, tail_support=5, seed=1).complete(1)
    assert made.notna().all(axis=None)


def test_imputed_values_are_those_of_donors() -> None:
    holes = FRAME.copy()
    holes.loc[:100, "y"] = np.nan
    try:
        imputed = mice(holes, m=1, maxit=1, smoothing="density", seed=1).complete(1)
    except PlanError:
        return
    assert np.isin(imputed["y"], FRAME["y"]).all()
