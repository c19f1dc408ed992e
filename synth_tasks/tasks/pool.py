"""Fitting the analyses to every set and pooling them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import decode
from synth_tasks.ledger import Measurement
from synth_tasks.release.analysis import analyse, analysed_columns
from synth_tasks.release.results import AnalysisResult
from synth_tasks.release.sections import AnalysisSpec
from synth_tasks.release.workspace import RESULT_FILE, DatasetRef
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext


@dataclass(frozen=True)
class AnalysisRef:
    """A reference to an analysis in the workspace; it holds estimates from the real data.

    Parameters
    ----------
    folder : str
        Where it is.
    label : str
        What was fitted.
    """

    folder: str
    label: str


@task(name="pool analysis", task_run_name="pool {analysis.label}", cache_policy=NO_CACHE)
@confidential
def pool_analysis(
    context: RunContext,
    completed: list[DatasetRef],
    synthetic: list[DatasetRef],
    analysis: AnalysisSpec,
) -> AnalysisRef:
    """Fit one analysis to every set, pool, and fit it to the real data for comparison.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : list of DatasetRef
        Real table, once for each imputation.
    synthetic : list of DatasetRef
        All sets.
    analysis : AnalysisSpec
        What to fit.

    Returns
    -------
    AnalysisRef
    """
    return pool_tables(
        context, [[ref] for ref in completed], [[ref] for ref in synthetic], analysis
    )


@task(name="pool analysis", task_run_name="pool {analysis.label}", cache_policy=NO_CACHE)
@confidential
def pool_parts(
    context: RunContext,
    completed: list[list[DatasetRef]],
    synthetic: list[list[DatasetRef]],
    analysis: AnalysisSpec,
) -> AnalysisRef:
    """Fit one analysis to tables in parts; see `pool_tables` and `pool_analysis`."""
    return pool_tables(context, completed, synthetic, analysis)


def pool_tables(
    context: RunContext,
    completed: Sequence[Sequence[DatasetRef]],
    synthetic: Sequence[Sequence[DatasetRef]],
    analysis: AnalysisSpec,
) -> AnalysisRef:
    """Pool an analysis of tables in parts; see `pool_analysis`.

    Parameters
    ----------
    context : RunContext
        The release.
    completed, synthetic : sequence of sequence of DatasetRef
        The parts of each table. Of tables with several parts only the columns of the analysis are read.
    analysis : AnalysisSpec
        What to fit.
    """
    workspace, synthesis = context.workspace(), context.spec.synthesis
    complete = not synthesis.keep and synthesis.rows is None

    def read(parts: Sequence[DatasetRef], columns: list[str]) -> pd.DataFrame:
        if len(parts) == 1:
            return workspace.read_frame(parts[0])
        tables = [workspace.read_table(ref, columns) for ref in parts]
        schema = tables[0][1]
        return decode(np.concatenate([matrix for matrix, _ in tables]), schema)

    def compute(folder: Path) -> dict[str, Any]:
        schema = workspace.read_schema(completed[0][0])
        columns = analysed_columns(analysis, schema)
        result = analyse(
            analysis,
            schema if len(completed[0]) == 1 else schema.only(columns),
            [read(parts, columns) for parts in synthetic],
            [read(parts, columns) for parts in completed],
            context.spec.pooling_rule,
            context.spec.pooling.unconverged,
            proper=synthesis.proper,
            complete=complete,
        )
        return {
            "label": result.label,
            "rule": result.rule,
            "pooled": result.pooled.to_dict("list"),
            "real": result.real.to_dict("list"),
            "unconverged": result.unconverged,
            "agreement": [asdict(m) for m in result.agreement],
        }

    inputs = [ref.sha256 for parts in (*completed, *synthetic) for ref in parts]
    pooling = [context.spec.pooling_rule, context.spec.pooling.unconverged]
    made = [str(synthesis.proper), str(complete)]
    settings = [analysis.model_dump_json(), *pooling, *made]
    result, _ = workspace.run_stage("analysis", [*inputs, *settings], compute)
    return AnalysisRef(result["folder"], result["label"])


def read_analysis(ref: AnalysisRef) -> AnalysisResult:
    """Read an analysis from the workspace."""
    item = json.loads((Path(ref.folder) / RESULT_FILE).read_text())
    pooled, real = pd.DataFrame(item["pooled"]), pd.DataFrame(item["real"])
    agreement = tuple(Measurement(**m) for m in item["agreement"])
    return AnalysisResult(
        item["label"], item["rule"], pooled, real, tuple(item["unconverged"]), agreement
    )
