"""Sections about where results go, how a run works, and what is tried out."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from synth_tasks.release.block_names import check_block_name
from synth_tasks.release.runner_options import Runner, check_runner
from synth_tasks.release.sections.base import SpecModel


class PublishSpec(SpecModel):
    """Where and how the release is published; a relative folder starts at the current one."""

    to: str = Field(
        "releases",
        description="Folder, URL (s3://bucket/folder), or block:name of a Synthetic Release Store, "
        "of <dataset>/<version>.",
    )
    formats: list[Literal["parquet", "csv", "spss", "stata", "long_csv"]] = Field(
        ["parquet", "csv"],
        min_length=1,
        description="Formats of the data; long_csv is one file for R's mice::as.mids.",
    )
    approval: Literal["never", "warnings", "always"] = Field(
        "warnings",
        description="When a steward decides before publication: if a check warns, always, or never.",
    )
    seed: int | None = Field(
        None, ge=0, description="Seed written in the open: with dataset.public only."
    )
    seed_secret: str | None = Field(
        None, description="Name of the Prefect Secret block that holds the seed."
    )
    signing_key: str | None = Field(
        None, description="Path of the Ed25519 private key (PEM, mode 0600) that signs the release."
    )
    signing_key_secret: str | None = Field(
        None, description="Name of the Prefect Secret block that holds the signing key as PEM text."
    )
    synthesizer: bool = Field(
        False,
        description="Publish the models too, to draw further sets; needs synthesis.donor_free.",
    )
    keep_workspace: bool = Field(
        False, description="Keep the confidential intermediate files after publication."
    )

    _block = field_validator("to")(check_block_name)

    @model_validator(mode="after")
    def _everybody_can_read_a_format(self) -> PublishSpec:
        if not {"parquet", "csv"} & set(self.formats):
            raise ValueError("publish.formats needs parquet or csv beside the others")
        return self

    @model_validator(mode="after")
    def _one_signing_key(self) -> PublishSpec:
        if self.signing_key is not None and self.signing_key_secret is not None:
            raise ValueError("give one of signing_key and signing_key_secret")
        return self


class RunSpec(SpecModel):
    """How the work is done; none of it changes a byte of the result."""

    workers: int = Field(
        2, ge=1, le=256, description="Threads for imputing and fitting, and tasks at a time."
    )
    executor: Literal["threads", "processes"] = Field(
        "threads", description="What imputes several completed data sets at a time."
    )
    runner: Runner = Field(
        "threads", description="What works on the tasks of a flow; extras [dask] and [ray]."
    )
    scheduler: str | None = Field(
        None,
        description="Address of Dask's scheduler or of Ray; a cluster of its own if not given.",
    )
    options: dict[str, Any] = Field(
        {}, description="Options of a cluster of its own: memory_limit: 8GB of dask."
    )
    workspace_block: str | None = Field(
        None,
        pattern=r"^[a-z0-9-]+$",
        description="Synthesis Private Workspace block, by name; counts more than SYNTH_WORKSPACE.",
    )
    memory_gb: float | None = Field(
        None,
        gt=0,
        description="Memory that a release may need by prediction; what is free if not given.",
    )
    timeout_minutes: float = Field(
        240,
        gt=0,
        description="Longest time of a stage, or of a part of it that is reported; then the run ends.",
    )

    @model_validator(mode="after")
    def _the_runner_takes_it(self) -> RunSpec:
        check_runner(self.runner, self.scheduler, self.options)
        return self


class PartitionSpec(SpecModel):
    """Work stratum by stratum: no step holds the whole table. Written `partition: {}` in one line.

    Each stratum of `synthesis.strata` is imputed, synthesised and measured on its own, from files of
    its own. That is more than a way of working (holes are filled within the stratum, the sets are
    folders of Parquet files), so that it is never chosen by the size of the data.
    """

    sample_rows: int = Field(
        50_000,
        ge=1000,
        le=1_000_000,
        description="Most rows of a stratum, and of all, that costly measures and pictures look at.",
    )


class StudySpec(SpecModel):
    """A simulation study of the release: the completed data take the part of the population."""

    replicates: int = Field(
        1000, ge=2, le=100_000, description="Samples that are drawn, synthesised and analysed."
    )


Choice = StrictBool | StrictInt | StrictFloat | StrictStr | list[str] | None
MAX_SETTINGS = 200


class FrontierSpec(SpecModel):
    """Settings that are compared by their risk and their utility: all combinations of the grid."""

    grid: dict[str, Annotated[list[Choice], Field(min_length=1)]] = Field(
        {"minbucket": [3, 5, 10, 20], "smoothing": [None, "spline"]},
        description="Values by setting: a key of synthesis, or an option of its method.",
    )
    replicates: int = Field(
        100, ge=20, le=10_000, description="Samples by which the validity of each is judged."
    )
    tolerance: float = Field(
        0.03,
        gt=0,
        le=0.5,
        description="Loss of coverage of 95 % intervals that is borne, on average over estimands.",
    )

    @model_validator(mode="after")
    def _not_too_many(self) -> FrontierSpec:
        if not self.grid:
            raise ValueError("frontier.grid needs a setting, such as minbucket: [3, 10]")
        count = math.prod(len(values) for values in self.grid.values())
        if count > MAX_SETTINGS:
            raise ValueError(f"frontier.grid has {count} combinations; at most {MAX_SETTINGS}")
        return self
