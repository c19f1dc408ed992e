"""What a release would do, without doing it: its plan, its checks and its cost."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synth_tasks.engine import ImputationPlan
from synth_tasks.engine.plan import is_formula
from synth_tasks.release.cost import (
    DRAW,
    Cost,
    Workload,
    model_seconds,
    release_cost,
    sweep_seconds,
)
from synth_tasks.release.plans import plan_imputation, plan_synthesis
from synth_tasks.release.runner_options import started_runner
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import (
    SourceTable,
    disclosure_keys,
    disclosure_targets,
    fill_provisionally,
)
from synth_tasks.utility.chosen_pairs import choose_pairs

TREES_OF_A_FOREST = 10
BY_TREES = ("cart", "rf")  # which take a categorical predictor as it is


@dataclass(frozen=True)
class PlannedVariable:
    """What happens to a variable.

    Parameters
    ----------
    name, kind : str
        The variable.
    n_missing : int
        Number of its holes.
    imputation : str
        Method that fills them; empty if there are none.
    synthesis : str
        Method by which it is drawn; empty if it is published as it is.
    predictors : tuple of str
        What its synthesis learns from.
    seconds : float
        Prediction for one worker: its models in all sweeps and fits, and its draws.
    """

    name: str
    kind: str
    n_missing: int
    imputation: str
    synthesis: str
    predictors: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Preview:
    """A release before it is made.

    Parameters
    ----------
    name : str
        Of the data set.
    n_rows : int
        Number of rows.
    variables : tuple of PlannedVariable
        In the order in which they are drawn, those that are kept last.
    facts : dict of str to str
        What else is planned, in words.
    cost : Cost
        The prediction.
    """

    name: str
    n_rows: int
    variables: tuple[PlannedVariable, ...]
    facts: dict[str, str]
    cost: Cost


def preview_release(
    spec: ReleaseSpec,
    table: SourceTable,
    cores: int | None = None,
    sizes: Sequence[int] | None = None,
) -> Preview:
    """Plan a release and predict its cost; nothing is written.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    table : SourceTable
        From `load_source`, which has made all checks.
    cores : int, optional
        Of the machine; those that are there if not given.
    sizes : sequence of int, optional
        Rows of the parts that have models of their own, for the time of variables; the rows of the
        table if not given.

    Returns
    -------
    Preview
        Names, counts and settings; no value of the data.
    """
    imputation, synthesis = _plans(spec, table)
    predictors = _predictors(spec, synthesis)
    methods = synthesis.effective_methods()
    missing = table.missing_values
    order = [*synthesis.visit_sequence]
    order += [name for name in table.schema.names if name not in order]
    parts = [len(table.matrix)] if sizes is None else sizes
    variables = tuple(
        PlannedVariable(
            name,
            str(table.schema[name].kind),
            missing[name],
            imputation.methods[name] if name in imputation.visit_sequence else "",
            methods[name] if name in synthesis.visit_sequence else "",
            predictors.get(name, ()),
            sum(_seconds(spec, imputation, synthesis, name, predictors, n) for n in parts),
        )
        for name in order
    )
    work = _workload(spec, imputation, synthesis, cores or os.cpu_count() or 1)
    return Preview(
        spec.dataset.name,
        len(table.matrix),
        variables,
        _facts(spec, imputation, table),
        release_cost(work),
    )


def plan_workload(spec: ReleaseSpec, table: SourceTable, cores: int | None = None) -> Workload:
    """Return what decides the cost of a release; arguments as `preview_release`."""
    imputation, _ = plan_imputation(spec, table.schema, table.matrix)
    synthesis = plan_synthesis(spec, table.schema, fill_provisionally(table.matrix, table.schema))
    return _workload(spec, imputation, synthesis, cores or os.cpu_count() or 1)


def _predictors(spec: ReleaseSpec, plan: ImputationPlan) -> dict[str, tuple[str, ...]]:
    """Return the predictors of the variables with a model, as `conditioning` lets them be used."""
    sequential = spec.synthesis.conditioning == "synthetic"
    known = plan.sequential_predictors if sequential else plan.predictors
    return {name: known.get(name, ()) for name in plan.drawn if not is_formula(plan.methods[name])}


def _seconds(
    spec: ReleaseSpec,
    imputation: ImputationPlan,
    synthesis: ImputationPlan,
    name: str,
    predictors: Mapping[str, tuple[str, ...]],
    n_rows: int,
) -> float:
    """Predict what a variable takes, so that the dear ones are seen."""
    total = 0.0
    if name in imputation.visit_sequence and not is_formula(imputation.methods[name]):
        sweeps = spec.imputation.m * spec.imputation.maxit
        total += sweeps * sweep_seconds(n_rows, _columns(imputation, name))
    if name in predictors:
        trees = _trees(synthesis.methods[name]) * len(predictors[name])
        levels = len(synthesis.schema[name].categories)
        total += spec.imputation.m * model_seconds(n_rows, trees, levels)
    if name in synthesis.visit_sequence:
        total += spec.n_sets * DRAW * n_rows
    return total


def _facts(spec: ReleaseSpec, imputation: ImputationPlan, table: SourceTable) -> dict[str, str]:
    completed = "nothing is missing"
    if imputation.incomplete:
        times = f"{spec.imputation.m} times, " if spec.imputation.m > 1 else ""
        completed = (
            f"{times}{spec.imputation.maxit} sweeps over {', '.join(imputation.visit_sequence)}"
        )
    policy = spec.policy
    suites = [policy.source, policy.completed, policy.synthetic]
    facts = {
        "imputation": completed,
        "synthesis": f"{spec.n_sets} sets of {spec.synthesis.k or len(table.matrix)} rows, "
        f"pooled by {spec.pooling_rule}",
        "dropped": ", ".join(spec.dataset.drop),
        "keys": ", ".join(disclosure_keys(spec, table.schema)),
        "targets": ", ".join(disclosure_targets(spec, table.schema)),
        "analyses": "; ".join(analysis.label for analysis in spec.analysis),
        "suites": ", ".join(suite or "made from the schema" for suite in suites),
        "gate": policy.suite,
        "formats": ", ".join(spec.publish.formats),
        "pairs": _pairs(len(table.schema)),
    }
    return {what: text for what, text in facts.items() if text}


def workload_of(spec: ReleaseSpec, table: SourceTable, cores: int) -> Workload:
    """Describe the size of the work; arguments as `preview_release`."""
    return _workload(spec, *_plans(spec, table), cores)


def _plans(spec: ReleaseSpec, table: SourceTable) -> tuple[ImputationPlan, ImputationPlan]:
    imputation, _ = plan_imputation(spec, table.schema, table.matrix)
    filled = fill_provisionally(table.matrix, table.schema)
    return imputation, plan_synthesis(spec, table.schema, filled)


def _pairs(n_columns: int) -> str:
    """Say that not all pairs of columns are measured, if it is so."""
    measured, count = len(choose_pairs(n_columns)), math.comb(n_columns, 2)
    return "" if measured == count else f"{measured:,} of {count:,} pairs of columns are measured"


def _workload(
    spec: ReleaseSpec, imputation: ImputationPlan, synthesis: ImputationPlan, cores: int
) -> Workload:
    predictors = _predictors(spec, synthesis)
    filled = [n for n in imputation.visit_sequence if not is_formula(imputation.methods[n])]
    trees = {name: _trees(synthesis.methods[name]) for name in predictors}
    return Workload(
        n_rows=synthesis.n_rows,
        n_columns=len(synthesis.schema),
        fitted=len(predictors),
        predictors=sum(trees[name] * len(row) for name, row in predictors.items()),
        levels=sum(len(synthesis.schema[name].categories) for name in predictors),
        imputed=len(filled),
        imputed_columns=sum(_columns(imputation, name) for name in filled),
        maxit=spec.imputation.maxit,
        imputations=spec.imputation.m,
        m=spec.synthesis.m,
        analyses=len(spec.analysis),
        workers=spec.run.workers,
        cores=cores,
        runner=started_runner(spec.run.runner, spec.run.scheduler),
    )


def _columns(plan: ImputationPlan, name: str) -> int:
    """Return how many columns a variable is filled from: a regression has one for each category."""
    predictors = plan.predictors[name]
    if plan.methods[name] in BY_TREES:
        return len(predictors)
    return sum(max(1, len(plan.schema[other].categories) - 1) for other in predictors)


def _trees(method: str) -> int:
    return TREES_OF_A_FOREST if method == "rf" else 1
