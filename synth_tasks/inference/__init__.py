"""Analysis models and the pooling of their estimates: data frames in, tables out."""

from synth_tasks.inference.choice import choose_rule
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.independence import chi_squared_test
from synth_tasks.inference.inflation import JointTest
from synth_tasks.inference.joint import pool_statistics, wald_test
from synth_tasks.inference.likelihood_ratio import likelihood_ratio_test
from synth_tasks.inference.models import MODELS, check_analysis, check_request, fit_model
from synth_tasks.inference.pooled import PooledEstimates, summarize
from synth_tasks.inference.pooling import Unconverged, pool
from synth_tasks.inference.robust import Covariance
from synth_tasks.inference.rules import RULES

__all__ = [
    "MODELS",
    "RULES",
    "Covariance",
    "JointTest",
    "ModelFit",
    "PooledEstimates",
    "Unconverged",
    "check_analysis",
    "check_request",
    "chi_squared_test",
    "choose_rule",
    "fit_model",
    "likelihood_ratio_test",
    "pool",
    "pool_statistics",
    "summarize",
    "wald_test",
]
