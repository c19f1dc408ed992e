"""The specification of a release: one YAML file, one model.

Relative paths are looked up beside the YAML file, then in the current folder; suites of expectations
also among those that the package ships.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from synth_tasks.errors import PoolingError, SpecError
from synth_tasks.release.mistakes import explain_mistake
from synth_tasks.release.plain_content import refuse_odd_content
from synth_tasks.release.pooling_choice import choose_pooling_rule
from synth_tasks.release.sections import (
    AnalysisSpec,
    DatasetSpec,
    DisclosureSpec,
    FrontierSpec,
    ImputationSpec,
    PartitionSpec,
    PolicySpec,
    PoolingSpec,
    PublishSpec,
    RunSpec,
    SpecModel,
    StudySpec,
    SynthesisSpec,
    VariableSpec,
)
from synth_tasks.sdc import Step


class ReleaseSpec(SpecModel):
    """Everything that defines a release."""

    model_config = ConfigDict(title="All keys")  # in forms, beside the name of a file

    dataset: DatasetSpec
    variables: dict[str, VariableSpec] = Field({}, description="What inference gets wrong.")
    imputation: ImputationSpec = ImputationSpec()
    synthesis: SynthesisSpec = SynthesisSpec()
    sdc: list[Step] = Field(default_factory=list)
    analysis: list[AnalysisSpec] = Field(default_factory=list)
    pooling: PoolingSpec = PoolingSpec()
    disclosure: DisclosureSpec = DisclosureSpec()
    policy: PolicySpec = PolicySpec()
    publish: PublishSpec = PublishSpec()
    run: RunSpec = RunSpec()
    partition: PartitionSpec | None = Field(
        None, description="Work stratum by stratum, for data that outgrow memory."
    )
    study: StudySpec = StudySpec()
    frontier: FrontierSpec = FrontierSpec()
    base: str = Field(".", description="Folder that relative paths start from; set when read.")

    @field_validator("analysis")
    @classmethod
    def _labels_differ(cls, value: list[AnalysisSpec]) -> list[AnalysisSpec]:
        labels = [analysis.label for analysis in value]
        if len(set(labels)) != len(labels):
            raise ValueError("the same analysis is listed twice")
        return value

    @model_validator(mode="after")
    def _seeds_of_confidential_data_are_secret(self) -> ReleaseSpec:
        public = self.dataset.public or self.dataset.source.builtin is not None
        if self.publish.seed is not None and not public:
            raise ValueError(
                "publish.seed stands in the open, and whoever has it can test guesses about the data: "
                "leave it out (a secret one is drawn and kept), or give --seed or publish.seed_secret; "
                "if everybody may have the data, say dataset.public: true"
            )
        return self

    @model_validator(mode="after")
    def _only_models_without_donors_are_published(self) -> ReleaseSpec:
        if self.publish.synthesizer and not self.synthesis.donor_free:
            raise ValueError("publish.synthesizer needs synthesis.donor_free: true")
        if self.publish.synthesizer and self.imputation.m > 1:
            raise ValueError("publish.synthesizer needs imputation.m: 1")
        return self

    @model_validator(mode="before")
    @classmethod
    def _parts_are_parquet(cls, content: Any) -> Any:
        """Publish a partitioned release as Parquet alone, unless other formats are asked for."""
        if not isinstance(content, dict) or content.get("partition") is None:
            return content
        publish = content.get("publish", {})
        if not isinstance(publish, dict) or "formats" in publish:
            return content
        return {**content, "publish": {**publish, "formats": ["parquet"]}}

    @model_validator(mode="after")
    def _parts_can_be_made(self) -> ReleaseSpec:
        if self.partition is None:
            return self
        if not self.synthesis.strata:
            raise ValueError("partition needs synthesis.strata: the columns that divide the data")
        for key in ("rows", "ignore"):
            if getattr(self.synthesis, key) is not None:
                raise ValueError(f"partition and synthesis.{key} exclude each other: leave one out")
        if self.imputation.ignore is not None:
            raise ValueError("partition and imputation.ignore exclude each other: leave one out")
        if self.publish.synthesizer:
            raise ValueError("partition and publish.synthesizer exclude each other: leave one out")
        if any(step.step == "merge_rare_levels" for step in self.sdc):
            raise ValueError(
                "partition and the step merge_rare_levels exclude each other: it would merge other "
                "levels in each stratum"
            )
        others = [name for name in self.publish.formats if name not in ("parquet", "csv")]
        if others:
            raise ValueError(
                f"partition publishes parquet and csv: leave out publish.formats {others[0]}"
            )
        return self

    @model_validator(mode="after")
    def _the_pooling_rule_holds(self) -> ReleaseSpec:
        try:
            _ = self.pooling_rule
        except PoolingError as error:
            raise ValueError(f"pooling.rule: {error}") from None
        return self

    @property
    def pooling_rule(self) -> str:
        """The rule by which estimates from the published sets are pooled."""
        s = self.synthesis
        real = bool(s.keep) or s.rows is not None
        return choose_pooling_rule(self.pooling.rule, self.imputation.m, s.m, s.proper, real)

    def find(self, path: str, or_folder: bool = False) -> Path:
        """Return an existing file, or folder where one will do, for a path of the specification."""
        folders = list(dict.fromkeys([Path(self.base).resolve(), Path.cwd()]))
        for folder in folders:
            place = folder / path
            try:
                if place.is_file() or (or_folder and place.is_dir()):
                    return place.resolve()
            except (OSError, ValueError):  # a name that no file can have, or a locked folder
                continue
        looked = " and ".join(str(folder) for folder in folders)
        raise SpecError(f"file not found: '{path}' (looked in {looked})")

    @property
    def n_sets(self) -> int:
        """Number of synthetic sets that are published."""
        return self.imputation.m * self.synthesis.m

    def digest(self) -> str:
        """Return a hash of everything that decides what is released.

        Where the data come from, where they are published, and the seed do not count.
        """
        content = self.model_dump(mode="json", exclude=_NOT_CONTENT)
        if self.partition is None:  # as before there was such a thing
            content.pop("partition")
        return _hash(content)

    def asked_digest(self) -> str:
        """Return a hash of what is asked for beyond the defaults.

        It outlives versions of the code: a new key, or another default of one that is not given, leaves
        it as it is, which `digest` does not.
        """
        content = self.model_dump(mode="json", exclude=_NOT_CONTENT, exclude_defaults=True)
        # The name of a step is the default of its class.
        content["sdc"] = [
            {**step.model_dump(mode="json", exclude_defaults=True), "step": step.step}
            for step in self.sdc
        ]
        # A section in which nothing but places is given is as one that is not there.
        return _hash({key: value for key, value in content.items() if value})


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


_NOT_CONTENT: dict[str, Any] = {
    "base": True,
    # What the source holds is in the digest of the data.
    "dataset": {"source": True, "public": True},
    "run": True,
    "study": True,
    "frontier": True,
    "publish": dict.fromkeys(
        [
            *("to", "approval", "seed", "seed_secret", "signing_key", "signing_key_secret"),
            "keep_workspace",
        ],
        True,
    ),
}


def build_spec(content: dict[str, Any], base: Path, origin: str = "release spec") -> ReleaseSpec:
    """Build a specification from plain content; the first error is reported in one line."""
    refuse_odd_content(content, origin)
    try:
        return ReleaseSpec.model_validate({**content, "base": str(base)})
    except ValidationError as errors:
        mistake = explain_mistake(ReleaseSpec, errors.errors()[0], hidden=["base"])
        more = errors.error_count() - 1
        also = f" (and {more} more)" if more else ""
        raise SpecError(f"{origin}: {mistake}{also}") from None


def change_spec(spec: ReleaseSpec, changes: Mapping[str, Mapping[str, Any]]) -> ReleaseSpec:
    """Return a specification with other values, as a command line gives them.

    Parameters
    ----------
    spec : ReleaseSpec
        The specification.
    changes : mapping of str to mapping
        New values by section and key; None leaves a value as it is.

    Returns
    -------
    ReleaseSpec

    Raises
    ------
    SpecError
        If a value is not allowed.
    """
    content = spec.model_dump(mode="json")
    base = content.pop("base")
    for section, values in changes.items():
        content[section] |= {key: value for key, value in values.items() if value is not None}
    return build_spec(content, Path(base), "command line")
