"""What the tests of portable synthesizers build again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.engine import AnySynthesizer, fit_synthesizer
from synth_tasks.engine.planning import plan_and_fill


def table(n_rows: int = 200) -> pd.DataFrame:
    """Return numbers, one with a spike, and categories; all related."""
    rng = np.random.default_rng(1)
    x = rng.gamma(2.0, size=n_rows)
    noise = rng.standard_normal((3, n_rows))
    return pd.DataFrame(
        {
            "x": x,
            "y": x + noise[0],
            "income": np.where(x < 1, 0.0, np.exp(x + noise[1])),
            "g": pd.Categorical(np.where(x + noise[2] > 2, "u", "v")),
            "h": pd.Categorical(np.array(list("abcd"))[np.clip(x, 0, 3).astype(int)]),
            "o": pd.Categorical(np.array(list("klm"))[np.clip(x, 0, 2).astype(int)], ordered=True),
        }
    )


def fitted(
    frame: pd.DataFrame, overrides: dict[str, VariableOverride] | None = None, **settings: Any
) -> AnySynthesizer:
    """Fit a synthesizer that replaces all cells, by cart unless told otherwise."""
    schema = infer_schema(frame, overrides or {})
    matrix = encode(frame, schema)
    settings = {"where": "all", "method": "cart", "m": 1, "maxit": 1} | settings
    return fit_synthesizer(*plan_and_fill(matrix, schema, **settings))


SPIKE = {"income": VariableOverride(spikes=(0.0,))}
EVERY_METHOD = {
    "cart": "cart",
    "parametric": {
        "x": "sample", "y": "norm", "income": "lognorm", "g": "logreg", "h": "polyreg", "o": "polr",
    },
    "mixed": {
        "x": "sample", "y": "normrank", "income": "cubertnorm", "g": "cart", "h": "lda", "o": "nested",
    },
    "estimates": {
        "x": "sample", "y": "norm.nob", "income": "norm.predict", "g": "polyreg", "h": "sample",
        "o": "cart",
    },
}  # fmt: skip


def fitted_by(name: str, n_rows: int = 200, **settings: Any) -> AnySynthesizer:
    """Fit one of the sets of methods to `table`."""
    if name == "mixed":
        settings = {"method_options": {"nested": {"within": "h"}}} | settings
    return fitted(table(n_rows), SPIKE, method=EVERY_METHOD[name], **settings)
