"""The analyses that are published with a release."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Schema, decode
from synth_tasks.errors import ConvergenceWarning, SpecError, SynthError
from synth_tasks.inference import (
    ModelFit,
    PooledEstimates,
    Unconverged,
    check_analysis,
    fit_model,
    pool,
    summarize,
)
from synth_tasks.inference.formula import Formula
from synth_tasks.ledger import Measurement
from synth_tasks.release.results import AnalysisResult
from synth_tasks.release.sections import AnalysisSpec
from synth_tasks.utility import Estimates, HowMade, compare_estimates

REAL_COLUMNS = ["term", "estimate", "std_error", "conf_low", "conf_high"]


def check_analyses(analyses: Sequence[AnalysisSpec], schema: Schema, matrix: np.ndarray) -> None:
    """Refuse an analysis that cannot be fitted, before any data are synthesised.

    Parameters
    ----------
    analyses : sequence of AnalysisSpec
        What is to be fitted.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Complete data of the same kind, to try on.
    """
    frame = _with_categories(decode(matrix, schema), schema) if analyses else None
    for analysis in analyses:
        try:
            asked = check_analysis(
                analysis.model,
                analysis.formula,
                analysis.variables,
                schema.names,
                analysis.options,
            )
            columns = asked.columns if isinstance(asked, Formula) else asked
            kept = [name for name in columns if schema[name].keep_missing]
            if kept:
                raise SpecError(
                    f"column '{kept[0]}' keeps missing values as data, which no model can use: leave "
                    "it out"
                )
            summarize(_fit(analysis, frame))
        except SynthError as error:
            raise SpecError(f"analysis '{analysis.label}': {error}") from None


def analysed_columns(analysis: AnalysisSpec, schema: Schema) -> list[str]:
    """Return the columns that an analysis reads, in the order of the table."""
    asked = check_analysis(
        analysis.model, analysis.formula, analysis.variables, schema.names, analysis.options
    )
    columns = asked.columns if isinstance(asked, Formula) else asked
    return [name for name in schema.names if name in columns]


def analyse(
    analysis: AnalysisSpec,
    schema: Schema,
    sets: Sequence[pd.DataFrame],
    real: Sequence[pd.DataFrame],
    rule: str = "reiter2003",
    unconverged: Unconverged = "refuse",
    *,
    proper: bool = False,
    complete: bool = True,
) -> AnalysisResult:
    """Fit an analysis to every set, pool, and fit it to the real data for comparison.

    Parameters
    ----------
    analysis : AnalysisSpec
        Model and formula or variables.
    schema : Schema
        Tells which columns are categories, whatever their dtype.
    sets : sequence of DataFrame
        The synthetic sets.
    real : sequence of DataFrame
        The completed real data, once for each imputation.
    rule : str, default "reiter2003"
        Pooling rule.
    unconverged : {"refuse", "leave_out", "keep"}, default "refuse"
        What becomes of fits that did not converge; see `synth_tasks.pool`.
    proper : bool, default False
        Whether parameters were drawn anew for every set.
    complete : bool, default True
        Whether every cell was replaced.

    Returns
    -------
    AnalysisResult
        Of nested sets without `agreement`, of which no null value is known.
    """

    def fit_all(frames: Sequence[pd.DataFrame]) -> list[ModelFit]:
        return [_fit(analysis, _with_categories(frame, schema)) for frame in frames]

    try:
        n = len(real[0]) if len(sets[0]) != len(real[0]) else None
        r = len(sets) // len(real)
        pooled = pool(fit_all(sets), rule=rule, r=r, n=n, unconverged=unconverged)
        fits = fit_all(real)
        if len(fits) == 1:
            on_real = summarize(fits[0])
            size_ratio = len(sets[0]) / len(real[0])
            how = HowMade(pooled.spread.m, rule, proper, complete, size_ratio)
            agreement = _compare(fits[0], pooled, how, analysis.label)
        else:
            on_real = pool(fits, rule="rubin1987", unconverged=unconverged).table
            agreement = ()
    except SynthError as error:
        raise type(error)(f"analysis '{analysis.label}': {error}") from None
    return AnalysisResult(
        analysis.label,
        rule,
        pooled.table,
        on_real[REAL_COLUMNS],
        tuple(pooled.unconverged),
        agreement,
    )


def _compare(
    fit: ModelFit, pooled: PooledEstimates, how: HowMade, label: str
) -> tuple[Measurement, ...]:
    """Compare the terms that have an error on both sides: a level without rows has none."""
    real, synthetic = fit.std_errors > 0, pooled.table["std_error"].to_numpy() > 0
    usable = np.flatnonzero(real & synthetic)
    if not len(usable):
        return ()
    within = np.ix_(usable, usable)
    terms = tuple(fit.terms[i] for i in usable)
    spread, table = pooled.spread, pooled.table.iloc[usable]
    return tuple(
        compare_estimates(
            Estimates(
                terms,
                fit.estimates[usable],
                fit.std_errors[usable],
                np.full(len(usable), float(fit.df_residual)),
                fit.covariance[within],
            ),
            Estimates(
                terms,
                spread.estimates[usable],
                table["std_error"].to_numpy(dtype=float),
                table["df"].to_numpy(dtype=float),
                spread.ubar[within],
                spread.b[within],
            ),
            how,
            label=label,
        )
    )


def _fit(analysis: AnalysisSpec, frame: pd.DataFrame) -> ModelFit:
    with warnings.catch_warnings():
        # Pooling tells of all sets at once, and what becomes of them.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit_model(
            frame, analysis.model, analysis.formula, analysis.variables, **analysis.options
        )


def _with_categories(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Give every categorical variable a categorical dtype, so that models code it as such."""
    frame = frame.copy()
    for variable in schema:
        if variable.kind in (Kind.BINARY, Kind.NOMINAL, Kind.ORDINAL):
            dtype = pd.CategoricalDtype(variable.categories, ordered=variable.kind is Kind.ORDINAL)
            frame[variable.name] = frame[variable.name].astype(object).astype(dtype)
    return frame


def interval_overlap(result: AnalysisResult) -> np.ndarray:
    """Return the overlap of pooled and real 95 % intervals, term by term.

    The mean of the shares of both intervals that the common part makes up; negative if they are apart.

    References
    ----------
    Karr, Kohnen, Oganian, Reiter & Sanil (2006). A framework for evaluating the utility of data altered
    to protect confidentiality. The American Statistician 60, 224-232.
    """
    low_s, high_s = (result.pooled[c].to_numpy(dtype=float) for c in ("conf_low", "conf_high"))
    low_o, high_o = (result.real[c].to_numpy(dtype=float) for c in ("conf_low", "conf_high"))
    common = np.minimum(high_s, high_o) - np.maximum(low_s, low_o)
    return (common / (high_o - low_o) + common / (high_s - low_s)) / 2
