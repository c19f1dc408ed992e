"""The way of the data through the tasks of a release in parts, without a Prefect server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synth_tasks.release.sources.streams import BATCH_ROWS
from synth_tasks.release.spec import ReleaseSpec, build_spec
from synth_tasks.release.stores import Published
from synth_tasks.tasks.context import RunContext, prepare
from synth_tasks.tasks.part_assess import assess_strata
from synth_tasks.tasks.part_ingest import IngestedParts, ingest_parts
from synth_tasks.tasks.part_made import MadeParts, join_results
from synth_tasks.tasks.part_models import (
    DrawnStratum,
    complete_strata,
    draw_sizes,
    draw_strata,
    fit_strata,
)
from synth_tasks.tasks.part_sampling import sample_shares
from synth_tasks.tasks.part_summaries import mark_cells, sketch_strata
from synth_tasks.tasks.part_whole import assess_parts
from synth_tasks.tasks.pool import pool_parts
from synth_tasks.tasks.publish import publish
from synth_tasks.tasks.validate import apply_gate
from tests.benchmarks.census import census
from tests.release.builders import gate_item, write_gate

COLUMNS = ["region", "age", "sex", "school", "hours", "income", "smoker", "visit"]
N_ROWS = 3000


def census_site(folder: Path, n_rows: int = N_ROWS) -> Path:
    """Put a small census and a policy into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    census(n_rows)[COLUMNS].to_parquet(folder / "census.parquet", row_group_size=700)
    write_gate(
        folder,
        gate_item("unique_exact_match", max_value=0.2),
        gate_item("spmse_pair_max", max_value=40),
    )
    return folder


def census_spec(folder: Path, **sections: Any) -> ReleaseSpec:
    """Build the specification of a release of it in parts."""
    content: dict[str, Any] = {
        "dataset": {"name": "census", "source": {"parquet": "census.parquet"}, "public": True},
        "imputation": {"maxit": 1},
        "synthesis": {"m": 2, "strata": ["region"], "min_stratum_size": 150},
        "analysis": [
            {"model": "ols", "formula": "income ~ age + hours"},
            {"model": "mean", "variables": ["age"]},
        ],
        "disclosure": {"keys": ["age", "sex"], "targets": ["school"], "cross_fit": False},
        "policy": {"suite": "gate.json"},
        "publish": {"to": "releases", "seed": 5},
        "partition": {"sample_rows": 1000},
    }
    for name, value in sections.items():
        merged = isinstance(value, dict) and isinstance(content.get(name), dict)
        content[name] = content[name] | value if merged else value
    return build_spec(content, base=folder)


def draw_parts(
    context: RunContext, order: Sequence[int] | None = None, batch_rows: int = BATCH_ROWS
) -> tuple[IngestedParts, list[DrawnStratum]]:
    """Go as far as the sets; strata are worked on in any order, and returned in theirs."""
    ingested = ingest_parts.fn(context, batch_rows)
    strata, sizes = ingested.strata, draw_sizes(context, ingested.strata)
    drawn: dict[int, DrawnStratum] = {}
    for number in range(len(strata)) if order is None else order:
        completed = complete_strata.fn(context, [strata[number]])
        fitted = fit_strata.fn(context, completed)
        (drawn[number],) = draw_strata.fn(context, completed, fitted, [sizes[number]])
    return ingested, [drawn[number] for number in range(len(strata))]


def make_parted(spec: ReleaseSpec) -> tuple[MadeParts, RunContext]:
    """Go as far as the gate."""
    context = prepare(spec)
    ingested, drawn = draw_parts(context)
    completed = complete_strata.fn(context, ingested.strata)  # from the workspace
    real = [[each.refs[0] for each in completed]]
    sets = [[each.controlled[i].ref for each in drawn] for i in range(spec.n_sets)]
    analyses = [pool_parts.fn(context, real, sets, analysis) for analysis in spec.analysis]
    marks = mark_cells.fn(context, drawn, sketch_strata.fn(context, drawn))
    shares = sample_shares(context, drawn)
    figures = assess_strata.fn(context, completed, drawn, marks, shares, len(drawn))
    ledger = assess_parts.fn(context, figures, analyses)
    suites = zip(*(each.suites for each in [*completed]), strict=True)
    results = [join_results(each, "the data") for each in suites]
    results += [
        join_results([each.suites[i] for each in drawn], f"set {i + 1}") for i in range(spec.n_sets)
    ]
    results.append(apply_gate.fn(context, ledger))
    return MadeParts(ingested, completed, drawn, figures, ledger, results, analyses), context


def release_in_parts(spec: ReleaseSpec) -> tuple[MadeParts, Published]:
    """Go all the way."""
    made, context = make_parted(spec)
    return made, publish.fn(context, made, None)
