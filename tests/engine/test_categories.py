"""Drawing categories from probabilities."""

from __future__ import annotations

import numpy as np

from synth_tasks.engine.categories import OneLevel, draw_categories


def test_shares_follow_the_probabilities_of_each_row() -> None:
    probabilities = np.repeat([[0.2, 0.0, 0.5, 0.3], [1.0, 0.0, 0.0, 0.0]], 20_000, axis=0)
    drawn = draw_categories(probabilities, np.random.default_rng(1)).reshape(2, -1)
    share = np.bincount(drawn[0], minlength=4) / 20_000
    assert np.abs(share - [0.2, 0.0, 0.5, 0.3]).max() < 4.5 * np.sqrt(0.25 / 20_000)
    assert share[1] == 0
    assert (drawn[1] == 0).all()


def test_sums_that_fall_short_of_one_stay_in_the_table() -> None:
    drawn = draw_categories(np.full((50_000, 3), 0.25), np.random.default_rng(2))
    assert np.abs(np.bincount(drawn) / 50_000 - 1 / 3).max() < 0.01


def test_no_row_gives_no_draw() -> None:
    assert draw_categories(np.empty((0, 3)), np.random.default_rng(0)).shape == (0,)


def test_one_level_is_all_there_is() -> None:
    assert OneLevel(2.0).draw(np.zeros((3, 1)), np.random.default_rng(0)).tolist() == [2, 2, 2]
