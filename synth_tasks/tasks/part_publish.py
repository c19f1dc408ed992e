"""Publishing sets in parts, and the review before it: like `publish`, a part in memory at a time."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import decode
from synth_tasks.files import make_private_folder, write_atomically
from synth_tasks.release.approval import Decision, read_decision
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.formats.parts import PartedSet, write_parted
from synth_tasks.release.manifest import make_manifest
from synth_tasks.release.pictures import marginals, to_png
from synth_tasks.release.plans import plan_synthesis, provenance_of
from synth_tasks.release.publication import point_latest, publish_draft
from synth_tasks.release.report import ReportContent
from synth_tasks.release.results import Check, SuiteResult
from synth_tasks.release.signing import Signer
from synth_tasks.release.stages import shuffle
from synth_tasks.release.stores import Published
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.seeding import generator
from synth_tasks.tasks.boundary import confidential, may_retry
from synth_tasks.tasks.context import RunContext, find_signer
from synth_tasks.tasks.part_assess import StratumFigures, read_parts
from synth_tasks.tasks.part_ingest import IngestedParts
from synth_tasks.tasks.part_models import CompletedStratum, DrawnStratum
from synth_tasks.tasks.pool import AnalysisRef, read_analysis
from synth_tasks.tasks.publish import (
    UNDECIDED,
    Review,
    coarse,
    describe_seed,
    missing_shares,
    policy_digest,
    release_digest,
    write_around,
    write_private_report,
)

UNEXPECTED = re.compile(r"(\d+) of (\d+) unexpected")


@dataclass(frozen=True)
class MadeParts:
    """Everything that a release in parts is published from.

    Parameters
    ----------
    ingested : IngestedParts
        The data as they arrived.
    completed : list of CompletedStratum
        Without holes.
    drawn : list of DrawnStratum
        The sets.
    figures : list of StratumFigures
        With samples of real and synthetic rows, for pictures.
    ledger : DataFrame
        All metrics.
    results : list of SuiteResult
        Verdicts on strata, put together, and on the ledger.
    analyses : list of AnalysisRef
        Pooled analyses.
    """

    ingested: IngestedParts
    completed: list[CompletedStratum]
    drawn: list[DrawnStratum]
    figures: list[StratumFigures]
    ledger: pd.DataFrame
    results: list[SuiteResult]
    analyses: list[AnalysisRef]

    @property
    def set_rows(self) -> list[int]:
        """Rows of each set."""
        by_stratum = [[each.ref.rows for each in own.controlled] for own in self.drawn]
        return [sum(rows) for rows in zip(*by_stratum, strict=True)]


def join_results(results: Sequence[SuiteResult], subject: str) -> SuiteResult:
    """Put the verdicts on all strata together: a check is met if it is met in each.

    Parameters
    ----------
    results : sequence of SuiteResult
        Of one suite, one for each stratum; their subjects name the strata.
    subject : str
        What they are parts of.

    Returns
    -------
    SuiteResult
    """
    checks = zip(*(result.checks for result in results), strict=True)
    subjects = [result.subject for result in results]
    return SuiteResult(results[0].suite, subject, tuple(_join(each, subjects) for each in checks))


def _join(checks: Sequence[Check], subjects: Sequence[str]) -> Check:
    failed = [i for i, check in enumerate(checks) if not check.success]
    counts = [UNEXPECTED.fullmatch(check.detail) for check in checks]
    details = {check.detail for check in checks}
    detail = details.pop() if len(details) == 1 else ""
    if all(counts):
        unexpected, rows = (sum(int(c[i]) for c in counts if c) for i in (1, 2))
        detail = f"{unexpected} of {rows} unexpected"
    if failed:
        first = checks[failed[0]]
        also = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        detail = f"{detail or first.detail}; failed in {subjects[failed[0]]}{also}".lstrip("; ")
    return replace(checks[0], success=not failed, detail=detail)


@task(name="draw picture", task_run_name="draw a picture of samples", cache_policy=NO_CACHE)
@confidential
def draw_sampled_picture(context: RunContext, figures: list[StratumFigures]) -> bytes:
    """Draw the distributions of samples of the synthetic sets as a PNG."""
    schema = context.workspace().read_schema(figures[0].samples[0][0])
    sets = [frame for _, frame in _sampled(context, figures)]
    return to_png(marginals(schema, sets), dpi=80)


def _sampled(
    context: RunContext, figures: Sequence[StratumFigures]
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return samples of the real rows and of each set, in random order."""
    schema = context.workspace().read_schema(figures[0].samples[0][0])
    found = []
    for number in range(1, context.spec.n_sets + 1):
        rng = generator(context.seed(), "shuffle", number, "sample")
        real, drawn = zip(*(each.samples[number - 1] for each in figures), strict=True)
        tables = [shuffle(read_parts(context, refs), rng) for refs in (real, drawn)]
        found.append((decode(tables[0], schema), decode(tables[1], schema)))
    return found


@task(
    name="publish parts",
    task_run_name="publish {context.spec.dataset.name} in parts",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_condition_fn=may_retry,
)
@confidential
def publish_parts(context: RunContext, made: MadeParts, decision: Decision | None) -> Published:
    """Write the bundle to staging, verify it, make it visible at once, and move `latest`.

    Parameters
    ----------
    context : RunContext
        The release.
    made : MadeParts
        What is published.
    decision : Decision, optional
        Of a steward, for the manifest.

    Returns
    -------
    Published
    """
    workspace, releases = context.workspace(), context.releases()
    digest = release_digest(context, made.ingested.fingerprint)
    already = releases.find(digest)
    if already is not None:  # an attempt before this one made it visible
        point_latest(releases, already.version)
        return replace(already, new=True)
    version = context.version(digest)
    content = _compose(context, version, digest, made, decision)
    folder = workspace.folder / "reports" / version
    _write_private(folder, content, made)
    with releases.staging() as draft:
        _write_bundle(draft, context, content, made, find_signer(context.spec))
        return publish_draft(releases, draft, version)


