"""Sections about the confidential data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from synth_tasks.data import Kind, VariableOverride
from synth_tasks.release.sections.base import Label, Name, SpecModel

SOURCES = ("builtin", "csv", "parquet", "arrow", "spss", "stata", "sas", "sql")


class SourceSpec(SpecModel):
    """The confidential data: exactly one of the first eight keys.

    CSV, Parquet and Arrow may be URLs such as ``s3://bucket/file.parquet``; `locations.STORES` lists
    the kinds.
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
    public: bool = Field(
        False, description="Everybody may have the data: seed and key need not be secret."
    )


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
