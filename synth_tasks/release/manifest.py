"""What a release says of itself: manifest.json and datapackage.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synth_tasks.data import MICROSECONDS_A_DAY, Kind, Schema, Variable
from synth_tasks.engine import ImputationPlan, Provenance
from synth_tasks.files import file_sha256
from synth_tasks.release.codebook import Codebook, ColumnNotes
from synth_tasks.release.formats import long_file
from synth_tasks.release.formats.long import IMPUTATION, MISSING, ROW
from synth_tasks.release.packages import package_versions
from synth_tasks.release.results import SuiteResult
from synth_tasks.release.source_code import engine_digest
from synth_tasks.release.spec import ReleaseSpec

MANIFEST_VERSION = 2
# Parts of the specification that do not define the release.
NOT_PUBLISHED = {"base", "publish", "policy", "run", "study", "frontier"}
MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "sav": "application/x-spss-sav",
    "dta": "application/x-stata-dta",
}


def describe_gates(results: Sequence[SuiteResult]) -> list[dict[str, Any]]:
    """Return the verdicts without the figures behind them."""
    return [
        {
            "suite": result.suite,
            "subject": result.subject,
            "description": check.description,
            "severity": check.severity,
            "passed": check.success,
        }
        for result in results
        for check in result.checks
    ]


def make_manifest(
    spec: ReleaseSpec,
    *,
    release_version: str,
    digests: Mapping[str, str],
    policy: str,
    policy_digest: str,
    seed: Mapping[str, Any],
    plan: ImputationPlan,
    provenance: Provenance,
    pooling_rule: str,
    results: Sequence[SuiteResult],
    missing_shares: Mapping[str, float],
    worst_disclosure: Mapping[str, float],
    changes: Sequence[Sequence[Mapping[str, Any]]] = (),
    decision: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Collect everything that a user of the release may want to know or check.

    Parameters
    ----------
    spec : ReleaseSpec
        Published but for its paths and seed.
    release_version : str
        Folder name of the release.
    digests : mapping of str to str
        By which the release is known again: keyed hashes ``digest`` of all that decides it,
        ``request_digest`` of data and specification alone, and ``data_digest``; ``spec_digest``.
    policy : str
        Name of the suite that judges the ledger of metrics.
    policy_digest : str
        Keyed hash of all suites of expectations that the specification names.
    seed : mapping
        Policy of the seed, with a commitment or, for public data, the seed.
    plan : ImputationPlan
        Of the synthesis.
    provenance : Provenance
        Tells an analyst which pooling rule holds.
    pooling_rule : str
        That rule.
    results : sequence of SuiteResult
        Verdicts of the suites.
    missing_shares : mapping of str to float
        Share of missing values of each variable in the data as they arrived.
    worst_disclosure : mapping of str to float
        Worst published value of each public disclosure metric.
    changes : sequence of sequence of mapping
        For each set what every step of disclosure control changed, in counts.
    decision : mapping, optional
        What a steward decided, and why; see `synth_tasks.release.approval`.

    Returns
    -------
    dict
        JSON-ready; without the checksums, which `write_manifest` adds.
    """
    by_stratum = spec.partition is not None and spec.synthesis.chooses_predictors
    told = provenance.conditioning == "synthetic" and not by_stratum
    predictors = plan.sequential_predictors if told else {}
    # A choice of predictors rests on the real rows of a stratum: it is said, not told.
    chosen = {"predictors_chosen": "in each stratum, from its own rows"} if by_stratum else {}
    parts = {"divided_by": list(plan.strata)} if spec.partition is not None else {}
    return {
        "manifest_version": MANIFEST_VERSION,
        "name": spec.dataset.name,
        "version": release_version,
        "title": spec.dataset.title,
        **digests,
        "policy": policy,
        "policy_digest": policy_digest,
        "engine_digest": engine_digest(),
        "seed": dict(seed),
        "synthesis": {
            "stage": provenance.stage,
            "m": provenance.m,
            "r": provenance.r,
            "sets": spec.n_sets,
            "n": provenance.n,
            "k": provenance.k,
            "proper": provenance.proper,
            "conditioning": provenance.conditioning,
            "synthesised": list(provenance.synthesised),
            "rows": spec.synthesis.rows,
            "kept": [name for name in plan.schema.names if name not in provenance.synthesised],
            "methods": provenance.methods,
            "predictors": {name: list(p) for name, p in predictors.items()},
            **chosen,
            **parts,
            "visit_sequence": list(plan.visit_sequence),
            "options": {name: dict(options) for name, options in plan.options.items()},
        },
        "imputation": {
            "m": spec.imputation.m,
            "maxit": spec.imputation.maxit,
            "missing_shares": dict(missing_shares),
        },
        "disclosure_control": [list(map(dict, steps)) for steps in changes if steps],
        "approval": None if decision is None else dict(decision),
        "pooling_rule": pooling_rule,
        "gates": describe_gates(results),
        "worst_disclosure": dict(worst_disclosure),
        "guarantee": "no formal privacy guarantee (not differentially private)",
        "spec": published_spec(spec),
        "packages": package_versions(),
    }


