"""The specification of a release: one YAML file, one model.

Relative paths are looked up beside the YAML file, then in the current folder; suites of expectations
also among those that the package ships.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)

from synth_tasks.data import Kind, VariableOverride
from synth_tasks.errors import ModelError, PoolingError, SpecError
from synth_tasks.inference import MODELS, Covariance, Unconverged, check_request
from synth_tasks.release.block_names import check_block_name
from synth_tasks.release.mistakes import explain_mistake
from synth_tasks.release.plain_content import refuse_odd_content
from synth_tasks.release.pooling_choice import choose_pooling_rule, list_rules
from synth_tasks.release.runner_options import Runner, check_runner
from synth_tasks.sdc import Step
from synth_tasks.settings import Settings

MAX_SPEC_BYTES = 1_000_000
SOURCES = ("builtin", "csv", "parquet", "arrow", "spss", "stata", "sas", "sql")
MAX_BRACKETS = 500
BRACKETS = re.compile(r"[\[\]{}]")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
# Strict, or YAML's 0 and 1 would become False and True.
Label = Annotated[
    StrictStr | StrictBool | StrictInt | StrictFloat, Field(union_mode="left_to_right")
]


class SpecModel(Settings):
    """A part of the specification."""


class SourceSpec(SpecModel):
    """The confidential data: exactly one of the first eight keys.

    CSV, Parquet and Arrow may be URLs that fsspec knows, such as ``s3://bucket/file.parquet``.
    """

    builtin: Literal["boys", "boys_completed"] | None = Field(
        None, description="A data set that the package ships."
    )
    csv: str | None = Field(None, description="A CSV file in UTF-8 with a header row.")
    parquet: str | None = Field(None, description="A Parquet file, or a folder of such files.")
    arrow: str | None = Field(None, description="An Arrow IPC (Feather) file.")
    spss: str | None = Field(None, description="An SPSS file (.sav, .zsav); extra [formats].")
    stata: str | None = Field(None, description="A Stata file (.dta); extra [formats].")
    sas: str | None = Field(None, description="A SAS file (.sas7bdat, .xpt); extra [formats].")
    sql: str | None = Field(None, description="A query; needs block or url_env.")
    block: str | None = Field(
        None,
        pattern=r"^((sqlalchemy-connector|database-credentials)/)?[a-z0-9-]+$",
        description="Prefect block with the database: DatabaseSource, or sqlalchemy-connector/name.",
    )
    url_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable with the SQLAlchemy address of the database.",
    )
    delimiter: str = Field(
        ",", min_length=1, max_length=1, description="Separator of the CSV file."
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal sign of the CSV file.")
    missing: list[str] = Field(
        ["", "NA"], description="Texts that mean a missing value in the CSV file."
    )

    @model_validator(mode="after")
    def _one_source(self) -> SourceSpec:
        if sum(getattr(self, name) is not None for name in SOURCES) != 1:
            raise ValueError(f"give exactly one of {', '.join(SOURCES)}")
        places = sum(place is not None for place in (self.block, self.url_env))
        if self.sql is not None and places != 1:
            raise ValueError("sql needs one of block and url_env")
        if self.sql is None and places:
            raise ValueError("block and url_env belong to sql")
        return self

    @model_validator(mode="after")
    def _signs_are_apart(self) -> SourceSpec:
        if not self.delimiter.isascii() or self.delimiter in '"\r\n\0':
            raise ValueError("delimiter must be an ASCII sign such as , ; | or a tab, and no quote")
        if self.csv is not None and self.delimiter == self.decimal:
            raise ValueError(
                "delimiter and decimal are the same sign: set dataset.source.delimiter"
            )
        return self

    @property
    def kind(self) -> str:
        """Which of the sources is given."""
        return next(name for name in SOURCES if getattr(self, name) is not None)

    @property
    def path(self) -> str | None:
        """The file to read; None for a built-in data set and a query."""
        return None if self.kind in ("builtin", "sql") else str(getattr(self, self.kind))


class DatasetSpec(SpecModel):
    """The data set: its name, its source and what readers of the release should know."""

    name: Name = Field(description="Folder name of the release: small letters, digits, - and _.")
    title: str = Field("", description="Title for people.")
    description: str = Field("", description="What the data are about.")
    licence: str = Field("", description="Licence under which the synthetic data are published.")
    citations: list[str] = Field([], description="Where the real data come from.")
    source: SourceSpec = Field(description="Where the confidential data come from.")
    drop: list[str] = Field([], description="Columns left out of everything.")


class VariableSpec(SpecModel):
    """What inference gets wrong about a column."""

    label: str = Field("", description="What the column means, for people.")
    kind: Kind | None = Field(None, description="Measurement level.")
    categories: list[Label] | None = Field(None, description="Categories in order.")
    decimals: int | None = Field(None, ge=0, le=10, description="Decimals of a numeric column.")
    spikes: list[float] = Field(
        [], description="Numbers apart from the others: codes (-8), or a zero that many share."
    )
    keep_missing: bool = Field(
        False, description="Missing values are data: synthesised, not imputed."
    )

    @model_validator(mode="after")
    def _numbers_have_no_categories(self) -> VariableSpec:
        counts = (Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME)
        if self.categories is not None and self.kind in counts:
            raise ValueError(f"a {self.kind} variable has no categories: leave out one of the two")
        if self.categories is not None and self.spikes:
            raise ValueError("a variable with categories has no spikes: leave out one of the two")
        return self

    def as_override(self) -> VariableOverride:
        """Return the statement in the terms of the schema."""
        categories = None if self.categories is None else tuple(self.categories)
        return VariableOverride(
            self.kind, categories, self.decimals, tuple(self.spikes), self.keep_missing
        )


Method = str | dict[str, str]
Smoothing = Literal["density", "spline"]
PredictorMatrix = dict[str, dict[str, Literal[0, 1]]]


class QuickPredictors(SpecModel):
    """Choose predictors by their correlation with the variable, for wide data."""

    mincor: float = Field(0.1, ge=0, le=1, description="Least absolute correlation.")
    minpuc: float = Field(0.0, ge=0, le=1, description="Least proportion of usable cases.")
    include: list[str] = Field([], description="Predictors of every variable.")
    exclude: list[str] = Field([], description="Predictors of none.")


class PredictorBlocks(SpecModel):
    """Let variables learn from those of their block and from key variables, for very wide data."""

    groups: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        min_length=1,
        description="Columns by block, or patterns (wave1_*); those in none form one more block.",
    )
    always: list[str] = Field([], description="Key variables: predictors in all blocks.")


class ModelsSpec(SpecModel):
    """What imputation and synthesis have in common: which model learns from what."""

    options: dict[str, dict[str, Any]] = Field({}, description="Options by method.")
    variable_options: dict[str, dict[str, Any]] = Field(
        {}, description="Options of the method of single columns; they count more."
    )
    predictor_matrix: PredictorMatrix = Field(
        {}, description="Entries that differ from 1: row (filled in), column (predictor)."
    )
    quick_predictors: QuickPredictors | None = Field(
        None, description="Choose predictors by correlation; predictor_matrix counts more."
    )
    blocks: PredictorBlocks | None = Field(
        None,
        description="Choose predictors within blocks of columns; predictor_matrix counts more.",
    )
    max_predictors: int | None = Field(
        None, ge=1, description="Most predictors of a variable: those most strongly correlated."
    )
    formulas: dict[str, str] = Field(
        {}, description="How predictors enter, by column, as in R: age * reg + log(wgt)."
    )
    visit_sequence: str | list[str] = Field(
        "roman", description="roman, arabic, monotone, revmonotone, or columns in order."
    )
    post: dict[str, str] = Field(
        {}, description="Formula applied to drawn values, by column: squeeze(tv, 1, 25)."
    )
    rules: dict[str, dict[str, Label | None]] = Field(
        {}, description="Values known under a condition, by column: {age < 16: single}."
    )
    ignore: str | None = Field(
        None, description="Condition of rows that no model learns from, e.g. wgt > 150."
    )
    proper: bool = Field(
        False, description="Draw parameters too: fit models on bootstrap samples where need be."
    )


class ImputationSpec(ModelsSpec):
    """How missing cells are completed before synthesis."""

    m: int = Field(
        1, ge=1, le=100, description="Completed data sets; each is synthesised synthesis.m times."
    )
    maxit: int = Field(10, ge=1, le=1000, description="Sweeps of the chained equations.")
    method: Method = Field(
        {}, description="Method, or methods and formulas (~ ...) by column; default by kind."
    )


class SynthesisSpec(ModelsSpec):
    """How the synthetic sets are drawn."""

    m: int = Field(
        5,
        ge=1,
        le=1000,
        description="Number of synthetic sets (of each completed data set); most rules need two.",
    )
    method: str = Field("cart", description="Method of all variables not named otherwise.")
    method_by_variable: dict[str, str] = Field(
        {}, description="Method or formula (~ ...) of single columns."
    )
    # Smaller leaves copy more people: with 5 rows a leaf about four times as many as with 10.
    options: dict[str, dict[str, Any]] = Field(
        {"cart": {"minbucket": 10}}, description="Options by method."
    )
    conditioning: Literal["synthetic", "observed"] = Field(
        "synthetic", description="Draw given synthetic values, or (for comparison) given real ones."
    )
    keep: list[str] = Field(
        [], description="Columns published as they are: a partial synthesis, for public columns."
    )
    rows: str | None = Field(
        None, description="Condition of the rows that are replaced; all if not given."
    )
    k: int | None = Field(
        None, ge=1, description="Rows of a set; as many as the data if not given."
    )
    strata: list[str] = Field(
        [], description="Categorical columns that divide the data into parts with own models."
    )
    min_stratum_size: int | None = Field(
        None, ge=1, description="Smaller strata are merged; 10 + 10 a column if not given."
    )
    smoothing: Smoothing | dict[str, Smoothing] | None = Field(
        None,
        description="Replace donors' numbers by numbers nearby: density, spline, or by column.",
    )
    donor_free: bool = Field(
        False,
        description="Draw from models that hold no value of a person: smoothed leaves, parameters.",
    )
    tail_support: int = Field(
        3,
        ge=1,
        description="Least people behind the largest and smallest numbers; 1 leaves them.",
    )


def _models_of(needs: str) -> list[str]:
    return [name for name, model in MODELS.items() if model.needs == needs]


class AnalysisSpec(SpecModel):
    """An analysis whose pooled result is published with the data."""

    model: str = Field(description=f"One of {', '.join(MODELS)}.")
    formula: str | None = Field(
        None, description=f"Model formula as in R, for {', '.join(_models_of('formula'))}."
    )
    variables: list[str] | None = Field(
        None, description=f"Columns, for {', '.join(_models_of('variables'))}."
    )
    covariance: Covariance | None = Field(
        None,
        description="HC0, HC1, HC2 or HC3 for standard errors that hold for unequal variances.",
    )
    probabilities: list[float] | None = Field(
        None, description="Which quantiles, for quantile; the quartiles if not given."
    )

    @model_validator(mode="after")
    def _the_model_takes_it(self) -> AnalysisSpec:
        try:
            check_request(self.model, self.formula, self.variables, self.options)
        except ModelError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def options(self) -> dict[str, Any]:
        """The options of the model that were given."""
        given = {"covariance": self.covariance, "probabilities": self.probabilities}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def label(self) -> str:
        """The analysis in one line."""
        parts = [self.formula or ", ".join(self.variables or [])]
        if self.covariance is not None:
            parts.append(self.covariance)
        if self.probabilities is not None:
            parts.append(f"probabilities {', '.join(f'{p:g}' for p in self.probabilities)}")
        return f"{self.model}: {', '.join(parts)}"


class PoolingSpec(SpecModel):
    """How the estimates from the published sets are pooled."""

    rule: str = Field("auto", description=f"auto, or one of {list_rules()}.")
    unconverged: Unconverged = Field(
        "refuse",
        description="What becomes of fits that did not converge: refuse, leave_out or keep them.",
    )


class DisclosureSpec(SpecModel):
    """What an intruder may know and want to learn."""

    # An attribute named `keys` would make Prefect take the model for a mapping.
    key_variables: list[str] = Field(
        [],
        alias="keys",
        description="Quasi-identifiers; the first three synthesised columns if empty.",
    )
    targets: list[str] = Field(
        [], description="Sensitive columns; all that are no keys and not passive if empty."
    )
    cross_fit: bool = Field(
        True,
        description="Fit the plan to halves of the data, too, as a control for disclosure figures.",
    )
    min_category_count: int = Field(
        3,
        ge=1,
        description="Least rows of a category whose name is published without being declared.",
    )


class PolicySpec(SpecModel):
    """Which suites of expectations must be met; those not named are made from schema and spec."""

    source: str | None = Field(None, description="Suite for the data as they arrive.")
    completed: str | None = Field(None, description="Suite for the completed data.")
    synthetic: str | None = Field(None, description="Suite for every synthetic set.")
    suite: str = Field(
        "expectations/default/gate.json",
        description="Suite for the ledger of metrics: the gate. A file, or block:name of a "
        "Disclosure Policy.",
    )

    _block = field_validator("suite")(check_block_name)


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
        None, ge=0, description="Seed written in the open: for public data only."
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
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


_NOT_CONTENT: dict[str, Any] = {
    "base": True,
    "dataset": {"source": True},  # what it holds is in the digest of the data
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


def read_spec(path: str | Path) -> ReleaseSpec:
    """Read a specification from a YAML file.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    ReleaseSpec

    Raises
    ------
    SpecError
        If the file cannot be read or says something that the model does not allow.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_SPEC_BYTES:
            raise SpecError(
                f"{path}: larger than {MAX_SPEC_BYTES} bytes: this is not a release spec"
            )
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SpecError(f"cannot read the release spec {path}: {reason}") from None
    return parse_spec(text, base=file.resolve().parent, origin=str(path))


