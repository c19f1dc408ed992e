"""Smoothing of donor values."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, spearmanr

from synth_tasks.datasets import load_boys_completed
from synth_tasks.engine.bandwidth import sheather_jones
from synth_tasks.engine.smoothing import SplineSmoother, make_smoother

RNG = np.random.default_rng
Kind = Literal["density", "spline"]
KINDS: tuple[Kind, ...] = ("density", "spline")
both = pytest.mark.parametrize("kind", KINDS)

MARGINS = {
    "normal": RNG(1).standard_normal(2_000),
    "lognormal": np.exp(RNG(2).standard_normal(2_000)),
    "uniform": RNG(3).random(2_000),
    "bimodal": np.append(RNG(4).standard_normal(1_000), 8 + RNG(5).standard_normal(1_000)),
    "small": RNG(6).standard_normal(60),
    "hgt": load_boys_completed()["hgt"].to_numpy(dtype=float),
}
margins = pytest.mark.parametrize("name", MARGINS)


def smooth_margin(kind: Kind, y: np.ndarray, times: int = 20) -> np.ndarray:
    """Smooth every value several times, so that only the noise of the smoother remains."""
    return make_smoother(kind, y).smooth(np.repeat(y, times), RNG(7))


# --- the margin -----------------------------------------------------------------------------------


@both
@margins
def test_the_mean_stays(kind: Kind, name: str) -> None:
    # Half of the standard error of the real data: reflection moves it a little if the ends differ.
    y = MARGINS[name]
    assert abs(smooth_margin(kind, y).mean() - y.mean()) < 0.5 * y.std() / np.sqrt(len(y))


@margins
def test_a_spline_keeps_the_variance(name: str) -> None:
    # Half of the standard error that the variance of normal data has.
    y = MARGINS[name]
    error = np.sqrt(2 / len(y))
    assert smooth_margin("spline", y).var() == pytest.approx(y.var(), rel=0.5 * error)


def test_noise_adds_its_variance() -> None:
    y = MARGINS["normal"]
    noise = sheather_jones(y) ** 2
    added = smooth_margin("density", y, times=100).var() - y.var()
    # Cov(y, noise) has the standard error h s / sqrt(N) and counts twice.
    assert abs(added - noise) < 4 * 2 * np.sqrt(noise * y.var() / (100 * len(y)))


@both
@margins
def test_the_distribution_stays(kind: Kind, name: str) -> None:
    # 1.36 / sqrt(n) is what the distribution of n real values is uncertain by.
    y = MARGINS[name]
    ordered, counts = np.unique(y, return_counts=True)
    smoothed = np.sort(smooth_margin(kind, y))
    real = np.cumsum(counts) / len(y)
    at = np.searchsorted(smoothed, ordered, side="right") / len(smoothed)
    before = np.searchsorted(smoothed, ordered, side="left") / len(smoothed)
    distance = max((at - real).max(), (real - counts / len(y) - before).max())
    assert distance < 1.36 / np.sqrt(len(y))


def test_a_spline_draws_uniform_values_from_uniform_ones() -> None:
    y = (np.arange(1_000) + 0.5) / 1_000
    assert kstest(smooth_margin("spline", y), "uniform").pvalue > 0.001


# --- what is released -----------------------------------------------------------------------------


@both
def test_no_real_value_is_released(kind: Kind) -> None:
    y = MARGINS["lognormal"]
    assert np.isin(smooth_margin(kind, y), y).mean() < 1e-3


@both
@pytest.mark.parametrize("n", [3, 4, 10, 200])
def test_nor_the_extremes_of_small_data(kind: Kind, n: int) -> None:
    y = np.sort(np.exp(RNG(8).standard_normal(n)))
    released = make_smoother(kind, y).smooth(np.repeat(y[[0, -1]], 1_000), RNG(9))
    assert np.isin(released, y).mean() < 0.05


@both
@margins
def test_the_range_is_respected(kind: Kind, name: str) -> None:
    y = MARGINS[name]
    smoothed = smooth_margin(kind, y)
    assert y.min() <= smoothed.min()
    assert smoothed.max() <= y.max()


@margins
def test_a_spline_keeps_the_order(name: str) -> None:
    y = MARGINS[name]
    assert spearmanr(y, smooth_margin("spline", y, times=1)).statistic > 0.99
    new = np.linspace(y.min(), y.max(), 500)  # values that are no donor's have one rank
    moved = SplineSmoother.learn(y).smooth(np.setdiff1d(new, y), RNG(10))
    assert (np.diff(moved) >= 0).all()


@both
def test_equal_generators_give_equal_values(kind: Kind) -> None:
    y = MARGINS["normal"]
    smoother = make_smoother(kind, y)
    np.testing.assert_array_equal(smoother.smooth(y, RNG(11)), smoother.smooth(y, RNG(11)))
    assert (smoother.smooth(y, RNG(11)) != smoother.smooth(y, RNG(12))).mean() > 0.99


# --- ties and atoms -------------------------------------------------------------------------------


@both
def test_a_value_of_most_rows_stays(kind: Kind) -> None:
    y = np.append(np.zeros(800), 100 + np.exp(RNG(13).standard_normal(200)))
    smoothed = make_smoother(kind, y).smooth(y, RNG(14))
    assert (smoothed[:800] == 0.0).all()
    assert (smoothed[800:] >= y[800:].min()).all()  # nobody has a value in between
    assert not np.isin(smoothed[800:], y).any()


@both
def test_whole_numbers_shared_by_many_are_found_again_by_rounding(kind: Kind) -> None:
    y = RNG(15).poisson(4, 5_000).astype(float)
    smoothed = make_smoother(kind, y).smooth(y, RNG(16))
    assert (np.rint(smoothed) == y).mean() > 0.9


@pytest.mark.parametrize("n_below", [0, 300, 301, 302, 303, 304, 305, 306])
@pytest.mark.parametrize("n_tied", [7, 400])
def test_a_spline_leaves_a_tie_by_half_a_rank_at_most(n_below: int, n_tied: int) -> None:
    others = np.append(RNG(17).random(n_below), 10 + RNG(17).random(600 - n_below))
    smoother = SplineSmoother.learn(np.append(np.full(n_tied, 5.0), others))
    expected = (0.5 if n_below == 0 else 1.0) / n_tied
    share = (smoother.smooth(np.full(20_000, 5.0), RNG(18)) != 5.0).mean()
    assert abs(share - expected) < 4.5 * np.sqrt(expected / 20_000)


@both
@pytest.mark.parametrize("y", [[2.0], [2.0, 2.0], [1.0, 2.0], [1.0, 1.0, 2.0], [1.0] * 9 + [2.0]])
def test_one_or_two_distinct_values_stay(kind: Kind, y: list[float]) -> None:
    values = np.array(y)
    np.testing.assert_array_equal(make_smoother(kind, values).smooth(values, RNG(19)), values)


@both
def test_three_values_are_smoothed(kind: Kind) -> None:
    y = np.array([1.0, 2.0, 4.0])
    assert not np.isin(make_smoother(kind, y).smooth(y, RNG(20)), y).all()


@both
@given(
    y=st.lists(
        st.integers(-3, 3).map(float) | st.floats(-60_000, 60_000, width=16),
        min_size=1,
        max_size=40,
    ),
    unit=st.sampled_from([1e-50, 0.1, 1.0, 1e50]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_values_stay_finite_and_in_range(
    kind: Kind, y: list[float], unit: float, seed: int
) -> None:
    values = unit * np.array(y)
    smoothed = make_smoother(kind, values).smooth(np.repeat(values, 3), RNG(seed))
    assert np.isfinite(smoothed).all()
    assert values.min() <= smoothed.min() <= smoothed.max() <= values.max()


def test_the_knots_of_a_spline_are_few_but_dense_in_the_tails() -> None:
    y = np.exp(RNG(21).standard_normal(200_000))
    smoother = SplineSmoother.learn(y)
    assert len(smoother.quantile.x) < 500
    assert smoother.quantile.x[:8].tolist() == [0, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    probabilities = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(
        smoother.quantile(probabilities * len(y)), np.quantile(y, probabilities), rtol=0.01
    )
