"""Multiply imputed synthetic data: impute, synthesise, assess, pool.

The names below are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "synth_tasks.data": ["Kind", "Schema", "Variable", "VariableOverride", "infer_schema"],
    "synth_tasks.engine": [
        "MultiplyImputed",
        "ampute",
        "fit_synthesizer",
        "learn_synthesizer",
        "block_predictors",
        "load_portable",
        "load_synthesizer",
        "make_portable",
        "save_portable",
        "save_synthesizer",
        "make_method",
        "make_post",
        "make_predictor_matrix",
        "make_visit_sequence",
        "make_where",
        "mice",
        "quick_predictors",
        "synthesize",
    ],
    "synth_tasks.inference": [
        "chi_squared_test",
        "choose_rule",
        "fit_model",
        "likelihood_ratio_test",
        "pool",
        "pool_statistics",
        "wald_test",
    ],
    "synth_tasks.datasets": ["load_boys", "load_boys_completed"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'synth_tasks' has no attribute '{name}'")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
