"""Making complete data incomplete, to try out imputation on data whose missing values are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from synth_tasks.data import Schema, decode, encode, infer_schema
from synth_tasks.errors import DataError, PlanError
from synth_tasks.seeding import draw_seed, generator

MECHANISMS = ("MCAR", "MAR", "MNAR")
TYPES = ("RIGHT", "LEFT", "MID", "TAIL")
DEFAULT_ODDS = (1.0, 2.0, 3.0, 4.0)


@dataclass(frozen=True)
class Amputed:
    """Data made incomplete, and how each row came to be.

    Parameters
    ----------
    data : DataFrame of shape (n_rows, n_columns)
        The data with missing values.
    pattern : ndarray of int of shape (n_rows,)
        Pattern each row was a candidate for, counted from 0. A row that stayed complete has one too.
    probability : ndarray of shape (n_rows,)
        Probability with which the row was to get the missing values of its pattern.
    """

    data: pd.DataFrame
    pattern: np.ndarray
    probability: np.ndarray


def ampute(
    data: pd.DataFrame,
    prop: float = 0.5,
    patterns: pd.DataFrame | np.ndarray | Sequence[Any] | None = None,
    freq: Sequence[float] | np.ndarray | None = None,
    mech: str = "MAR",
    weights: pd.DataFrame | np.ndarray | Sequence[Any] | None = None,
    std: bool = True,
    cont: bool = True,
    type: str | Sequence[str] = "RIGHT",
    odds: pd.DataFrame | np.ndarray | Sequence[Any] | None = None,
    bycases: bool = True,
    seed: int | None = None,
) -> Amputed:
    """Delete values of complete data by a known mechanism.

    Every row becomes a candidate for one pattern of missing values. It gets them with a probability
    that depends on its weighted sum score, the sum of its values times the weights of the pattern.

    Parameters
    ----------
    data : DataFrame of shape (n_rows, n_columns)
        Complete data. In scores a category counts as its position 0, 1, ... in the list of categories,
        a date-time as the time passed; give nominal variables with many categories no weight.
    prop : float, default 0.5
        Expected share of incomplete rows, between 0 and 1; see `bycases`.
    patterns : table of 0 and 1 of shape (n_patterns, n_columns), optional
        0 where a value will be missing; by default one pattern per column, in which it alone is
        missing. The columns of a DataFrame may come in any order.
    freq : sequence of float of shape (n_patterns,), optional
        Relative frequency of the patterns; equal by default.
    mech : {"MAR", "MCAR", "MNAR"}, default "MAR"
        Missing completely at random takes no notice of scores and of what shapes them. The other two
        differ in the default of `weights`.
    weights : table of float of shape (n_patterns, n_columns), optional
        By default 1 for the variables the pattern leaves observed (MAR), or for those it makes missing
        (MNAR), and 0 for the others.
    std : bool, default True
        Standardise the columns among the candidates of a pattern before they are weighted.
    cont : bool, default True
        Whether the probability is a logistic function of the score (`type`) or constant within
        quantile groups of it (`odds`).
    type : {"RIGHT", "LEFT", "MID", "TAIL"} or sequence, default "RIGHT"
        Which scores are likely to be incomplete: high, low, central or extreme ones. One for all
        patterns or one each.
    odds : table of float of shape (n_patterns, n_groups), optional
        Relative probability of the groups of equal size from the lowest to the highest scores, only
        with ``cont=False``; 1, 2, 3, 4 by default. One row may serve all patterns; NaN fills up rows
        with fewer groups.
    bycases : bool, default True
        False makes `prop` the expected share of missing cells.
    seed : int, optional
        Equal seeds give equal results; drawn from the operating system if not given.

    Returns
    -------
    Amputed
        Integers and booleans that got missing values have the nullable dtype, other dtypes stay.

    Raises
    ------
    DataError, PlanError
        Naming the column or setting and the remedy.

    Notes
    -----
    With z the standardised score and b a shift, the probability is expit(b + z) for RIGHT,
    expit(b - z) for LEFT, expit(b - |z|) for MID and expit(b + |z|) for TAIL. The shift makes the
    mean probability of the candidates equal to `prop`, whatever the distribution of their scores. R's
    mice finds it for normal scores, so that skewed ones miss `prop` there. It also counts missing
    cells as if all patterns had equally many; here their share is `prop` for any patterns.

    References
    ----------
    Schouten, Lugtig & Vink (2018). Generating missing values for simulation purposes: a multivariate
    amputation procedure. Journal of Statistical Computation and Simulation 88(15), 2909-2930.

    Examples
    --------
    >>> import pandas as pd
    >>> from synth_tasks.engine.ampute import ampute
    >>> table = pd.DataFrame({"x": range(1000), "y": range(1000)})
    >>> incomplete = ampute(table, prop=0.3, patterns=[[1, 0]], seed=1).data
    >>> bool(incomplete.loc[incomplete["y"].isna(), "x"].mean() > 499.5)
    True
    """
    schema = infer_schema(data)
    matrix = encode(data, schema)
    _require_complete(matrix, schema)
    if mech not in MECHANISMS:
        raise PlanError(f"mech must be one of {', '.join(MECHANISMS)}")
    missing = _resolve_patterns(patterns, schema, mech)
    frequency = _resolve_freq(freq, len(missing))
    share = _resolve_prop(prop, missing, frequency, bycases)
    weighting = _resolve_weights(weights, missing, schema, mech)
    types = _resolve_types(type, len(missing))
    groups = _resolve_odds(odds, len(missing))
    if seed is not None and (not isinstance(seed, (int, np.integer)) or seed < 0):
        raise PlanError("seed must be a whole number of 0 or more")
    if mech != "MCAR":
        _check_odds(odds, groups, share, cont)
    rng = generator(draw_seed() if seed is None else int(seed), "ampute")
    pattern = rng.choice(len(missing), size=len(matrix), p=frequency)
    probability = np.full(len(matrix), share)
    if mech != "MCAR":
        for i in np.unique(pattern):
            candidates = pattern == i
            scores = _scores(matrix[candidates], weighting[i], std)
            probability[candidates] = (
                logistic_probability(scores, types[i], share)
                if cont
                else group_probability(scores, groups[i], share)
            )
    incomplete = rng.random(len(matrix)) < probability
    holes = incomplete[:, None] & missing[pattern]
    amputed = decode(np.where(holes, np.nan, matrix), schema, data.index)
    return Amputed(amputed, pattern, probability)


# --- probabilities --------------------------------------------------------------------------------


def _scores(values: np.ndarray, weights: np.ndarray, std: bool) -> np.ndarray:
    """Return standardised weighted sum scores; all 0 if they do not differ."""
    used = values[:, weights != 0]
    columns = np.column_stack([_standardise(c) for c in used.T]) if std and used.size else used
    return _standardise(columns @ weights[weights != 0])


def _standardise(values: np.ndarray) -> np.ndarray:
    # Equal values may differ by rounding error once they are sums.
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return np.zeros(len(values))
    return (values - values.mean()) / values.std(ddof=1)


def logistic_probability(scores: np.ndarray, kind: str, prop: float) -> np.ndarray:
    """Return probabilities with mean `prop` that follow a logistic function of the scores.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        Mean 0, standard deviation 1.
    kind : {"RIGHT", "LEFT", "MID", "TAIL"}
        Which scores are likely to be incomplete; see `ampute`.
    prop : float
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (n_candidates,)
    """
    exponent = {"RIGHT": scores, "LEFT": -scores, "MID": -np.abs(scores), "TAIL": np.abs(scores)}[
        kind
    ]
    lowest, highest = exponent.min(), exponent.max()
    if lowest == highest or prop in (0, 1):
        return np.full(len(scores), float(prop))
    # At these ends all probabilities lie below `prop`, or all above.
    ends = logit(prop) - highest - 1, logit(prop) - lowest + 1
    shift = brentq(lambda b: float(expit(exponent + b).mean()) - prop, *ends)
    return expit(exponent + shift)


def group_probability(scores: np.ndarray, odds: np.ndarray, prop: float) -> np.ndarray:
    """Return probabilities with mean `prop` that are constant within quantile groups of the scores.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        In any unit.
    odds : ndarray of shape (n_groups,)
        Relative probability of each group, from the lowest scores to the highest.
    prop : float
        Between 0 and 1.

    Returns
    -------
    ndarray of shape (n_candidates,)

    Raises
    ------
    PlanError
        If too many scores are equal to form the groups.
    """
    if np.ptp(scores) == 0:
        return np.full(len(scores), float(prop))
    limits = np.quantile(scores, np.arange(1, len(odds)) / len(odds))
    group = np.searchsorted(limits, scores, side="right")
    if np.bincount(group, minlength=len(odds)).min() == 0:
        raise PlanError(
            "odds has more groups than the weighted sum scores can be divided into: give fewer groups, "
            "or weights to more variables"
        )
    relative = odds[group]
    # Ties make groups unequal, which may take the largest probability a little beyond 1.
    return np.minimum(prop * relative / relative.mean(), 1.0)


# --- settings -------------------------------------------------------------------------------------


def _require_complete(matrix: np.ndarray, schema: Schema) -> None:
    for variable, incomplete in zip(schema, np.isnan(matrix).any(axis=0), strict=True):
        if incomplete:
            raise DataError(
                f"column '{variable.name}' has missing values already: ampute needs complete data, "
                "impute them or drop their rows first"
            )


def _resolve_patterns(patterns: Any, schema: Schema, mech: str) -> np.ndarray:
    """Return True where a value will be missing, an array of shape (n_patterns, n_columns)."""
    given = 1 - np.eye(len(schema)) if patterns is None else patterns
    table = _by_column("patterns", given, schema)
    if len(table) == 0 or not np.isin(table, (0, 1)).all():
        raise PlanError("patterns must be one row or more of 0 (missing) and 1 (observed)")
    missing = table == 0
    for number, row in enumerate(missing):
        if not row.any():
            raise PlanError(
                f"patterns: pattern {number} has no missing value: leave it out and lower prop instead"
            )
        if row.all() and mech == "MAR":
            raise PlanError(
                f"patterns: pattern {number} leaves nothing observed, which cannot be missing at "
                "random: set a column to 1 or use mech='MCAR' or 'MNAR'"
            )
    return missing


def _resolve_freq(freq: Any, n_patterns: int) -> np.ndarray:
    if freq is None:
        return np.full(n_patterns, 1 / n_patterns)
    given = _numbers("freq", freq)
    if given.shape != (n_patterns,):
        raise PlanError(f"freq must have {n_patterns} entries, one per pattern")
    if not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        raise PlanError("freq must be numbers of 0 or more, one of them above 0")
    return given / given.sum()


def _resolve_prop(prop: Any, missing: np.ndarray, frequency: np.ndarray, bycases: bool) -> float:
    """Return the expected share of incomplete rows."""
    if isinstance(prop, bool) or not isinstance(prop, Real) or not 0 <= float(prop) <= 1:
        raise PlanError("prop must be a number between 0 and 1")
    share = float(prop)
    if bycases:
        return share
    most = float(frequency @ missing.mean(axis=1))
    if share > most:
        raise PlanError(
            f"prop: with these patterns no more than {most:.3g} of the cells can be missing: lower "
            "prop or add missing variables to the patterns"
        )
    return share / most


def _resolve_weights(weights: Any, missing: np.ndarray, schema: Schema, mech: str) -> np.ndarray:
    if mech == "MCAR" or weights is None:
        return (missing if mech == "MNAR" else ~missing).astype(float)
    table = _by_column("weights", weights, schema)
    if table.shape != missing.shape:
        raise PlanError(
            f"weights must have {len(missing)} row(s), one per pattern, and {len(schema)} columns"
        )
    if not np.isfinite(table).all():
        raise PlanError("weights must be finite numbers, 0 for a variable without influence")
    return table


def _resolve_types(given: Any, n_patterns: int) -> list[str]:
    """Return the type of each pattern."""
    types = [str(each) for each in np.ravel(np.asarray(given, dtype=object))]
    if len(types) not in (1, n_patterns) or not set(types) <= set(TYPES):
        raise PlanError(f"type must be one of {', '.join(TYPES)}, or a list of one per pattern")
    return types * n_patterns if len(types) == 1 else types


def _resolve_odds(odds: Any, n_patterns: int) -> list[np.ndarray]:
    """Return the odds of the groups of each pattern."""
    table = np.atleast_2d(_numbers("odds", DEFAULT_ODDS if odds is None else odds))
    if table.ndim != 2 or len(table) not in (1, n_patterns):
        raise PlanError(f"odds must have one row, or {n_patterns} rows, one per pattern")
    rows = [row[~np.isnan(row)] for row in table]
    if not all(np.isfinite(row).all() and (row >= 0).all() and row.sum() > 0 for row in rows):
        raise PlanError("odds must be numbers of 0 or more, one in each row above 0")
    return rows * n_patterns if len(rows) == 1 else rows


def _check_odds(odds: Any, groups: list[np.ndarray], share: float, cont: bool) -> None:
    """Refuse odds that are not used, or that need a probability above 1."""
    if cont:
        if odds is not None:
            raise PlanError("odds are used with cont=False only: set it, or choose a type instead")
        return
    for number, row in enumerate(groups):
        if share * row.max() > row.mean() * (1 + 1e-9):
            raise PlanError(
                f"odds of pattern {number} ask for a probability above 1: lower prop or make the odds "
                "more equal"
            )


def _by_column(setting: str, given: Any, schema: Schema) -> np.ndarray:
    """Return a table with the columns of the data as numbers; one row may be given as a list."""
    if isinstance(given, pd.DataFrame):
        if sorted(map(str, given.columns)) != sorted(schema.names):
            raise PlanError(f"{setting} must have the columns {', '.join(schema.names)}")
        given = given[schema.names]
    table = np.atleast_2d(_numbers(setting, given))
    if table.ndim != 2 or table.shape[1] != len(schema):
        raise PlanError(f"{setting} must have {len(schema)} columns, one per variable of the data")
    return table


def _numbers(setting: str, given: Any) -> np.ndarray:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise PlanError(f"{setting} must be a table of numbers with rows of equal length") from None
