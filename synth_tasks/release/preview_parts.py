"""What a release in parts would do: its strata, and what still reads rows of all of them."""

from __future__ import annotations

import os
from dataclasses import replace

from synth_tasks.release.analysis import analysed_columns
from synth_tasks.release.cost import CELL, Cost
from synth_tasks.release.parts_cost import PartsWorkload, parts_cost
from synth_tasks.release.parts_memory import parts_peak_gb
from synth_tasks.release.preview import Preview, plan_workload, preview_release
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import SourceTable
from synth_tasks.release.survey import Survey


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
        Names, counts and settings; no value of the data. The time of variables is that of all strata.
    """
    table = SourceTable(survey.sample, survey.schema, survey.codebook)
    work = parts_workload(spec, survey, cores)
    preview = preview_release(spec, table, cores, work.sizes)
    missing, n = survey.missing_values, survey.n_rows
    variables = tuple(replace(v, n_missing=missing[v.name]) for v in preview.variables)
    facts = {
        **preview.facts,
        "synthesis": f"{spec.n_sets} sets of {spec.synthesis.k or n} rows, "
        f"pooled by {spec.pooling_rule}",
        "strata": _describe_strata(spec, survey),
        "whole table": _describe_largest(survey),
        **_describe_analyses(spec, survey),
    }
    cost = Cost(parts_cost(work), parts_peak_gb(work))
    return replace(preview, n_rows=n, variables=variables, facts=facts, cost=cost)


def parts_workload(spec: ReleaseSpec, survey: Survey, cores: int | None = None) -> PartsWorkload:
    """Return what decides the cost of a release in parts; arguments as `preview_parts`."""
    if spec.partition is None:
        raise ValueError("the release has no partition")
    table = SourceTable(survey.sample, survey.schema, survey.codebook)
    whole = plan_workload(spec, table, cores or os.cpu_count() or 1)
    return PartsWorkload(
        replace(whole, n_rows=survey.n_rows),
        tuple(survey.division.sizes.tolist()),
        spec.partition.sample_rows,
        spec.disclosure.cross_fit,
        spec.dataset.source.csv is not None,
        tuple(len(analysed_columns(analysis, survey.schema)) for analysis in spec.analysis),
    )


def _describe_strata(spec: ReleaseSpec, survey: Survey) -> str:
    sizes, n_cells = survey.division.sizes, len(survey.division.cells)
    merged = f", merged from {n_cells} combinations" if n_cells > len(sizes) else ""
    of = ", ".join(spec.synthesis.strata)
    return f"{len(sizes)} of {of}, {sizes.min()} to {sizes.max()} rows{merged}"


def _describe_largest(survey: Survey) -> str:
    """Say how much of the table is held at once, as far as analyses do not read more."""
    if survey.division.count == 1:
        return "held at once: there is one stratum (synthesis.strata, synthesis.min_stratum_size)"
    return f"no step holds it, but {survey.division.sizes.max()} of {survey.n_rows} rows at once"


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