def published_spec(spec: ReleaseSpec) -> dict[str, Any]:
    """Return the specification as the manifest holds it: without sources, paths and seed."""
    content = spec.model_dump(mode="json", exclude=NOT_PUBLISHED)
    content["dataset"].pop("source")
    if spec.partition is None:
        content.pop("partition")
    # Categories stand in the data package as published; some may have been merged away since.
    for variable in content["variables"].values():
        variable.pop("categories", None)
    return content


def describe_partial(manifest: Mapping[str, Any]) -> str:
    """Say which values of a partial synthesis are real; the empty text for a complete one."""
    synthesis = manifest.get("synthesis", {})
    parts = []
    if synthesis.get("kept"):
        parts.append(f"the columns {', '.join(synthesis['kept'])} are those of the real data")
    if synthesis.get("rows"):
        parts.append(f"rows that do not meet the condition {synthesis['rows']} are real")
    return ", and ".join(parts)


# --- Frictionless data package --------------------------------------------------------------------


def make_datapackage(
    spec: ReleaseSpec,
    schema: Schema,
    release_version: str,
    folder: Path,
    files: Sequence[str | list[str]],
    codebook: Codebook | None = None,
) -> dict[str, Any]:
    """Describe the data files as a Frictionless Data Package.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        The variables.
    release_version : str
        Its name.
    folder : Path
        Its folder.
    files : sequence of str, or list of str
        The data files, relative to the folder; a list for a set in several files.
    codebook : Codebook, optional
        Variable labels.

    Returns
    -------
    dict
        JSON-ready.

    References
    ----------
    Frictionless Data, Data Package specification, version 1.
    """
    dataset = spec.dataset
    fields = [_field(variable, (codebook or Codebook())[variable.name]) for variable in schema]
    together = long_file(dataset.name)
    package: dict[str, Any] = {
        "profile": "data-package",
        "name": f"{dataset.name}-synthetic",
        "title": dataset.title or dataset.name,
        "description": dataset.description,
        "version": release_version,
        "sources": [{"title": citation} for citation in dataset.citations],
        "resources": [
            _resource(
                _long_schema(fields) if name == together else {"fields": fields}, folder, name
            )
            for name in files
        ],
    }
    if dataset.licence:
        package["licenses"] = [{"name": dataset.licence}]
    return package


def _long_schema(fields: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Describe the file with all sets, of which the first is missing."""
    numbers = [{"name": name, "type": "integer"} for name in (IMPUTATION, ROW)]
    return {"fields": [*numbers, *map(_may_be_missing, fields)], "missingValues": [MISSING]}


def _may_be_missing(field: dict[str, Any]) -> dict[str, Any]:
    return {**field, "constraints": {**field["constraints"], "required": False}}


def _resource(schema: dict[str, Any], folder: Path, name: str | list[str]) -> dict[str, Any]:
    if isinstance(name, list):
        return _parted_resource(schema, folder, name)
    path = folder / name
    suffix = path.suffix.removeprefix(".")
    return {
        "name": path.name.replace(".", "-"),
        "path": name,
        "format": suffix,
        "mediatype": MEDIA_TYPES[suffix],
        **({"encoding": "utf-8", "profile": "tabular-data-resource"} if suffix == "csv" else {}),
        "bytes": path.stat().st_size,
        "hash": f"sha256:{file_sha256(path)}",
        "schema": schema,
    }


def _parted_resource(schema: dict[str, Any], folder: Path, names: list[str]) -> dict[str, Any]:
    """Describe a set in several files; their hashes are in the manifest."""
    first = Path(names[0])
    suffix = first.suffix.removeprefix(".")
    return {
        "name": first.parent.name,
        "path": names,
        "format": suffix,
        "mediatype": MEDIA_TYPES[suffix],
        "bytes": sum((folder / name).stat().st_size for name in names),
        "schema": schema,
    }


def _field(variable: Variable, notes: ColumnNotes) -> dict[str, Any]:
    types = {
        Kind.NUMERIC: "number",
        Kind.INTEGER: "integer",
        Kind.BOOLEAN: "boolean",
        Kind.DATETIME: "datetime",
    }
    labels = variable.categories if variable.kind is not Kind.BOOLEAN else ()
    whole = bool(labels) and all(type(label) is int for label in labels)
    field: dict[str, Any] = {
        "name": variable.name,
        **({"title": notes.label} if notes.label else {}),
        "type": "integer" if whole else types.get(variable.kind, "string"),
        "constraints": {"required": not variable.keep_missing},
    }
    if variable.kind is Kind.DATETIME:
        # Whole days are written without a time; other times as 2024-01-31 12:00:00.
        field |= {"type": "date"} if variable.time_step == MICROSECONDS_A_DAY else {"format": "any"}
    if variable.is_categorical and variable.kind is not Kind.BOOLEAN:
        field["constraints"]["enum"] = list(labels) if whole else [str(label) for label in labels]
        field["ordered"] = variable.kind is Kind.ORDINAL
    return field
