"""A release of data that outgrow memory: the stratum is the unit of work.

The stages, the order and what is published are those of `flows.release`; no step holds the whole table.
"""

# No deferred annotations here, as in `flows.release`.
import pandas as pd
from prefect.states import State

from flows.conclusion import conclude, judge
from flows.steps import limited, nothing_new, require
from flows.strata import map_strata
from synth_tasks.release.memory import check_parts_memory
from synth_tasks.release.parts import Stratum
from synth_tasks.release.results import SuiteResult
from synth_tasks.tasks.artifacts import Progress, show_estimates
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.part_assess import StratumFigures, assess_strata
from synth_tasks.tasks.part_ingest import IngestedParts, ingest_parts
from synth_tasks.tasks.part_made import MadeParts, join_results
from synth_tasks.tasks.part_models import (
    CompletedStratum,
    DrawnStratum,
    complete_strata,
    draw_sizes,
    draw_strata,
    fit_strata,
)
from synth_tasks.tasks.part_sampling import sample_shares
from synth_tasks.tasks.part_summaries import mark_cells, sketch_strata
from synth_tasks.tasks.part_whole import assess_parts
from synth_tasks.tasks.pool import AnalysisRef, pool_parts
from synth_tasks.tasks.publish import find_published


def release_parts(context: RunContext, progress: Progress) -> State:
    """Make a release stratum by stratum.

    Args:
        context: The release.
        progress: Is told of every stage.
    """
    ingested = read_parts(context, progress)
    published = find_published(context, ingested.fingerprint)
    if published is not None:
        return nothing_new(context, published, progress)
    return conclude(context, make_parts(context, ingested, progress), progress)


def read_parts(context: RunContext, progress: Progress) -> IngestedParts:
    """Read the data as they arrived, one file for each stratum.

    Args:
        context: The release.
        progress: Is told when it is done.
    """
    ingested = limited(ingest_parts, context.spec)(context)
    n_missing, n_strata = sum(ingested.missing_values.values()), len(ingested.strata)
    size = f"{ingested.rows} rows × {len(ingested.schema)} columns in {n_strata} strata"
    progress.finish(f"ingested {size}, {n_missing} missing values")
    return ingested


def make_parts(context: RunContext, ingested: IngestedParts, progress: Progress) -> MadeParts:
    """Go from the data as they arrived to sets that the gate lets pass.

    Args:
        context: The release.
        ingested: The data.
        progress: Is told of every stage.
    """
    strata = ingested.strata
    check_parts_memory(context.spec, [stratum.rows for stratum in strata], ingested.schema)
    completed, results = _complete(context, strata, progress)
    drawn = _synthesise(context, strata, completed, progress)
    analyses = _analyse(context, completed, drawn, progress)
    results += _require_sets(context, drawn)
    figures, ledger = _assess(context, completed, drawn, analyses, progress)
    progress.finish(f"synthetic suite met by all {context.spec.n_sets} sets")
    results.append(judge(context, ledger, results, progress))
    return MadeParts(ingested, completed, drawn, figures, ledger, results, analyses)


def _complete(
    context: RunContext, strata: list[Stratum], progress: Progress
) -> tuple[list[CompletedStratum], list[SuiteResult]]:
    found: list[CompletedStratum] = map_strata(complete_strata, context, strata)
    results = [join_results([each.suites[0] for each in found], "the data as they arrived")]
    require(results)  # a stratum that the source suite refuses was not imputed, nor judged again
    n_imputed = context.spec.imputation.m
    for i in range(1, n_imputed + 1):
        subject = "the completed data" + (f", imputation {i}" if n_imputed > 1 else "")
        results.append(join_results([each.suites[i] for each in found], subject))
    require(results)
    progress.finish(f"source suite met: {len(results[0].checks)} checks")
    n_with_holes = sum(stratum.holes > 0 for stratum in strata)
    progress.finish(f"imputed {n_with_holes} of {len(strata)} strata")
    progress.finish(f"completed suite met: {len(results[1].checks)} checks")
    return found, results


def _synthesise(
    context: RunContext,
    strata: list[Stratum],
    completed: list[CompletedStratum],
    progress: Progress,
) -> list[DrawnStratum]:
    sizes = draw_sizes(context, strata)
    tables = [each.bare() for each in completed]
    synthesizers = map_strata(fit_strata, context, tables)
    progress.finish(f"fitted the synthesizers of {len(strata)} strata")
    drawn: list[DrawnStratum] = map_strata(draw_strata, context, tables, synthesizers, sizes)
    spec = context.spec
    steps = f", {len(spec.sdc)} steps of disclosure control" if spec.sdc else ""
    progress.finish(f"drew {spec.n_sets} sets of {sum(s[0] for s in sizes)} rows{steps}")
    return drawn


def _require_sets(context: RunContext, drawn: list[DrawnStratum]) -> list[SuiteResult]:
    results = [
        join_results([each.suites[i] for each in drawn], f"set {i + 1}")
        for i in range(context.spec.n_sets)
    ]
    require(results)
    return results


def _analyse(
    context: RunContext,
    completed: list[CompletedStratum],
    drawn: list[DrawnStratum],
    progress: Progress,
) -> list[AnalysisRef]:
    """Fit every analysis to every set; one after the other, for each reads columns of all rows."""
    spec = context.spec
    real = [[each.refs[i] for each in completed] for i in range(spec.imputation.m)]
    sets = [[each.controlled[i].ref for each in drawn] for i in range(spec.n_sets)]
    if spec.sdc:  # what disclosure control coded is compared with the real data coded alike
        first = range(0, spec.n_sets, spec.synthesis.m)
        real = [[each.controlled[i].real for each in drawn] for i in first]
    analyses = [pool_parts(context, real, sets, analysis) for analysis in spec.analysis]
    show_estimates(spec, analyses)
    progress.finish(f"pooled {len(analyses)} analyses")
    return analyses


def _assess(
    context: RunContext,
    completed: list[CompletedStratum],
    drawn: list[DrawnStratum],
    analyses: list[AnalysisRef],
    progress: Progress,
) -> tuple[list[StratumFigures], pd.DataFrame]:
    parts = [each.bare() for each in drawn]
    sketches = map_strata(sketch_strata, context, parts)
    marks = mark_cells(context, parts, sketches)
    shares = sample_shares(context, drawn)
    tables = [each.bare() for each in completed]
    figures: list[StratumFigures] = map_strata(
        assess_strata, context, tables, parts, marks=marks, shares=shares, n_strata=len(drawn)
    )
    ledger = assess_parts(context, figures, analyses)
    progress.finish(f"measured {len(ledger)} figures of utility and disclosure")
    return figures, ledger
