"""A small population and its study."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synth_tasks.data import encode, infer_schema
from synth_tasks.release.spec import ReleaseSpec, build_spec
from synth_tasks.study import Population, make_population

ANALYSIS = [
    {"model": "ols", "formula": "y ~ x"},
    {"model": "mean", "variables": ["y", "group"]},
    {"model": "correlation", "variables": ["x", "y"]},
]


def people(n: int = 120, seed: int = 1) -> pd.DataFrame:
    """Return two related numbers and a category of three levels."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n).round(2)
    return pd.DataFrame(
        {
            "x": x,
            "y": (0.8 * x + 0.6 * rng.normal(size=n)).round(2),
            "group": pd.Categorical(rng.choice(["a", "b", "c"], size=n)),
        }
    )


def study_spec(**sections: object) -> ReleaseSpec:
    """Return a specification whose population the caller provides."""
    content = {
        "dataset": {"name": "people", "source": {"csv": "people.csv"}, "public": True},
        "synthesis": {"m": 3, "options": {"cart": {"minbucket": 3}}, "tail_support": 1},
        "analysis": ANALYSIS,
        "publish": {"seed": 1},
    }
    return build_spec({**content, **sections}, base=".")


def population(frame: pd.DataFrame | None = None, **sections: object) -> Population:
    """Make a population of `people`."""
    frame = people() if frame is None else frame
    schema = infer_schema(frame)
    return make_population(study_spec(**sections), schema, encode(frame, schema))
