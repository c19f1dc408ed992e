"""Fitting the method of one variable, and turning its draws into values the variable can take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import synth_tasks.engine.methods  # noqa: F401  (registers the built-in methods)
from synth_tasks.engine.passive import encode_result, evaluate_encoded
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.registry import Context, Fitted, find_method, make_options
from synth_tasks.errors import PlanError


def fit_variable(
    plan: ImputationPlan,
    name: str,
    predictors: Sequence[str],
    matrix: np.ndarray,
    rows: np.ndarray,
    log: Callable[[str], None],
) -> Fitted:
    """Fit the method of a variable.

    Parameters
    ----------
    plan : ImputationPlan
        Names methods and options.
    name : str
        The variable to be imputed.
    predictors : sequence of str
        Its predictors.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data, complete in `rows` for the variable and its predictors.
    rows : ndarray
        Training rows: a mask, or row numbers with repetitions for a bootstrap sample.
    log : callable
        Takes remarks.

    Returns
    -------
    Fitted
    """
    method = find_method(plan.methods[name])
    context = Context(
        target=plan.schema[name],
        predictors=tuple(plan.schema[p] for p in predictors),
        options=make_options(method.name, plan.options.get(method.name)),
        log=log,
    )
    y = plan.column(matrix, name)[rows]
    return method.fit(y, select(plan, predictors, matrix, rows), context)


def bootstrap(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers of as many rows as marked, drawn with replacement."""
    usable = np.flatnonzero(rows)
    return rng.choice(usable, size=len(usable))


def select(
    plan: ImputationPlan, names: Sequence[str], matrix: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Return the columns of some variables in some rows."""
    columns = [plan.schema.position(name) for name in names]
    return matrix[:, columns][rows]


def draw_values(
    plan: ImputationPlan,
    name: str,
    fitted: Fitted,
    x: np.ndarray,
    matrix: np.ndarray,
    rows: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw values for some rows, post-process and round them.

    Parameters
    ----------
    plan : ImputationPlan
        Holds post-processing formulas.
    name : str
        The variable to be imputed.
    fitted : Fitted
        From `fit_variable`.
    x : ndarray of shape (rows.sum(), n_predictors)
        Predictors of the rows.
    matrix : ndarray of shape (n_rows, n_variables)
        Working data, which post-processing may read.
    rows : ndarray of bool of shape (n_rows,)
        Rows to draw for.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (rows.sum(),)
        Finite values, rounded to the decimals of the variable.
    """
    variable = plan.schema[name]
    values = np.asarray(fitted.draw(x, rng), dtype=float)
    if name in plan.post_expressions:
        expression = plan.post_expressions[name]
        working = matrix.copy()
        working[rows, plan.schema.position(name)] = values
        result = evaluate_encoded(expression, plan.schema, working, rows)
        values = encode_result(result, variable, expression, len(values))
    if values.shape != (len(x),) or not np.isfinite(values).all():
        raise PlanError(
            f"method '{plan.methods[name]}' gave missing or infinite values for '{name}': "
            "check its predictors and options"
        )
    return variable.round(values)
