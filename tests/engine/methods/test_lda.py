"""Linear discriminant analysis."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.builders import category, fit

THREE = category(3)


def test_normal_groups_with_one_covariance_have_the_posterior_of_bayes() -> None:
    rng = np.random.default_rng(1)
    y = rng.choice(3, size=6000, p=[0.5, 0.3, 0.2])
    x = (y * 1.5 + rng.standard_normal(6000))[:, None]
    drawn = fit("lda", y, x, target=THREE).draw(np.full((20000, 1), 1.0), rng)
    density = np.array([0.5, 0.3, 0.2]) * np.exp(-0.5 * (1.0 - np.arange(3) * 1.5) ** 2)
    shares = np.bincount(drawn.astype(int), minlength=3) / 20000
    np.testing.assert_allclose(shares, density / density.sum(), atol=0.03)


@pytest.mark.parametrize(
    ("y", "x"),
    [
        (np.array([1.0, 1.0, 1.0]), np.arange(3.0)[:, None]),
        (np.array([0.0, 1.0, 2.0]), np.arange(3.0)[:, None]),
        (np.array([0.0, 1.0, 1.0, 2.0]), np.ones((4, 1))),
    ],
)
def test_where_nothing_tells_categories_apart_the_margin_serves_and_is_logged(y, x) -> None:
    log: list[str] = []
    drawn = fit("lda", y, x, target=THREE, log=log).draw(np.ones((50, 1)), np.random.default_rng(0))
    assert set(drawn) <= set(y)
    assert "lda has nothing to tell categories apart by: drawn from the margin" in log
