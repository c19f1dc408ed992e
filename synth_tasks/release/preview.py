"""What a release would do, without doing it: its plan, its checks and its cost."""

from __future__ import annotations

import os
from dataclasses import dataclass

from synth_tasks.engine import ImputationPlan
from synth_tasks.engine.plan import is_formula
from synth_tasks.release.cost import Cost, Workload, release_cost
from synth_tasks.release.plans import plan_imputation, plan_synthesis
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import (
    SourceTable,
    disclosure_keys,
    disclosure_targets,
    fill_provisionally,
)

TREES_OF_A_FOREST = 10


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
    """

    name: str
    kind: str
    n_missing: int
    imputation: str
    synthesis: str
    predictors: tuple[str, ...]


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


def preview_release(spec: ReleaseSpec, table: SourceTable, cores: int | None = None) -> Preview:
    """Plan a release and predict its cost; nothing is written.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    table : SourceTable
        From `load_source`, which has made all checks.
    cores : int, optional
        Of the machine; those that are there if not given.

    Returns
    -------
    Preview
        Names, counts and settings; no value of the data.
    """
    imputation, _ = plan_imputation(spec, table.schema, table.matrix)
    synthesis = plan_synthesis(spec, table.schema, fill_provisionally(table.matrix, table.schema))
    predictors = _predictors(spec, synthesis)
    methods = synthesis.effective_methods()
    missing = table.missing_values
    order = [*synthesis.visit_sequence]
    order += [name for name in table.schema.names if name not in order]
    variables = tuple(
        PlannedVariable(
            name,
            str(table.schema[name].kind),
            missing[name],
            imputation.methods[name] if name in imputation.visit_sequence else "",
            methods[name] if name in synthesis.visit_sequence else "",
            predictors.get(name, ()),
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
    }
    return {what: text for what, text in facts.items() if text}


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
        imputed_predictors=sum(len(imputation.predictors[name]) for name in filled),
        maxit=spec.imputation.maxit,
        imputations=spec.imputation.m,
        m=spec.synthesis.m,
        analyses=len(spec.analysis),
        workers=spec.run.workers,
        cores=cores,
    )


def _trees(method: str) -> int:
    return TREES_OF_A_FOREST if method == "rf" else 1
