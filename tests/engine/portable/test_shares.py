"""Category shares: what is kept of donors that are categories."""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.portable.shares import Shares, shrink


def test_half_a_row_is_added_like_the_larger_group() -> None:
    shares = shrink(np.array([[4, 0], [1, 1]]), np.array([0.2, 0.8]))
    np.testing.assert_allclose(shares, [[4.1 / 4.5, 0.4 / 4.5], [1.1 / 2.5, 1.4 / 2.5]])


def test_a_margin_keeps_rare_categories_and_adds_none() -> None:
    codes = np.repeat([0.0, 2.0], [99_999, 1])
    np.testing.assert_array_equal(Shares.margin(codes, 4).shares, [[1, 0, 0.0001, 0]])


def test_draws_follow_the_shares_of_their_group() -> None:
    shares = Shares(np.array([[0.0, 1.0, 0.0], [0.25, 0.25, 0.5]]))
    drawn = shares.draw(np.repeat([0, 1], [100, 20_000]), np.random.default_rng(1))
    assert (drawn[:100] == 1).all()
    found = np.bincount(drawn[100:].astype(int)) / 20_000
    # Standard error at most 0.0035.
    np.testing.assert_allclose(found, [0.25, 0.25, 0.5], atol=0.012)
