"""Building the bundle and making it public at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.files import write_atomically
from synth_tasks.ledger import STRATUM
from synth_tasks.release.approval import Decision, keep_decision, read_decision
from synth_tasks.release.bundle import (
    write_json,
    write_manifest,
    write_public,
)
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.disclosed import worst_figures
from synth_tasks.release.integrity import MANIFEST, SIGNATURE
from synth_tasks.release.limits import safe_csv
from synth_tasks.release.manifest import make_datapackage, make_manifest
from synth_tasks.release.pictures import marginals, to_png
from synth_tasks.release.publication import find_release, point_latest, publish_draft
from synth_tasks.release.readme import make_readme
from synth_tasks.release.report import (
    ReportContent,
    render_report,
    render_validation,
    withhold_real,
)
from synth_tasks.release.results import AnalysisResult
from synth_tasks.release.seeds import commitment
from synth_tasks.release.signing import PUBLIC_KEY, Signer
from synth_tasks.release.source_code import engine_digest
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stores import Published
from synth_tasks.release.workspace import Secrets
from synth_tasks.tasks.boundary import confidential, may_retry
from synth_tasks.tasks.context import RunContext, find_signer
from synth_tasks.tasks.made import Made, Tables
from synth_tasks.tasks.pool import read_analysis
from synth_tasks.tasks.validate import load_policy

PUBLISHED_DIGITS = 2
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Review:
    """What a steward is asked to decide about.

    Parameters
    ----------
    key : str
        Digest of sets and findings; a decision holds for it alone.
    report : str
        Private report.
    decision : Decision or None
        What was decided already.
    is_known : bool
        Whether the report was there before this run, for somebody to read.
    """

    key: str
    report: str
    decision: Decision | None
    is_known: bool


def release_digest(context: RunContext, fingerprint: str) -> str:
    """Return the keyed hash of data, specification, policy and engine; the seed does not count."""
    return context.workspace().digest(
        fingerprint, context.spec.digest(), policy_digest(context), engine_digest()
    )


def release_digests(context: RunContext, fingerprint: str) -> dict[str, str]:
    """Return the digests by which a release is known again, as its manifest has them.

    A release that was withdrawn is known by its data and what was asked for: neither the code nor the
    suites of expectations, some of which come with it, count for `request_digest`.
    """
    workspace, spec = context.workspace(), context.spec
    return {
        "digest": release_digest(context, fingerprint),
        "request_digest": workspace.digest("request", fingerprint, spec.asked_digest()),
        "data_digest": fingerprint,
        "spec_digest": spec.digest(),
    }


def policy_digest(context: RunContext) -> str:
    """Return the keyed hash of all suites that the specification names."""
    policy = json.dumps(load_policy(context.spec, context.gate), sort_keys=True)
    return context.workspace().digest("policy", policy)


@task(name="look for release", task_run_name="look for an equal release", cache_policy=NO_CACHE)
@confidential
def find_published(context: RunContext, fingerprint: str) -> Published | None:
    """Return the release of the same data, specification and engine, if there is one.

    Parameters
    ----------
    context : RunContext
        The release.
    fingerprint : str
        Of the data as they arrived.

    Returns
    -------
    Published or None
    """
    return find_release(
        context.releases(), release_digests(context, fingerprint), find_signer(context.spec)
    )


@task(name="draw picture", task_run_name="draw a picture of the sets", cache_policy=NO_CACHE)
@confidential
def draw_picture(context: RunContext, made: Made) -> bytes:
    """Draw the distributions of the synthetic sets as a PNG."""
    tables = made.tables(context)
    return to_png(marginals(tables.schema, tables.sets), dpi=80)


@task(
    name="publish",
    task_run_name="publish {context.spec.dataset.name}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_condition_fn=may_retry,
)
@confidential
def publish(context: RunContext, made: Made, decision: Decision | None = None) -> Published:
    """Write the bundle to staging, verify it, make it visible at once, and move `latest`.

    Parameters
    ----------
    context : RunContext
        The release.
    made : Made
        What is published.
    decision : Decision, optional
        Of a steward, for the manifest.

    Returns
    -------
    Published
    """
    workspace, releases = context.workspace(), context.releases()
    signer = find_signer(context.spec)
    digests = release_digests(context, made.ingested.fingerprint)
    already = find_release(releases, digests, signer)
    if already is not None:  # an attempt before this one made it visible
        point_latest(releases, already.version, signer)
        return replace(already, new=True)
    version = context.version(digests["digest"])
    tables = made.tables(context)
    content = _compose(context, made, tables, version, decision)
    _write_private_report(workspace.private("reports", version), content, made)
    with releases.staging() as draft:
        _write_bundle(draft, context, made, tables, content, signer)
        return publish_draft(releases, draft, version, signer)


@task(name="review", task_run_name="prepare the review", cache_policy=NO_CACHE)
@confidential
def review(context: RunContext, made: Made) -> Review:
    """Write the private report for a steward, and look whether a decision was made already.

    Parameters
    ----------
    context : RunContext
        The release.
    made : Made
        What is to be decided about.

    Returns
    -------
    Review
    """
    workspace = context.workspace()
    digest = release_digest(context, made.ingested.fingerprint)
    findings = [suite.to_dict() for suite in made.suites]
    # The steward decides about these sets and findings; with others the question is a new one.
    key = workspace.digest("review", digest, *made.set_digests, json.dumps(findings))[:32]
    content = _compose(context, made, made.tables(context), UNDECIDED, None)
    folder = workspace.private("reviews", key)
    report = folder / "report.html"
    is_known = report.is_file()
    _write_private_report(folder, content, made)
    return Review(key, str(report), read_decision(workspace, key), is_known)


@task(name="keep decision", task_run_name="keep the steward's decision", cache_policy=NO_CACHE)
@confidential
def record_decision(context: RunContext, key: str, decision: Decision) -> None:
    """Keep what was decided about a review in the workspace."""
    keep_decision(context.workspace(), key, decision)


@task(name="quarantine", task_run_name="quarantine the rejected sets", cache_policy=NO_CACHE)
@confidential
def quarantine(context: RunContext, made: Made, found: Review, decision: Decision) -> str:
    """Keep a rejected release, with the reason, in the private workspace.

    Parameters
    ----------
    context : RunContext
        The release.
    made : Made
        What was rejected.
    found : Review
        What was decided about.
    decision : Decision
        The rejection.

    Returns
    -------
    str
        The folder.
    """
    workspace = context.workspace()
    tables = made.tables(context)
    content = _compose(context, made, tables, UNDECIDED, decision)
    shutil.rmtree(workspace.private("quarantine", found.key))  # of an attempt before this one
    folder = workspace.private("quarantine", found.key)
    # What was rejected is not signed, as nothing is that was not published.
    _write_bundle(folder, context, made, tables, content, signer=None)
    return str(folder)


def _compose(
    context: RunContext,
    made: Made,
    tables: Tables,
    version: str,
    decision: Decision | None,
) -> ReportContent:
    """Collect what the reports and the bundle tell."""
    spec, ingested = context.spec, made.ingested
    plan, provenance = made.plan(context)
    ledger = _coarse(made.ledger)
    manifest = make_manifest(
        spec,
        release_version=version,
        digests=release_digests(context, ingested.fingerprint),
        policy=load_policy(spec, context.gate)["gate"]["name"],
        policy_digest=policy_digest(context),
        seed=describe_seed(context.secrets(), spec),
        plan=plan,
        provenance=provenance,
        pooling_rule=spec.pooling_rule,
        results=made.suites,
        missing_shares=_missing_shares(ingested.missing_values, ingested.rows),
        worst_disclosure=worst_figures(ledger),
        changes=made.changes,
        decision=None if decision is None else decision.to_dict(),
    )
    return ReportContent(
        title=spec.dataset.title or spec.dataset.name,
        name=spec.dataset.name,
        version=version,
        description=spec.dataset.description,
        licence=spec.dataset.licence,
        sources=list(spec.dataset.citations),
        schema=tables.schema,
        sets=tables.sets,
        ledger=ledger,
        suites=made.suites,
        analyses=[read_analysis(ref) for ref in made.analyses],
        manifest=manifest | made.facts,
        real=tables.real,
        rows=made.sampled_rows,
    )


def purge(context: RunContext) -> None:
    """Remove the confidential intermediate files, unless the specification keeps them."""
    if not context.spec.publish.keep_workspace:
        context.workspace().purge()


def _missing_shares(missing_values: Mapping[str, int], n_rows: int) -> dict[str, float]:
    """Return the share of missing values of each variable, in whole per cents."""
    return {name: round(count / n_rows, 2) for name, count in missing_values.items()}


def describe_seed(found: Secrets, spec: ReleaseSpec) -> dict[str, Any]:
    """Say of the seed what the manifest says: the seed of public data, or a commitment."""
    if found.public:
        return {"policy": "written in the specification: public data", "value": found.seed}
    instead = " in place of the specification's" if spec.publish.seed is not None else ""
    return {
        "policy": f"secret{instead}; the holder of the workspace can prove it",
        "commitment": commitment(found.seed, found.salt),
    }


def _coarse(ledger: pd.DataFrame) -> pd.DataFrame:
    """Round the figures of a ledger for publication: exact ones would answer queries on the data.

    So would the numbers of rows that figures of strata rest on, which are counts of people.
    """
    columns = ["value", "lower", "upper", "control"]
    if STRATUM in ledger:
        rounded = [int(_round(n)) for n in ledger["n"]]
        ledger = ledger.assign(n=ledger["n"].where(ledger[STRATUM] == "", rounded))
    return ledger.assign(**{c: [_round(v) for v in ledger[c]] for c in columns})


def _round(value: float) -> float:
    if not np.isfinite(value) or value == 0:
        return float(value)
    return float(f"{value:.{PUBLISHED_DIGITS}g}")


def _write_bundle(
    draft: Path,
    context: RunContext,
    made: Made,
    tables: Tables,
    content: ReportContent,
    signer: Signer | None,
) -> None:
    """Write the sets, what describes them, and the manifest last."""
    spec = context.spec
    codebook = Codebook.from_dict(made.ingested.codebook)
    files = made.write_sets(draft, context, tables, codebook)
    schema = content.schema
    write_json(
        draft / "datapackage.json",
        make_datapackage(spec, schema, content.version, draft, files, codebook),
    )
    _write_inference(draft / "inference", content.analyses)
    public = withhold_real(content)
    write_public(draft / "validation" / "ledger.csv", safe_csv(public.ledger))
    write_json(draft / "validation" / "results.json", [s.to_dict() for s in public.suites])
    write_public(
        draft / "validation" / "validation.html", render_validation(public.suites, content.title)
    )
    write_public(draft / "report.html", render_report(content, private=False))
    write_public(draft / "README.md", make_readme(spec, schema, content.manifest))
    if signer is not None:
        write_public(draft / PUBLIC_KEY, signer.public_pem)
    write_manifest(draft, content.manifest)
    if signer is not None:
        write_public(draft / SIGNATURE, signer.sign((draft / MANIFEST).read_bytes()))


def _write_inference(folder: Path, analyses: Sequence[AnalysisResult]) -> None:
    for number, result in enumerate(analyses, start=1):
        table = result.pooled.assign(analysis=result.label, rule=result.rule)
        front = ["analysis", "rule"]
        ordered = table[[*front, *(c for c in table.columns if c not in front)]]
        write_public(folder / f"pooled-{number}.csv", safe_csv(ordered))


def _write_private_report(folder: Path, content: ReportContent, made: Made) -> None:
    """Write the report with aggregates of the real data into the workspace."""
    made.write_notes(folder)
    html = render_report(content, private=True).encode()
    write_atomically(folder / "report.html", lambda file: file.write(html))
