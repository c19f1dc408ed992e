"""The completed boys data and the reference values computed in R."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.datasets import load_boys_completed
from synth_tasks.inference import ModelFit

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def boys() -> pd.DataFrame:
    """The 748 boys as Volker & Vink (2021) completed them."""
    return load_boys_completed()


@pytest.fixture(scope="session")
def r_models() -> dict[str, Any]:
    return json.loads((FIXTURES / "r_models.json").read_text())


@pytest.fixture(scope="session")
def r_pooling() -> list[dict[str, Any]]:
    return json.loads((FIXTURES / "r_pooling.json").read_text())


@pytest.fixture
def make_fit():
    """Build a fit from plain numbers; the terms are a, b, c, ..."""

    def build(estimates, variances, **changes) -> ModelFit:
        settings = {
            "model": "ols",
            "label": "y ~ x",
            "terms": tuple("abcdefghij"[: len(estimates)]),
            "estimates": np.array(estimates, dtype=float),
            "covariance": np.diag(np.array(variances, dtype=float)),
            "df_residual": np.inf,
            "n": 100,
        }
        return ModelFit(**{**settings, **changes})

    return build
