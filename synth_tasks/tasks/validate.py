"""Judging tables and the ledger by suites of expectations."""

from __future__ import annotations

import json

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from expectations.derive import add_residuals, completed_suite, source_suite, synthetic_suite
from expectations.gate import check_gate, refuse_failures, run_gate
from expectations.suites import Suite, build_suite, check_suite, load_suite, run_suite
from synth_tasks.data import Schema, decode
from synth_tasks.disclosure import TARGET_METRICS
from synth_tasks.errors import SpecError
from synth_tasks.release.plans import disclosure_keys, formulas
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import disclosure_targets
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.places import find_gate

__all__ = [
    "apply_gate",
    "check_policy",
    "check_targets",
    "load_policy",
    "refuse_failures",
    "validate",
]


def load_policy(spec: ReleaseSpec, gate: str | None) -> dict[str, Suite]:
    """Read all suites that a specification names, and check them, before anything is started.

    Parameters
    ----------
    spec : ReleaseSpec
        Names the files of suites.
    gate : str or None
        The policy as JSON, if it is kept in a block.

    Returns
    -------
    dict of str to Suite
    """
    stages = ("source", "completed", "synthetic")
    named = {stage: getattr(spec.policy, stage) for stage in stages}
    suites = {stage: load_suite(spec, path) for stage, path in named.items() if path is not None}
    suites["gate"] = _load_gate(spec.policy.suite, spec, gate)
    check_gate(suites["gate"], spec.policy.suite)
    return suites


def _load_gate(named: str, spec: ReleaseSpec, gate: str | None) -> Suite:
    if gate is None:
        return load_suite(spec, named)
    suite: Suite = json.loads(gate)
    check_suite(suite, named)
    return suite


def check_policy(spec: ReleaseSpec) -> None:
    """Make sure that Great Expectations understands every suite of a specification."""
    for suite in load_policy(spec, find_gate(spec)).values():
        build_suite(suite["name"], suite["expectations"])


def check_targets(spec: ReleaseSpec, schema: Schema) -> None:
    """Refuse a policy that judges what is learned of targets, where no column is left to be one.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        Of its data, which tell what the columns are if `disclosure` does not.

    Raises
    ------
    SpecError
        The gate would refuse the release for figures that are not there, after all the work.
    """
    if set(disclosure_targets(spec, schema)) - set(disclosure_keys(spec, schema)):
        return
    by_target = {metric.name for metric in TARGET_METRICS}
    for item in load_policy(spec, find_gate(spec))["gate"]["expectations"]:
        if item["meta"]["metric"] in by_target:
            raise SpecError(
                "disclosure: no column that is no key is left to be a target, but the policy judges "
                f"'{item['meta']['metric']}': name fewer disclosure.keys, or other disclosure.targets, "
                "or leave it out of the suite (policy.suite)"
            )


@task(name="validate", task_run_name="validate {subject}", cache_policy=NO_CACHE)
@confidential
def validate(context: RunContext, ref: DatasetRef, stage: str, subject: str) -> SuiteResult:
    """Judge a table by the suite of its stage.

    Parameters
    ----------
    context : RunContext
        The release.
    ref : DatasetRef
        The table.
    stage : {"source", "completed", "synthetic"}
        Which suite.
    subject : str
        What the table is, for people.

    Returns
    -------
    SuiteResult
        Verdicts and counts.
    """
    spec = context.spec
    matrix, schema = context.workspace().read_table(ref)
    frame = decode(matrix, schema)
    relations: dict[str, str] = {}
    if stage == "completed":
        relations = formulas(spec.imputation.method)
    elif stage == "synthetic":
        relations = formulas(spec.synthesis.method_by_variable)
    frame = add_residuals(frame, matrix, schema, relations)
    suite = load_policy(spec, context.gate).get(stage) or _derive(stage, schema, relations)
    return run_suite(suite, frame, subject=subject, parameters={"n_rows": len(matrix)})


def _derive(stage: str, schema: Schema, relations: dict[str, str]) -> Suite:
    if stage == "source":
        return source_suite(schema)
    if stage == "completed":
        return completed_suite(schema, relations)
    return synthetic_suite(schema, relations)


@task(name="apply gate", task_run_name="apply the gate", cache_policy=NO_CACHE)
@confidential
def apply_gate(context: RunContext, ledger: pd.DataFrame) -> SuiteResult:
    """Judge the ledger by the policy.

    Parameters
    ----------
    context : RunContext
        The release.
    ledger : DataFrame
        All metrics.

    Returns
    -------
    SuiteResult
    """
    return run_gate(load_policy(context.spec, context.gate)["gate"], ledger, context.spec.n_sets)