@task(name="review parts", task_run_name="prepare the review", cache_policy=NO_CACHE)
@confidential
def review_parts(context: RunContext, made: MadeParts) -> Review:
    """Write the private report for a steward, and look whether a decision was made already.

    Parameters
    ----------
    context : RunContext
        The release.
    made : MadeParts
        What is to be decided about.

    Returns
    -------
    Review
    """
    workspace = context.workspace()
    digest = release_digest(context, made.ingested.fingerprint)
    findings = json.dumps([suite.to_dict() for suite in made.results])
    sets = [each.ref.sha256 for own in made.drawn for each in own.controlled]
    key = workspace.digest("review", digest, *sets, findings)[:32]
    folder = workspace.folder / "reviews" / key
    _write_private(folder, _compose(context, UNDECIDED, digest, made, None), made)
    return Review(key, str(folder / "report.html"), read_decision(workspace.folder, key))


@task(name="quarantine parts", task_run_name="quarantine the sets", cache_policy=NO_CACHE)
@confidential
def quarantine_parts(
    context: RunContext, made: MadeParts, found: Review, decision: Decision
) -> str:
    """Keep a rejected release, with the reason, in the private workspace; return the folder.

    Parameters
    ----------
    context : RunContext
        The release.
    made : MadeParts
        What was rejected.
    found : Review
        What was decided about.
    decision : Decision
        The rejection.
    """
    folder = context.workspace().folder / "quarantine" / found.key
    digest = release_digest(context, made.ingested.fingerprint)
    content = _compose(context, UNDECIDED, digest, made, decision)
    if folder.exists():
        shutil.rmtree(folder)
    make_private_folder(folder)
    _write_bundle(folder, context, content, made, signer=None)
    return str(folder)


def _compose(
    context: RunContext, version: str, digest: str, made: MadeParts, decision: Decision | None
) -> ReportContent:
    """Collect what the reports and the bundle tell."""
    spec, schema = context.spec, made.ingested.schema
    sampled = _sampled(context, made.figures)
    real = context.workspace().read_table(made.completed[0].refs[0])[0]
    plan = plan_synthesis(context.of_stratum(0).spec, schema, real)
    rows = made.ingested.rows
    provenance = replace(provenance_of(spec, plan), n=rows, k=spec.synthesis.k or rows)
    manifest = make_manifest(
        spec,
        release_version=version,
        digest=digest,
        data_digest=made.ingested.fingerprint,
        policy_digest=policy_digest(context),
        seed=describe_seed(context.secrets(), spec),
        plan=plan,
        provenance=provenance,
        pooling_rule=spec.pooling_rule,
        results=made.results,
        missing_shares=missing_shares(made.ingested.missing_values, rows),
        changes=_count_changes(made),
        decision=None if decision is None else decision.to_dict(),
    )
    return ReportContent(
        title=spec.dataset.title or spec.dataset.name,
        name=spec.dataset.name,
        version=version,
        description=spec.dataset.description,
        licence=spec.dataset.licence,
        sources=list(spec.dataset.citations),
        schema=schema,
        sets=[frame for _, frame in sampled],
        ledger=coarse(made.ledger),
        suites=made.results,
        analyses=[read_analysis(ref) for ref in made.analyses],
        manifest=manifest | {"strata": len(made.drawn)},
        real=sampled[0][0],
        rows=tuple(made.set_rows),
    )


def _count_changes(made: MadeParts) -> list[list[dict[str, Any]]]:
    """Return for each set what disclosure control changed, with the stratum named."""
    n_sets = len(made.drawn[0].controlled)
    return [
        [
            {"stratum": own.stratum.number + 1, **change}
            for own in made.drawn
            for change in own.controlled[number].changes
        ]
        for number in range(n_sets)
    ]


def _write_bundle(
    draft: Path,
    context: RunContext,
    content: ReportContent,
    made: MadeParts,
    signer: Signer | None,
) -> None:
    spec, n_sets = context.spec, context.spec.n_sets
    sets = [
        PartedSet(len(made.drawn), partial(_shuffled_part, context, made.drawn, number))
        for number in range(1, n_sets + 1)
    ]
    files = write_parted(draft, spec.dataset.name, sets, spec.publish.formats)
    codebook = Codebook.from_dict(made.ingested.codebook)
    write_around(draft, spec, codebook, content, files, signer)


def _shuffled_part(
    context: RunContext, drawn: Sequence[DrawnStratum], number: int, i: int
) -> pd.DataFrame:
    ref: DatasetRef = drawn[i].controlled[number - 1].ref
    matrix, schema = context.workspace().read_table(ref)
    rng = generator(context.secrets().seed, "shuffle", number, "stratum", drawn[i].stratum.number)
    return decode(shuffle(matrix, rng), schema)


def _write_private(folder: Path, content: ReportContent, made: MadeParts) -> None:
    """Write the private report, and what the numbers of the strata stand for."""
    write_private_report(folder, content, trace=None)
    strata = [own.stratum for own in made.drawn]
    table = pd.DataFrame(
        {
            "stratum": [s.number + 1 for s in strata],
            "label": [s.label for s in strata],
            "rows": [s.rows for s in strata],
            "holes": [s.holes for s in strata],
        }
    )
    text = table.to_csv(index=False, lineterminator="\n").encode()
    write_atomically(folder / "strata.csv", lambda file: file.write(text))
