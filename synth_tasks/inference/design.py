"""From a checked formula and a table to the arrays of a regression, with the names that R gives.

Ordered categories get orthogonal polynomial contrasts (``phb.L``, ``phb.Q``, ``phb.C``, ``phb^4``),
other categories and texts get treatment contrasts against the first level (``regeast``), as
``options(contrasts = c("contr.treatment", "contr.poly"))`` says in R.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula as FormulaicFormula
from formulaic.materializers import PandasMaterializer
from formulaic.materializers.types import FactorValues
from formulaic.transforms.basis_spline import basis_spline
from formulaic.transforms.contrasts import PolyContrasts, TreatmentContrasts
from interface_meta import override

from synth_tasks.errors import ModelError
from synth_tasks.inference.formula import Formula

INTERCEPT = "(Intercept)"

# Beyond the range it was learnt on a spline goes on as in R; formulaic would stop.
FUNCTIONS = {
    "sqrt": np.sqrt,
    "bs": update_wrapper(partial(basis_spline, extrapolation="extend"), basis_spline),
}

# A column of which the columns before it leave no more than this share is aliased, as in R's lm.
ALIAS_TOLERANCE = 1e-7


@dataclass(frozen=True, eq=False)
class Design:
    """The predictors of a regression.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        One column a term, of full rank.
    terms : tuple of str
        Names of the columns as in R.
    """

    x: np.ndarray
    terms: tuple[str, ...]


def build_design(data: pd.DataFrame, formula: Formula) -> Design:
    """Build the predictors that the right side of a formula asks for.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the columns that the formula uses.
    formula : Formula
        As returned by `check_formula`.

    Returns
    -------
    Design

    Raises
    ------
    ModelError
        If a value is missing, a transformation is not finite, or the terms are linearly dependent.
    """
    design = compute_design(data, formula)
    check_design(design, formula)
    return design


def compute_design(
    data: pd.DataFrame, formula: Formula, allow_empty_levels: bool = False
) -> Design:
    """Compute the predictors without asking whether they can be estimated; see `check_design`."""
    x, terms = _materialise(data, formula, "rhs", allow_empty_levels)
    if len(terms) == 0:
        raise ModelError(f"formula '{formula.text}' leaves no term to estimate")
    return Design(x, terms)


def check_design(design: Design, formula: Formula) -> None:
    """Refuse predictors of which a model cannot estimate the coefficients."""
    x, terms = design.x, design.terms
    if len(x) <= len(terms):
        raise ModelError(
            f"formula '{formula.text}' has {len(terms)} terms for {len(x)} rows: leave terms out"
        )
    _check_rank(x, terms, formula)


def build_response(
    data: pd.DataFrame, formula: Formula, allow_empty_levels: bool = False
) -> np.ndarray:
    """Build the numeric response, an array of shape (n,); see `build_design`."""
    column = data[formula.response] if formula.response else None
    if column is not None and _is_categorical(column):
        raise ModelError(
            f"the response '{formula.response}' is not numeric: use the model ordered_logit"
        )
    y, terms = _materialise(data, formula, "lhs", allow_empty_levels)
    if len(terms) != 1:
        raise ModelError(f"formula '{formula.text}' must have one numeric response")
    return y[:, 0]


def check_complete(data: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse missing values in the columns of a model."""
    for name in columns:
        n_missing = int(data[name].isna().sum())
        if n_missing:
            raise ModelError(
                f"column '{name}' has {n_missing} missing value(s): impute it before the analysis"
            )


def as_model_column(column: pd.Series, allow_empty_levels: bool = False) -> pd.Series:
    """Turn a column into floating point numbers or a categorical, by default without empty levels."""
    if not _is_categorical(column):
        if not pd.api.types.is_numeric_dtype(column.dtype):
            raise ModelError(
                f"column '{column.name}' has the dtype {column.dtype}, which no model can use: "
                "convert it to a number or a category"
            )
        return pd.Series(column.to_numpy(dtype=float), index=column.index, name=column.name)
    coded = column.astype("category")
    n_empty = len(coded.cat.categories) - coded.nunique()
    if n_empty and not allow_empty_levels:
        raise ModelError(
            f"column '{column.name}' has {n_empty} level(s) without rows: merge levels or drop them"
        )
    return coded


def _is_categorical(column: pd.Series) -> bool:
    dtype = column.dtype
    return isinstance(dtype, pd.CategoricalDtype) or (
        pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)
    )


@dataclass(frozen=True, eq=False)
class LearntTerms:
    """The right side of a formula with what its transformations learnt, to be applied to other rows.

    The intercept, if there is one, is left to the model.

    Parameters
    ----------
    formula : Formula
        As returned by `check_formula`.
    spec : object
        formulaic's specification: centres, scales, knots, levels.
    names : tuple of str
        Names of the columns as in R.
    """

    formula: Formula
    spec: Any
    names: tuple[str, ...]

    def columns(self, data: pd.DataFrame) -> np.ndarray:
        """Return an array of shape (n, n_names) for rows of the same kind."""
        table = _table(data, self.formula, _columns_of(self.spec.formula, self.formula), True)
        values, spec = _evaluate(table, self.formula, self.spec)
        values = values[:, [name != "Intercept" for name in spec.column_names]]
        _check_finite(values, self.names)
        return values


