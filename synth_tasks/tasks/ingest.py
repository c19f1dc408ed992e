"""Reading the confidential data into the private workspace."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.release.stages import load_source
from synth_tasks.release.workspace import DatasetRef
from synth_tasks.tasks.boundary import confidential, may_retry
from synth_tasks.tasks.connections import database_url
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.validate import check_targets


@dataclass(frozen=True)
class Ingested:
    """The data as they arrived.

    Parameters
    ----------
    ref : DatasetRef
        The table in the workspace.
    fingerprint : str
        Keyed hash of its content.
    missing_values : dict of str to int
        Missing values of each variable.
    codebook : dict
        Labels and codes of the columns, see `Codebook.to_dict`; they are published.
    """

    ref: DatasetRef
    fingerprint: str
    missing_values: dict[str, int]
    codebook: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.ref.rows

    @property
    def columns(self) -> int:
        """Number of variables."""
        return self.ref.columns


@task(
    name="ingest",
    task_run_name="ingest {context.spec.dataset.name}",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_condition_fn=may_retry,
)
@confidential
def ingest(context: RunContext) -> Ingested:
    """Read the source, check it against the specification, and store it encoded.

    Parameters
    ----------
    context : RunContext
        The release.

    Returns
    -------
    Ingested
    """
    table = load_source(context.spec, database_url(context.spec))
    check_targets(context.spec, table.schema)
    workspace = context.workspace()
    codebook = table.codebook.to_dict()
    fingerprint = workspace.fingerprint(table.matrix, table.schema)
    if codebook:
        fingerprint = workspace.digest(fingerprint, json.dumps(codebook))
    result, _ = workspace.run_stage(
        "raw",
        [fingerprint],
        lambda folder: {
            "ref": workspace.write_table(folder / "raw.parquet", table.matrix, table.schema)
        },
    )
    return Ingested(result["ref"], fingerprint, table.missing_values, codebook)
