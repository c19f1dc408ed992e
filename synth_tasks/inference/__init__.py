"""Analysis models and the pooling of their estimates: data frames in, tables out."""

from synth_tasks.inference.choice import choose_rule
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.joint import JointTest, pool_statistics, wald_test
from synth_tasks.inference.models import MODELS, check_analysis, fit_model
from synth_tasks.inference.pooling import PooledEstimates, pool, summarize

__all__ = [
    "MODELS",
    "JointTest",
    "ModelFit",
    "PooledEstimates",
    "check_analysis",
    "choose_rule",
    "fit_model",
    "pool",
    "pool_statistics",
    "summarize",
    "wald_test",
]
