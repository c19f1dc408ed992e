"""The mean of the observed values."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine.registry import check_suits
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit


def test_every_row_gets_the_mean() -> None:
    fitted = fit("mean", [1.0, 2.0, 6.0], np.zeros((3, 1)))
    assert fitted.draw(np.zeros((2, 1)), np.random.default_rng(0)).tolist() == [3.0, 3.0]


def test_categories_have_no_mean() -> None:
    with pytest.raises(PlanError, match="'mean' cannot be used for the nominal variable 'y'"):
        check_suits("mean", category(3, Kind.NOMINAL))
