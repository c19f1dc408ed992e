"""Reading the confidential data piece by piece, into one file of the workspace for each stratum."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import Schema, encode
from synth_tasks.errors import DataError
from synth_tasks.files import make_private_folder, readable_errors
from synth_tasks.release.division import CHANGED
from synth_tasks.release.parts import PartWriter, Stratum, StreamedFingerprint
from synth_tasks.release.sources.streams import BATCH_ROWS
from synth_tasks.release.survey import Survey, survey_source
from synth_tasks.release.workspace import Workspace
from synth_tasks.tasks.boundary import confidential, may_retry
from synth_tasks.tasks.context import RunContext
from synth_tasks.tasks.validate import check_targets


@dataclass(frozen=True)
class IngestedParts:
    """The data as they arrived, in parts.

    Parameters
    ----------
    strata : list of Stratum
        The parts, in order.
    fingerprint : str
        Keyed hash of the content of the source.
    missing_values : dict of str to int
        Missing values of each variable.
    schema : Schema
        The variables.
    codebook : dict
        Labels of the columns, see `Codebook.to_dict`; they are published.
    """

    strata: list[Stratum]
    fingerprint: str
    missing_values: dict[str, int]
    schema: Schema
    codebook: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows of all strata."""
        return sum(stratum.rows for stratum in self.strata)

    @property
    def columns(self) -> int:
        """Number of variables."""
        return len(self.schema)


@task(
    name="ingest parts",
    task_run_name="ingest {context.spec.dataset.name} in parts",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_condition_fn=may_retry,
)
@confidential
def ingest_parts(context: RunContext, batch_rows: int = BATCH_ROWS) -> IngestedParts:
    """Read the source twice in pieces: describe and check it, then store each stratum encoded.

    Parameters
    ----------
    context : RunContext
        The release.
    batch_rows : int, default 131,072
        Most rows of a piece; it changes no byte.

    Returns
    -------
    IngestedParts
    """
    workspace, survey = context.workspace(), survey_source(context.spec, batch_rows)
    check_targets(context.spec, survey.schema)
    codebook = survey.codebook.to_dict()
    draft = workspace.folder / "stages" / f".parts.{secrets.token_hex(4)}"
    with readable_errors("write to the workspace", draft):
        make_private_folder(draft)
        try:
            writer, fingerprint = _write_parts(workspace, survey, draft)
            if codebook:
                fingerprint = workspace.digest(fingerprint, json.dumps(codebook))

            def compute(folder: Path) -> dict[str, Any]:
                width = len(survey.schema)
                moved = [path.rename(folder / path.name) for path in writer.paths]
                return {
                    "refs": [
                        workspace.refer(path, rows, width)
                        for path, rows in zip(moved, writer.rows, strict=True)
                    ],
                    "holes": writer.holes,
                }

            # How the rows are divided is part of what the files hold, but not of what was read.
            inputs = [fingerprint, json.dumps(survey.division.to_list())]
            result, _ = workspace.run_stage("parts", inputs, compute)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    found = zip(survey.division.labels, result["refs"], result["holes"], strict=True)
    strata = [Stratum(number, *each) for number, each in enumerate(found)]
    return IngestedParts(strata, fingerprint, survey.missing_values, survey.schema, codebook)


def _write_parts(workspace: Workspace, survey: Survey, draft: Path) -> tuple[PartWriter, str]:
    """Write the rows of each stratum to a file, and return the writer and the fingerprint."""
    digits = len(str(survey.division.count))
    paths = [draft / f"part-{i + 1:0{digits}d}.parquet" for i in range(survey.division.count)]
    content = StreamedFingerprint(survey.schema)
    with PartWriter(paths, survey.schema) as writer:
        for frame in survey.frames():
            matrix = encode(frame, survey.schema)
            content.add(matrix)
            writer.append(matrix, survey.division.assign(matrix))
    if writer.rows != survey.division.sizes.tolist():
        raise DataError(CHANGED)
    return writer, workspace.digest("data", *content.parts())
