"""Statistical disclosure control of the drawn sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import decode, encode
from synth_tasks.release.disclosure_control import control_drawn
from synth_tasks.release.workspace import DatasetRef, Workspace
from synth_tasks.tasks.boundary import confidential
from synth_tasks.tasks.context import RunContext


@dataclass(frozen=True)
class ControlledSet:
    """A synthetic set as it is to be published, but for the order of its rows.

    Parameters
    ----------
    ref : DatasetRef
        The set.
    real : DatasetRef
        The real table at the resolution of the set.
    kept : DatasetRef or None
        Which of the rows that were drawn these are, as an array of their numbers; None if all are.
    changes : list of dict
        For each step what it changed, in counts; see `synth_tasks.sdc.Changes`.
    """

    ref: DatasetRef
    real: DatasetRef
    kept: DatasetRef | None
    changes: list[dict[str, Any]]


@task(name="control set", task_run_name="control disclosure of set {number}", cache_policy=NO_CACHE)
@confidential
def control_set(
    context: RunContext,
    completed: DatasetRef,
    synthesizer: DatasetRef,
    imputation: int,
    number: int,
    drawn: DatasetRef,
) -> ControlledSet:
    """Apply the steps of disclosure control that the specification asks for.

    Parameters
    ----------
    context : RunContext
        The release.
    completed : DatasetRef
        The real table.
    synthesizer : DatasetRef
        From `fit`, to draw rows anew.
    imputation, number : int
        As for `draw_set`.
    drawn : DatasetRef
        The set as it was drawn.

    Returns
    -------
    ControlledSet
    """
    workspace, spec, seed = context.workspace(), context.spec, context.seed()
    if not spec.sdc:
        return ControlledSet(drawn, completed, kept=None, changes=[])

    def compute(folder: Path) -> dict[str, Any]:
        real, schema = workspace.read_table(completed)
        matrix, _ = workspace.read_table(drawn)
        fitted = workspace.read_object(synthesizer)
        found = control_drawn(
            spec,
            schema,
            decode(real, schema),
            decode(matrix, schema),
            fitted,
            seed=seed,
            set_number=number,
            imputation=imputation,
        )
        files = folder / "set.parquet", folder / "real.parquet"
        all_there = len(found.kept) == len(matrix)
        return {
            "ref": workspace.write_table(files[0], encode(found.frame, found.schema), found.schema),
            "real": workspace.write_table(files[1], encode(found.real, found.schema), found.schema),
            "kept": None
            if all_there
            else workspace.write_object(folder / "kept.pickle", found.kept),
            "changes": [asdict(change) for change in found.changes],
        }

    steps = [step.model_dump_json() for step in spec.sdc]
    keys = spec.disclosure.model_dump_json()
    inputs = [completed.sha256, drawn.sha256, synthesizer.sha256, *steps, keys, str(number)]
    result, _ = workspace.run_stage("controlled", [*inputs, str(seed)], compute)
    return ControlledSet(result["ref"], result["real"], result["kept"], result["changes"])


def digests(controlled: Sequence[ControlledSet]) -> list[str]:
    """Return what stands for sets, and for which rows they are, where a stage reads them."""
    refs = [ref for each in controlled for ref in (each.ref, each.kept) if ref is not None]
    return [ref.sha256 for ref in refs]


def align(
    workspace: Workspace,
    controlled: Sequence[ControlledSet],
    real: np.ndarray,
    tables: Sequence[np.ndarray],
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Order rows so that row i of every set is the one drawn in the place of real row i.

    Parameters
    ----------
    workspace : Workspace
        Holds the numbers of the rows.
    controlled : sequence of ControlledSet
        Sets of one synthesis.
    real : ndarray of shape (n_rows, n_variables)
        The real table.
    tables : sequence of ndarray
        The sets.

    Returns
    -------
    real : ndarray of shape (n_rows, n_variables)
        Rows whose synthetic row is in all sets, then the others.
    tables : list of ndarray of shape (n_common, n_variables)
        Of each set, the rows that all of them have and that stand for a real one.
    """
    kept = [
        np.arange(len(table)) if each.kept is None else workspace.read_object(each.kept)
        for each, table in zip(controlled, tables, strict=True)
    ]
    common = reduce(np.intersect1d, kept, np.arange(len(real)))
    others = np.setdiff1d(np.arange(len(real)), common)
    own = [table[np.isin(rows, common)] for rows, table in zip(kept, tables, strict=True)]
    return real[np.concatenate([common, others])], own
