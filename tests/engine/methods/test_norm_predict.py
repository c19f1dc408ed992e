"""Predictions of a linear regression."""

from __future__ import annotations

import numpy as np

from tests.engine.builders import fit


def test_predictions_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    x, new = rng.standard_normal((50, 2)), rng.standard_normal((5, 2))
    y = 1 + x @ [2.0, -1.0] + rng.standard_normal(50)
    design = np.column_stack([np.ones(50), x])
    beta = np.linalg.lstsq(design, y, rcond=None)[0]
    drawn = fit("norm.predict", y, x).draw(new, rng)
    np.testing.assert_allclose(drawn, np.column_stack([np.ones(5), new]) @ beta, atol=1e-3)
