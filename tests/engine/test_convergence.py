"""Autocorrelation and R-hat of the chains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from synth_tasks.engine.convergence import convergence_table, lag_one_autocorrelation, split_rhat
from synth_tasks.errors import PlanError
from tests.engine.builders import read_fixture

R = read_fixture("r_convergence.json")
MEANS, VARIANCES = np.array(R["means"]), np.array(R["variances"])


def independent(n_draws: int, n_chains: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_draws, n_chains))


# --- as R does ------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", ["mean", "sd"])
def test_the_table_is_that_of_mice(parameter: str) -> None:
    table = convergence_table(MEANS, VARIANCES, R["names"], parameter)
    r = R[parameter]
    assert list(table.columns) == ["iteration", "variable", "autocorrelation", "rhat"]
    assert table["iteration"].tolist() == r["iteration"]
    assert table["variable"].tolist() == r["variable"]
    np.testing.assert_allclose(
        table["autocorrelation"], np.array(r["autocorrelation"], dtype=float), rtol=1e-10
    )
    settled = table["iteration"] >= 4
    np.testing.assert_allclose(table["rhat"][settled], np.array(r["rhat"])[settled], rtol=1e-10)


def test_halves_of_one_draw_give_no_rhat() -> None:
    table = convergence_table(MEANS, VARIANCES, R["names"])
    assert table.loc[table["iteration"] < 4, "rhat"].isna().all()


def test_rhat_is_that_of_rstan_where_the_tails_decide_and_the_draws_are_odd() -> None:
    assert split_rhat(np.array(R["wide"])) == pytest.approx(R["wide_rhat"], rel=1e-12)


# --- R-hat ----------------------------------------------------------------------------------------


def test_rhat_by_hand() -> None:
    """Two chains of four draws whose halves hold the ranks 1-4, 2-6, 3-7 and 5-8."""
    chains = np.array([[1.0, 2.0], [4.0, 6.0], [3.0, 5.0], [7.0, 8.0]])
    z = norm.ppf((np.arange(1, 9) - 0.5) / 8)
    halves = np.array([[z[0], z[3]], [z[1], z[5]], [z[2], z[6]], [z[4], z[7]]])
    within = np.mean((halves[:, 1] - halves[:, 0]) ** 2 / 2)
    between = 2 * np.var(halves.mean(axis=1), ddof=1)
    bulk = np.sqrt((within / 2 + between / 2) / within)
    assert split_rhat(chains) == pytest.approx(bulk, rel=1e-12)


def test_rhat_of_independent_chains_is_near_one() -> None:
    assert split_rhat(independent(1000, 4)) == pytest.approx(1.0, abs=0.005)


def test_rhat_sees_a_chain_that_lies_elsewhere() -> None:
    apart = independent(100, 4) + np.array([0.0, 0.0, 0.0, 3.0])
    assert split_rhat(apart) > 1.4


def test_rhat_sees_a_trend_that_all_chains_share() -> None:
    trend = independent(100, 4) + np.linspace(0.0, 4.0, 100)[:, None]
    assert split_rhat(trend) > 1.2


def test_rhat_sees_a_chain_of_another_width() -> None:
    assert split_rhat(independent(200, 4) * np.array([1.0, 1.0, 1.0, 6.0])) > 1.2


def test_rhat_depends_on_ranks_only_in_the_bulk() -> None:
    apart = independent(100, 4) + np.array([0.0, 0.0, 0.0, 3.0])
    assert split_rhat(np.exp(apart)) == pytest.approx(split_rhat(apart), rel=1e-12)


def test_rhat_does_not_depend_on_rounding_errors() -> None:
    """Of 40 values two are equally far from the median, which rounding would put in any order."""
    chains = np.round(independent(10, 4), 3)
    exact = split_rhat(chains * 1000)
    for shift in (0.1, 26.3, 1e3 / 3):
        assert split_rhat(chains + shift) == pytest.approx(exact, rel=1e-12)
    noise = 1e-14 * independent(10, 4, seed=2)
    assert np.isnan(split_rhat(26.3 + noise))
    assert np.isnan(lag_one_autocorrelation(26.3 + noise))


def test_chains_standing_still_apart_have_an_infinite_rhat() -> None:
    assert split_rhat(np.tile([1.0, 2.0, 3.0], (10, 1))) == np.inf


def test_two_values_are_judged_by_the_bulk() -> None:
    """Their distances from the median are all equal, so that there are no tails."""
    switching = np.tile([[0.0, 1.0], [1.0, 0.0]], (4, 1))
    # Halves of four draws with equal means: no variance between them.
    assert split_rhat(switching) == pytest.approx(np.sqrt(3 / 4), rel=1e-12)


@pytest.mark.parametrize(
    "chains",
    [
        np.ones((10, 4)),
        independent(3, 4),
        independent(10, 1),
        np.where(np.arange(40).reshape(10, 4) == 7, np.nan, independent(10, 4)),
    ],
    ids=["all values equal", "three draws", "one chain", "a missing value"],
)
def test_rhat_is_missing_where_nothing_can_be_said(chains: np.ndarray) -> None:
    assert np.isnan(split_rhat(chains))


# --- autocorrelation ------------------------------------------------------------------------------


def test_autocorrelation_is_the_mean_correlation_across_chains() -> None:
    chains = independent(6, 5)
    by_draw = [np.corrcoef(chains[t - 1], chains[t])[0, 1] for t in range(1, 6)]
    assert lag_one_autocorrelation(chains) == pytest.approx(np.mean(by_draw), rel=1e-12)


def test_autocorrelation_estimates_that_of_the_process() -> None:
    """A first-order autoregression of 0.7.

    Each of the 500 correlations of 50 pairs has a standard error of 0.51 / 7 ≈ 0.07, their mean one
    of less than 0.01 although neighbours are dependent.
    """
    rng = np.random.default_rng(1)
    chains = rng.standard_normal((501, 50))
    for t in range(1, 501):
        chains[t] = 0.7 * chains[t - 1] + np.sqrt(0.51) * chains[t]
    assert lag_one_autocorrelation(chains) == pytest.approx(0.7, abs=0.03)
    assert lag_one_autocorrelation(independent(501, 50)) == pytest.approx(0.0, abs=0.03)


def test_draws_where_all_chains_agree_are_left_out() -> None:
    chains = independent(6, 5)
    chains[3] = 26.0
    by_draw = [np.corrcoef(chains[t - 1], chains[t])[0, 1] for t in (1, 2, 5)]
    assert lag_one_autocorrelation(chains) == pytest.approx(np.mean(by_draw), rel=1e-12)


@pytest.mark.parametrize(
    "chains",
    [
        np.full((10, 4), 0.1),
        independent(1, 4),
        independent(10, 1),
        np.where(np.arange(40).reshape(10, 4) == 7, np.nan, independent(10, 4)),
    ],
    ids=["all values equal", "one draw", "one chain", "a missing value"],
)
def test_autocorrelation_is_missing_where_nothing_can_be_said(chains: np.ndarray) -> None:
    assert np.isnan(lag_one_autocorrelation(chains))


# --- the table ------------------------------------------------------------------------------------


def test_one_chain_or_no_sweeps_give_a_table_without_figures() -> None:
    alone = convergence_table(MEANS[:, :, :1], VARIANCES[:, :, :1], R["names"])
    assert len(alone) == 30
    assert alone[["autocorrelation", "rhat"]].isna().all(axis=None)
    assert convergence_table(MEANS[:0], VARIANCES[:0], R["names"]).empty


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(PlanError, match="unknown parameter 'median'; use mean or sd"):
        convergence_table(MEANS, VARIANCES, R["names"], "median")
