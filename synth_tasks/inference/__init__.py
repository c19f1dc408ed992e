"""Analysis models and the pooling of their estimates: data frames in, tables out."""

from synth_tasks.inference.models import MODELS, ModelFit, check_analysis, fit_model
from synth_tasks.inference.pooling import PooledEstimates, pool, summarize

__all__ = [
    "MODELS",
    "ModelFit",
    "PooledEstimates",
    "check_analysis",
    "fit_model",
    "pool",
    "summarize",
]
