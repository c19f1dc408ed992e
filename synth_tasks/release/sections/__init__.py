"""The sections of a specification, one model each; `synth_tasks.release.spec` puts them together."""

from synth_tasks.release.sections.base import SpecModel
from synth_tasks.release.sections.checks import (
    AnalysisSpec,
    DisclosureSpec,
    PolicySpec,
    PoolingSpec,
)
from synth_tasks.release.sections.data import SOURCES, DatasetSpec, SourceSpec, VariableSpec
from synth_tasks.release.sections.models import (
    ImputationSpec,
    ModelsSpec,
    PredictorBlocks,
    QuickPredictors,
    SynthesisSpec,
)
from synth_tasks.release.sections.running import (
    FrontierSpec,
    PartitionSpec,
    PublishSpec,
    RunSpec,
    StudySpec,
)

__all__ = [
    "SOURCES",
    "AnalysisSpec",
    "DatasetSpec",
    "DisclosureSpec",
    "FrontierSpec",
    "ImputationSpec",
    "ModelsSpec",
    "PartitionSpec",
    "PolicySpec",
    "PoolingSpec",
    "PredictorBlocks",
    "PublishSpec",
    "QuickPredictors",
    "RunSpec",
    "SourceSpec",
    "SpecModel",
    "StudySpec",
    "SynthesisSpec",
    "VariableSpec",
]