def learn_terms(
    data: pd.DataFrame, formula: Formula, available: Collection[str]
) -> tuple[LearntTerms, list[str]]:
    """Learn the terms of a formula that read available columns only.

    Parameters
    ----------
    data : DataFrame of shape (n, n_columns)
        Complete in the available columns.
    formula : Formula
        As returned by `check_formula`.
    available : collection of str
        Columns that may be used.

    Returns
    -------
    LearntTerms
    left_out : list of str
        Terms that read other columns.
    """
    used: list[Any] = []
    left_out: list[str] = []
    for term in _read(formula).rhs:
        if _columns_of([term], formula) <= {*available}:
            used.append(term)
        else:
            left_out.append(_r_name(str(term), formula))
    terms = FormulaicFormula(used)
    table = _table(data, formula, _columns_of(terms, formula), True)
    _, spec = _evaluate(table, formula, terms)
    names = tuple(_r_name(n, formula) for n in spec.column_names if n != "Intercept")
    return LearntTerms(formula, spec, names), left_out


def columns_on_the_right(formula: Formula) -> tuple[str, ...]:
    """Return the columns that predict, in the order in which the formula names columns."""
    used = _columns_of(_read(formula).rhs, formula)
    return tuple(name for name in formula.columns if name in used)


def _read(formula: Formula) -> Any:
    try:
        return FormulaicFormula(formula.code)
    except Exception:
        # formulaic reads numbers and powers outside of functions more narrowly than is checked before.
        raise ModelError(
            f"formula '{formula.text}' cannot be expanded into terms: write columns, interactions and "
            "functions, and numbers only within functions"
        ) from None


def _columns_of(terms: Iterable[Any], formula: Formula) -> set[str]:
    """Return the columns that some terms read."""
    code = " ".join(factor.expr for term in terms for factor in term.factors)
    words = set(re.findall(r"[^\W\d]\w*", code))
    plain = set(formula.columns) - set(formula.aliases.values())
    return (words & plain) | {name for alias, name in formula.aliases.items() if alias in words}


def _materialise(
    data: pd.DataFrame, formula: Formula, side: str, allow_empty_levels: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    check_complete(data, formula.columns)
    table = _table(data, formula, formula.columns, allow_empty_levels)
    values, spec = _evaluate(table, formula, getattr(_read(formula), side))
    names = tuple(_r_name(n, formula) for n in spec.column_names)
    _check_finite(values, names)
    return values, names


def _table(
    data: pd.DataFrame, formula: Formula, columns: Iterable[str], allow_empty_levels: bool
) -> pd.DataFrame:
    """Return the columns that a formula reads, under names that Python can read."""
    alias_of = {name: alias for alias, name in formula.aliases.items()}
    return pd.DataFrame(
        {alias_of.get(n, n): as_model_column(data[n], allow_empty_levels) for n in columns},
        index=data.index,
    ).reset_index(drop=True)


def _evaluate(table: pd.DataFrame, formula: Formula, terms: Any) -> tuple[np.ndarray, Any]:
    """Compute terms, or what was learnt of them, and return the values with what was learnt."""
    try:
        with np.errstate(all="ignore"):
            materialiser = _RMaterialiser(table, context=FUNCTIONS)
            matrix: Any = materialiser.get_model_matrix(terms, output="numpy", na_action="ignore")
        return np.asarray(matrix, dtype=float), matrix.model_spec
    except Exception:
        # The original message may quote data values.
        raise ModelError(
            f"formula '{formula.text}' cannot be computed from these data: "
            "check that its functions are applied to numeric columns"
        ) from None


def _r_name(name: str, formula: Formula) -> str:
    for alias, column in formula.aliases.items():
        name = name.replace(alias, column)
    return INTERCEPT if name == "Intercept" else name.replace(" ** ", "^")


def _check_finite(values: np.ndarray, names: Sequence[str]) -> None:
    n_bad = (~np.isfinite(values)).sum(axis=0)
    for name, count in zip(names, n_bad, strict=True):
        if count:
            raise ModelError(
                f"term '{name}' is not a finite number in {count} row(s): "
                "change its transformation or mend the column"
            )


def _check_rank(x: np.ndarray, terms: Sequence[str], formula: Formula) -> None:
    # In an unpivoted QR decomposition |R_jj| is the length that earlier columns leave of column j.
    left = np.abs(np.diag(np.linalg.qr(x, mode="r")))
    aliased = np.flatnonzero(left <= ALIAS_TOLERANCE * np.linalg.norm(x, axis=0))
    if len(aliased):
        raise ModelError(
            f"formula '{formula.text}': the term '{terms[aliased[0]]}' is a linear combination of "
            "the terms before it (or constantly zero): leave it out"
        )


class _RMaterialiser(PandasMaterializer):
    """formulaic's evaluation of a formula with the contrasts and the column names of R."""

    @override
    def _encode_categorical(
        self,
        values: Any,
        metadata: Any,
        encoder_state: dict[str, Any],
        spec: Any,
        drop_rows: Sequence[int],
        reduced_rank: bool = False,
    ) -> Any:
        coded = pd.Categorical(values.__wrapped__)
        contrasts = PolyContrasts() if coded.ordered else TreatmentContrasts()
        levels = list(coded.categories)
        matrix = np.asarray(contrasts.get_coding_matrix(levels, reduced_rank=reduced_rank))
        fields = contrasts.get_coding_column_names(levels, reduced_rank=reduced_rank)
        columns = {f: matrix[coded.codes, j] for j, f in enumerate(fields)}
        # Already reduced where asked for, so there is no field left to drop.
        return FactorValues(columns, kind="categorical", spans_intercept=False, encoded=True)

    @override
    def _flatten_encoded_evaled_factor(self, name: str, values: Any) -> dict[str, Any]:
        if not isinstance(values, dict):
            return {name: values}
        fields = [f for f in values if not str(f).startswith("__")]
        return {f"{name}{f}": values[f] for f in fields}
