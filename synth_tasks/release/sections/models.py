"""Sections about the models that complete and synthesise the data."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from synth_tasks.release.sections.base import Label, SpecModel

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

    @property
    def chooses_predictors(self) -> bool:
        """Whether the data decide which variable learns from which."""
        return self.quick_predictors is not None or self.max_predictors is not None


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
