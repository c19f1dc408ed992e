"""What a release in parts would do: its strata, and what still reads rows of all of them."""

from __future__ import annotations

from dataclasses import replace

from synth_tasks.release.analysis import analysed_columns
from synth_tasks.release.cost import CELL, PROGRAM, Cost, Workload, release_cost
from synth_tasks.release.preview import Preview, plan_workload, preview_release
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import SourceTable
from synth_tasks.release.survey import Survey

# Of the largest stratum that is worked on, for each worker: fitting and measuring.
STRATUM_COPIES = 12.0
# Of the columns of an analysis in one table: what is read, decoded and made a design of.
ANALYSIS_COPIES = 8.0


def preview_parts(spec: ReleaseSpec, survey: Survey, cores: int | None = None) -> Preview:
    """Plan a release in parts and predict its cost; nothing is written.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    survey : Survey
        From `survey_source`, which has made all checks.
    cores : int, optional
        Of the machine; those that are there if not given.

    Returns
    -------
    Preview
        Names, counts and settings; no value of the data.
    """
    table = SourceTable(survey.sample, survey.schema, survey.codebook)
    preview = preview_release(spec, table, cores)
    missing, n = survey.missing_values, survey.n_rows
    work = replace(plan_workload(spec, table, cores), n_rows=n)
    variables = tuple(replace(v, n_missing=missing[v.name]) for v in preview.variables)
    facts = {
        **preview.facts,
        "synthesis": f"{spec.n_sets} sets of {spec.synthesis.k or n} rows, "
        f"pooled by {spec.pooling_rule}",
        "strata": _describe_strata(spec, survey),
        "whole table": "no step holds it",
        **_describe_analyses(spec, survey),
    }
    cost = Cost(release_cost(work).seconds, _peak(spec, survey, work))
    return replace(preview, n_rows=n, variables=variables, facts=facts, cost=cost)


def _describe_strata(spec: ReleaseSpec, survey: Survey) -> str:
    sizes, n_cells = survey.division.sizes, len(survey.division.cells)
    merged = f", merged from {n_cells} combinations" if n_cells > len(sizes) else ""
    of = ", ".join(spec.synthesis.strata)
    return f"{len(sizes)} of {of}, {sizes.min()} to {sizes.max()} rows{merged}"


def _describe_analyses(spec: ReleaseSpec, survey: Survey) -> dict[str, str]:
    """Say of each analysis what it reads of every table."""
    return {
        f"analysis {analysis.label}": f"reads {_n_columns(len(columns))} of all rows: "
        f"{CELL * survey.n_rows * len(columns):.2g} GB"
        for analysis in spec.analysis
        for columns in [analysed_columns(analysis, survey.schema)]
    }


def _n_columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _peak(spec: ReleaseSpec, survey: Survey, work: Workload) -> float:
    """Return gigabytes of memory: of the largest stratum for each worker, or of an analysis."""
    together = work.at_a_time(survey.division.count)
    strata = together * STRATUM_COPIES * CELL * int(survey.division.sizes.max()) * work.n_columns
    widths = [len(analysed_columns(analysis, survey.schema)) for analysis in spec.analysis]
    tables = spec.n_sets + spec.imputation.m
    analysis = CELL * survey.n_rows * max(widths, default=0) * (ANALYSIS_COPIES + tables)
    return PROGRAM + max(strata, analysis)
