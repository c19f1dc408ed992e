"""What a study takes for the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Schema, decode
from synth_tasks.engine import ImputationPlan
from synth_tasks.engine.imputed import make_provenance
from synth_tasks.errors import SpecError, SynthError
from synth_tasks.inference import ModelFit, choose_rule, fit_model, summarize
from synth_tasks.release.plans import plan_synthesis
from synth_tasks.release.sections import AnalysisSpec
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.study.moments import STATISTICS, moments


@dataclass(frozen=True, eq=False)
class Population:
    """Complete data in the part of the population, and how samples of it are synthesised.

    Parameters
    ----------
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded, complete.
    plan : ImputationPlan
        The synthesis. Samples have the rows of the population, so one plan serves all.
    analyses : tuple of AnalysisSpec
        What is estimated.
    truths : tuple of ModelFit
        The analyses of the population.
    rule : str
        How estimates from synthetic sets are pooled.
    """

    schema: Schema
    matrix: np.ndarray
    plan: ImputationPlan
    analyses: tuple[AnalysisSpec, ...]
    truths: tuple[ModelFit, ...]
    rule: str

    @property
    def terms(self) -> pd.DataFrame:
        """The estimands: columns analysis, model, term, scale and true, on the scale of intervals."""
        rows = [
            (analysis.label, analysis.model, term, truth.scale, value)
            for analysis, truth in zip(self.analyses, self.truths, strict=True)
            for term, value in zip(truth.terms, truth.reported, strict=True)
        ]
        return pd.DataFrame(rows, columns=["analysis", "model", "term", "scale", "true"])

    @property
    def statistics(self) -> pd.DataFrame:
        """Univariate statistics of the population: columns variable, statistic and true."""
        values = moments(self.matrix[None], self.schema)[0]
        return pd.DataFrame(
            {
                "variable": np.repeat(self.schema.names, len(STATISTICS)),
                "statistic": np.tile(STATISTICS, len(self.schema)),
                "true": values.ravel(),
            }
        )

    def frame(self, matrix: np.ndarray) -> pd.DataFrame:
        """Decode rows for the models: categories have all levels, in order."""
        frame = decode(matrix, self.schema)
        for variable in self.schema:
            if variable.is_categorical:
                ordered = variable.kind is Kind.ORDINAL
                dtype = pd.CategoricalDtype(variable.categories, ordered=ordered)
                frame[variable.name] = frame[variable.name].astype(object).astype(dtype)
        return frame


def make_population(spec: ReleaseSpec, schema: Schema, matrix: np.ndarray) -> Population:
    """Take complete data for the population of a study.

    Parameters
    ----------
    spec : ReleaseSpec
        How its samples are synthesised and analysed.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded, complete.

    Returns
    -------
    Population

    Raises
    ------
    SpecError
        If there is no analysis, or one that cannot be fitted to the population.
    """
    if not spec.analysis:
        raise SpecError("a study needs something to estimate: add an analysis to the specification")
    plan = plan_synthesis(spec, schema, matrix)
    rule, _ = choose_rule(make_provenance(plan, has_missing=False))
    if spec.pooling.rule != "auto" and spec.imputation.m == 1:
        rule = spec.pooling.rule
    population = Population(schema, matrix, plan, tuple(spec.analysis), (), rule)
    frame = population.frame(matrix)
    truths = []
    for analysis in spec.analysis:
        try:
            truth = fit_model(
                frame, analysis.model, analysis.formula, analysis.variables, **analysis.options
            )
            summarize(truth)  # refuses a fit that did not converge
            truths.append(truth)
        except SynthError as error:
            raise SpecError(f"analysis '{analysis.label}': {error}") from None
    return replace(population, truths=tuple(truths))
