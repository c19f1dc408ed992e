"""Normal regression of ranks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tests.engine.builders import fit


def test_a_skewed_margin_is_kept() -> None:
    rng = np.random.default_rng(1)
    y = rng.exponential(size=3000)
    drawn = fit("normrank", y, np.empty((3000, 0))).draw(np.empty((3000, 0)), rng)
    assert set(drawn) <= set(y)
    assert stats.ks_2samp(y, drawn).pvalue > 0.01


def test_the_correlation_of_normal_scores_is_kept() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5000, 1))
    y = np.exp(0.8 * x[:, 0] + 0.6 * rng.standard_normal(5000))
    drawn = fit("normrank", y, x).draw(x, rng)
    assert np.corrcoef(x[:, 0], np.log(drawn))[0, 1] == pytest.approx(0.8, abs=0.02)


def test_a_constant_stays_constant() -> None:
    drawn = fit("normrank", np.full(6, 2.5), np.arange(6.0)[:, None]).draw(
        np.arange(4.0)[:, None], np.random.default_rng(0)
    )
    assert (drawn == 2.5).all()
