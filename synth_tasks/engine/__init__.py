"""The imputation and synthesis engine: data frames in, data frames out; no Prefect."""

from synth_tasks.engine.ampute import Amputed, ampute
from synth_tasks.engine.imputed import MultiplyImputed, Provenance
from synth_tasks.engine.mice import learn_synthesizer, mice, synthesize
from synth_tasks.engine.plan import ImputationPlan, LoggedEvent
from synth_tasks.engine.planning import make_plan, plan_and_fill
from synth_tasks.engine.portable import load_portable, make_portable, save_portable
from synth_tasks.engine.predictor_choice import block_predictors, quick_predictors
from synth_tasks.engine.setup import (
    make_method,
    make_post,
    make_predictor_matrix,
    make_visit_sequence,
    make_where,
)
from synth_tasks.engine.storage import load_synthesizer, save_synthesizer
from synth_tasks.engine.synthesis import fit_synthesizer
from synth_tasks.engine.synthesizer import AnySynthesizer, StratifiedSynthesizer, Synthesizer

__all__ = [
    "Amputed",
    "AnySynthesizer",
    "ImputationPlan",
    "LoggedEvent",
    "MultiplyImputed",
    "Provenance",
    "StratifiedSynthesizer",
    "Synthesizer",
    "ampute",
    "block_predictors",
    "fit_synthesizer",
    "learn_synthesizer",
    "load_portable",
    "load_synthesizer",
    "make_method",
    "make_plan",
    "make_portable",
    "make_post",
    "make_predictor_matrix",
    "make_visit_sequence",
    "make_where",
    "mice",
    "plan_and_fill",
    "quick_predictors",
    "save_portable",
    "save_synthesizer",
    "synthesize",
]
