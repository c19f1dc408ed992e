"""Statistical disclosure control of the drawn sets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from synth_tasks.data import decode, encode
from synth_tasks.release.disclosure_control import control_drawn
from synth_tasks.release.workspace import DatasetRef
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
    in_order : bool
        Whether row i still is the one that was drawn in the place of real row i.
    changes : list of dict
        For each step what it changed, in counts; see `synth_tasks.sdc.Changes`.
    """

    ref: DatasetRef
    real: DatasetRef
    in_order: bool
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
        return ControlledSet(drawn, completed, in_order=True, changes=[])

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
        return {
            "ref": workspace.write_table(files[0], encode(found.frame, found.schema), found.schema),
            "real": workspace.write_table(files[1], encode(found.real, found.schema), found.schema),
            "in_order": len(found.frame) == len(matrix),
            "changes": [asdict(change) for change in found.changes],
        }

    steps = [step.model_dump_json() for step in spec.sdc]
    keys = spec.disclosure.model_dump_json()
    inputs = [completed.sha256, drawn.sha256, synthesizer.sha256, *steps, keys, str(number)]
    result, _ = workspace.run_stage("controlled", [*inputs, str(seed)], compute)
    return ControlledSet(result["ref"], result["real"], result["in_order"], result["changes"])
