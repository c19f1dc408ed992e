"""Sections about what is estimated, measured and demanded."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator

from synth_tasks.errors import ModelError
from synth_tasks.inference import MODELS, Covariance, Unconverged, check_request
from synth_tasks.release.block_names import check_block_name
from synth_tasks.release.pooling_choice import list_rules
from synth_tasks.release.sections.base import SpecModel


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