def parse_spec(text: str, base: Path, origin: str = "release spec") -> ReleaseSpec:
    """Read a specification from YAML text; see `read_spec`."""
    _refuse_deep(text, origin)
    if "&" in text and any(isinstance(t, yaml.AliasToken) for t in _scan(text, origin)):
        raise SpecError(f"{origin}: YAML aliases (*name) are not allowed: write the value out")
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506  (a SafeLoader)
    except (
        # What the constructors of explicit tags raise for texts that they do not expect.
        *(
            yaml.YAMLError,
            RecursionError,
            ValueError,
            KeyError,
            AttributeError,
            IndexError,
            TypeError,
        ),
    ) as error:
        twice = "a key is written twice" if getattr(error, "problem", "") == "key twice" else None
        problem = twice or "not valid YAML"
        raise SpecError(f"{origin}: {problem}{_position(error)}") from None
    if not isinstance(content, dict):
        raise SpecError(f"{origin}: expected keys such as dataset, synthesis, publish")
    if "base" in content:
        raise SpecError(f"{origin}: base: unknown key")
    return build_spec(content, base, origin)


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is written twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "key twice", node.start_mark)
        return mapping


def _refuse_deep(text: str, origin: str) -> None:
    """Refuse towers of brackets, for which the scanner of YAML takes time by the square."""
    depth = 0
    for sign in BRACKETS.findall(text):
        depth += 1 if sign in "[{" else -1
        if depth > MAX_BRACKETS:
            raise SpecError(f"{origin}: more than {MAX_BRACKETS} open brackets: simplify it")


def _scan(text: str, origin: str) -> list[yaml.Token]:
    try:
        return list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise SpecError(f"{origin}: not valid YAML{_position(error)}") from None


def _position(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""


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
