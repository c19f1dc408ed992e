"""Values that were imputed count for nobody where it is asked how many share a value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.engine import fit_synthesizer
from synth_tasks.engine.planning import plan_and_fill


@pytest.mark.parametrize("smoothing", [None, "spline", "density"])
@pytest.mark.parametrize("proper", [False, True])
def test_copies_of_the_smallest_value_do_not_publish_it(
    smoothing: str | None, proper: bool
) -> None:
    """Imputation by donors has given the lowest weight to five persons more."""
    rng = np.random.default_rng(1)
    observed = 20_000.012 + np.sort(rng.uniform(0, 9000, 150)).round(3)
    observed[0] = lowest = 20_000.012
    weight = np.concatenate([observed, np.repeat(lowest, 5)])
    frame = pd.DataFrame({"x": rng.normal(size=155).round(2), "weight": weight})
    schema = infer_schema(frame)
    matrix, imputed = encode(frame, schema), np.zeros((155, 2), dtype=bool)
    imputed[150:, 1] = True
    settings = {"where": "all", "maxit": 1, "m": 1, "method": {"x": "cart", "weight": "cart"}}
    plan, _ = plan_and_fill(
        matrix, schema, **settings, smoothing=smoothing, tail_support=3, proper=proper
    )
    fitted = fit_synthesizer(plan, matrix, imputed=imputed)
    drawn = np.concatenate([fitted.draw(seed, 1)[:, 1] for seed in range(20)])
    assert not np.isclose(drawn, lowest, rtol=0, atol=0.0005).any()
    without = fit_synthesizer(plan, matrix)
    # Noise seldom hits the value; without it the copies would keep it.
    hits = smoothing == "density" or proper
    assert hits or np.isclose(without.draw(1, 1)[:, 1], lowest, rtol=0, atol=0.0005).any()
