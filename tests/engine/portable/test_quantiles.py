"""Smoothed quantile functions: what is kept of donors that are numbers."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.engine.portable.quantiles import PIECES_A_MARGIN, Quantiles

GRID = (np.arange(200_000) + 0.5) / 200_000


def learn(*groups: object, n_pieces: int = 20, spread: float = 1.0) -> Quantiles:
    arrays = [np.asarray(group, dtype=float) for group in groups]
    return Quantiles.learn(arrays, np.full(len(arrays), spread), n_pieces)


def at(quantiles: Quantiles, ranks: object, group: int = 0) -> np.ndarray:
    ranks = np.asarray(ranks, dtype=float)
    return quantiles.at(np.full(len(ranks), group), ranks)


def test_pieces_by_hand() -> None:
    """Six donors make two pieces with means 2 and 8, whose common end is 5.

    The variance is 10.67, of which 9 lies between the means; a piece that reaches L beyond its mean
    adds L R / 3 = L. Hence L = 1.67, or 1.68 as the multiple 0.556 of R is rounded; but positive values
    reach no further down than half the first mean.
    """
    quantiles = learn([1, 2, 3, 6, 8, 10])
    np.testing.assert_allclose(quantiles.values, [1, 2, 5, 8, 9.68], atol=0.01)
    # The share R / (L + R) of a piece lies below its mean.
    np.testing.assert_allclose(
        quantiles.ranks, [0, 0.375, 0.5, 0.5 + 0.5 * 1.68 / 4.68, 1], atol=1e-3
    )


@pytest.mark.parametrize("n_pieces", [20, PIECES_A_MARGIN])
@pytest.mark.parametrize("n", [3, 6, 7, 20, 100, 5000])
def test_the_mean_stays(n: int, n_pieces: int) -> None:
    values = np.random.default_rng(n).gamma(0.7, size=n)
    quantiles = learn(values, n_pieces=n_pieces, spread=float(values.std()))
    # Means are rounded to four digits of the spread.
    assert at(quantiles, GRID).mean() == pytest.approx(values.mean(), abs=1e-3 * values.std())


def test_the_variance_within_groups_stays() -> None:
    rng = np.random.default_rng(1)
    groups = [rng.normal(10 * i, 1, size=rng.integers(6, 15)) for i in range(200)]
    quantiles = learn(*groups)
    drawn = np.mean([at(quantiles, GRID[::200], i).var() for i in range(200)])
    assert drawn == pytest.approx(np.mean([group.var() for group in groups]), rel=0.02)


def test_a_large_margin_is_followed_into_its_tails() -> None:
    values = np.random.default_rng(2).lognormal(size=100_000)
    quantiles = learn(values, n_pieces=PIECES_A_MARGIN)
    assert len(quantiles.ranks) < 3 * 300
    for p, tolerance in ((0.001, 0.01), (0.5, 0.002), (0.99, 0.005), (0.9999, 0.03)):
        assert at(quantiles, [p])[0] == pytest.approx(np.quantile(values, p), rel=tolerance)


def test_a_value_that_three_share_stays_and_so_does_its_share() -> None:
    drawn = at(learn([0.0] * 50 + list(np.linspace(1, 2, 50))), GRID)
    assert np.mean(drawn == 0) == pytest.approx(0.5, abs=1e-4)
    counts = learn([1] * 5 + [2] * 10 + [7] * 5)
    assert np.unique(at(counts, GRID)).tolist() == [1, 2, 7]


def test_two_share_too_little() -> None:
    drawn = at(learn([0, 0, 5, 9, 12, 20]), GRID)
    assert np.mean(drawn == 0) < 1e-3


def test_a_single_value_beside_a_shared_one_gives_way_to_it() -> None:
    """A mean of it and of the shared value would give it away."""
    drawn = at(learn([0.0] * 20 + [1234.567]), GRID)
    assert np.unique(drawn).tolist() == [0]


def test_no_end_is_the_value_of_a_single_person() -> None:
    values = np.random.default_rng(3).standard_normal(60)
    quantiles = learn(values)
    assert not np.isin(values, quantiles.values).any()
    assert not np.isin(at(quantiles, [0, 1]), values).any()


@pytest.mark.parametrize("sign", [-1, 1])
def test_values_of_one_sign_keep_it(sign: int) -> None:
    values = sign * np.random.default_rng(4).pareto(0.5, size=300)
    drawn = at(learn(values, values[:4], n_pieces=PIECES_A_MARGIN, spread=1000.0), GRID)
    assert (sign * drawn > 0).all()
    assert (sign * at(learn(values, values[:4], spread=1000.0), GRID, group=1) > 0).all()


def test_a_group_of_one_piece_borrows_its_spread() -> None:
    drawn = at(learn([1, 2, 4], np.linspace(-50, 50, 40), spread=3.0), GRID)
    assert drawn.mean() == pytest.approx(7 / 3, abs=0.01)
    assert drawn.std() == pytest.approx(3.0, abs=0.01)


def test_groups_do_not_mix() -> None:
    quantiles = learn(np.linspace(0, 1, 9), np.linspace(100, 101, 9), np.linspace(0, 1, 9))
    drawn = quantiles.draw(np.repeat([0, 1, 2], 1000), np.random.default_rng(5)).reshape(3, 1000)
    assert (drawn[[0, 2]] < 2).all()
    assert (drawn[1] > 99).all()
    np.testing.assert_array_equal(at(quantiles, [0, 0.3, 1], 0), at(quantiles, [0, 0.3, 1], 2))


def test_knots_are_rounded_to_the_spread() -> None:
    values = np.random.default_rng(6).normal(1e15, 1e12, size=50)
    knots = learn(values).values
    # Four digits of about 9e11 for means, one more for the ends between them.
    np.testing.assert_array_equal(knots % 1e7, 0)
