"""Fitting the method of one variable, and turning its draws into values the variable can take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import synth_tasks.engine.methods  # noqa: F401  (registers the built-in methods)
from synth_tasks.data import Variable
from synth_tasks.engine.formulas import FormulaColumns
from synth_tasks.engine.methods.derived import derive
from synth_tasks.engine.parts import Parts, TwoPart, has_parts
from synth_tasks.engine.passive import encode_result, evaluate_encoded
from synth_tasks.engine.plan import ImputationPlan
from synth_tasks.engine.predictors import PlainColumns, PredictorColumns
from synth_tasks.engine.registry import (
    Context,
    Fitted,
    draws_sets,
    find_method,
    make_options,
)
from synth_tasks.engine.setup import DEFAULT_METHODS
from synth_tasks.engine.tree import Sample, SortedColumns
from synth_tasks.errors import PlanError

STATE_METHODS = ("cart", "rf", "sample", "logreg", "logreg.boot", "polyreg", "lda")

Log = Callable[[str], None]
Refine = Callable[[Fitted, np.ndarray], Fitted]


@dataclass(frozen=True)
class FittedVariable:
    """The fitted method of a variable, with the predictor columns it was fitted on.

    Parameters
    ----------
    name : str
        The variable.
    columns : PredictorColumns
        Makes the predictors of any rows.
    model : Fitted
        Draws values given them.
    """

    name: str
    columns: PredictorColumns
    model: Fitted

    def draw(
        self, source: np.ndarray, rows: np.ndarray, rngs: Sequence[np.random.Generator]
    ) -> np.ndarray:
        """Draw a value for each row marked, given the encoded data `source`; see `draw_values`."""
        x = self.columns.matrix(source, rows)
        if draws_sets(self.model):
            return self.model.draw_sets(x, rngs)
        (rng,) = rngs
        return np.asarray(self.model.draw(x, rng), dtype=float)


def training_rows(
    plan: ImputationPlan, name: str, matrix: np.ndarray, observed: np.ndarray
) -> np.ndarray:
    """Mark the rows a variable is learnt from: observed, not ignored, and free by the rules.

    Parameters
    ----------
    plan : ImputationPlan
        Holds rules and ignored rows.
    name : str
        The variable.
    matrix : ndarray of shape (n_rows, n_variables)
        Encoded data.
    observed : ndarray of bool of shape (n_rows,)
        Rows in which the variable has a value to learn from.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
    """
    rows = observed & ~plan.ignore
    if name not in plan.rules:
        return rows
    restricted, _ = plan.ruled.restrict(name, matrix, rows)
    free = rows.copy()
    free[rows] = ~restricted
    # Where the rules leave no freedom, as in a stratum of children, any model will do.
    return free if free.any() else rows


def fit_variable(
    plan: ImputationPlan,
    name: str,
    predictors: Sequence[str],
    matrix: np.ndarray,
    rows: np.ndarray,
    log: Log,
    refine: Refine | None = None,
    sorted_columns: SortedColumns | None = None,
) -> FittedVariable:
    """Fit the method of a variable.

    Parameters
    ----------
    plan : ImputationPlan
        Names methods, formulas and options.
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
    refine : callable, optional
        Takes the fitted method and the values it learnt from, and returns what is drawn from instead.
    sorted_columns : SortedColumns, optional
        The columns of `matrix`, sorted once for all variables.

    Returns
    -------
    FittedVariable
    """
    formula = plan.formula_columns.get(name)
    columns: PredictorColumns
    if formula is None:
        columns = PlainColumns.learn(plan.schema, predictors, matrix, rows)
    else:
        columns = FormulaColumns.learn(plan.schema, predictors, formula, matrix, rows, log)
    variable, method = plan.schema[name], plan.methods[name]
    sample = None
    if sorted_columns is not None and _reads_sample(plan, name, columns):
        sample = Sample.of_rows(sorted_columns, columns.positions, rows)
        rows = rows if sample.rows is None else sample.rows
    y, x = plan.column(matrix, name)[rows], columns.matrix(matrix, rows)

    def fit(
        method: str, target: Variable, y: np.ndarray, x: np.ndarray, sample: Sample | None
    ) -> Fitted:
        options = make_options(method, plan.options_of(name, method))
        context = Context(target, columns.described, options, log, sample)
        return find_method(method).fit(y, x, context)

    def fit_values(y: np.ndarray, x: np.ndarray, sample: Sample | None) -> Fitted:
        if (y == y[0]).all():
            log("has one value only where it is learnt")
        fitted = fit(method, variable, y, x, sample)
        if refine is None:
            return fitted
        # Each person once: in a bootstrap sample one person may seem to be several.
        each = rows if rows.dtype == bool else np.unique(rows)
        everyone = plan.column(matrix, name)[each]
        return refine(fitted, everyone[Parts(variable).ordinary(everyone)])

    if name in plan.derived:
        return FittedVariable(name, columns, derive(0, plan.derived[name].relation, y, variable))
    if not has_parts(variable):
        return FittedVariable(name, columns, fit_values(y, x, sample))
    parts = Parts(variable)
    states = parts.states(y)
    ordinary = states == 0
    state_model = fit(method_of_state(method, parts), parts.state, states, x, sample)
    of_values = None if sample is None else sample.only(ordinary)
    value_model = fit_values(y[ordinary], x[ordinary], of_values) if ordinary.any() else None
    return FittedVariable(name, columns, TwoPart(parts, state_model, value_model))


def _reads_sample(plan: ImputationPlan, name: str, columns: PredictorColumns) -> bool:
    """Whether a variable is fitted on columns of the table alone, by a method that reads samples."""
    method, variable = plan.methods[name], plan.schema[name]
    return (
        find_method(method).samples
        and isinstance(columns, PlainColumns)
        and not any(has_parts(v) for v in columns.variables)
        and not (has_parts(variable) and method_of_state(method, Parts(variable)) != method)
    )


def method_of_state(method: str, parts: Parts) -> str:
    """Return the method that draws the state of a variable of two parts.

    That is its own, if it draws categories by their probability, given any predictors; matching would
    let the share of states vary too much.
    """
    kind = parts.state.kind
    own = method in STATE_METHODS and kind in find_method(method).kinds
    return method if own else DEFAULT_METHODS[kind]


def draws_parameters(plan: ImputationPlan, name: str) -> bool:
    """Whether the draws of a variable vary the parameters of its models, as a proper method must."""
    method, variable = plan.methods[name], plan.schema[name]
    methods = [method]
    if has_parts(variable):
        methods.append(method_of_state(method, Parts(variable)))
    return all(find_method(m).draws_parameters for m in methods)


def bootstrap(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers of as many rows as marked, drawn with replacement."""
    usable = np.flatnonzero(rows)
    return rng.choice(usable, size=len(usable))


def draw_values(
    plan: ImputationPlan,
    fitted: FittedVariable,
    source: np.ndarray,
    work: np.ndarray,
    rows: np.ndarray,
    rngs: Sequence[np.random.Generator],
) -> np.ndarray:
    """Draw values for some rows, apply rules and post-processing, and round them.

    Parameters
    ----------
    plan : ImputationPlan
        Holds rules and post-processing formulas.
    fitted : FittedVariable
        From `fit_variable`.
    source : ndarray of shape (n_rows, n_variables)
        What the values are drawn given.
    work : ndarray of shape (n_rows, n_variables)
        Working data, which rules and post-processing read.
    rows : ndarray of bool of shape (n_rows,)
        Rows to draw for.
    rngs : sequence of Generator
        Sources of randomness: one, or one for each of several sets whose rows stand one after the
        other, for models that are `DrawsSets` and variables without rules.

    Returns
    -------
    ndarray of shape (rows.sum(),)
        Values that the variable can take, rounded to its decimals.
    """
    if fitted.name not in plan.rules:
        return _draw_free(plan, fitted, source, work, rows, rngs)
    restricted, values = plan.ruled.restrict(fitted.name, work, rows)
    free = rows.copy()
    free[rows] = ~restricted
    values[~restricted] = _draw_free(plan, fitted, source, work, free, rngs)
    return values


def _draw_free(
    plan: ImputationPlan,
    fitted: FittedVariable,
    source: np.ndarray,
    work: np.ndarray,
    rows: np.ndarray,
    rngs: Sequence[np.random.Generator],
) -> np.ndarray:
    """Draw values for rows that no rule restricts; see `draw_values`."""
    name, n_rows = fitted.name, np.count_nonzero(rows)
    if n_rows == 0:
        return np.empty(0)
    drawn = fitted.draw(source, rows, rngs)
    if drawn.shape != (n_rows,):
        raise PlanError(
            f"method '{plan.methods[name]}' gave {drawn.size} values for {n_rows} rows of "
            f"'{name}': mend the method"
        )
    drawn = _post_process(plan, name, drawn, work, rows)
    _check_values(plan, name, drawn)
    return plan.schema[name].round(drawn)


def _post_process(
    plan: ImputationPlan, name: str, drawn: np.ndarray, work: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Apply the formula to the ordinary values drawn."""
    expression = plan.post_expressions.get(name)
    if expression is None:
        return drawn
    variable = plan.schema[name]
    ordinary = Parts(variable).ordinary(drawn)
    cells = rows.copy()
    cells[rows] = ordinary
    working = work.copy()
    working[cells, plan.schema.position(name)] = drawn[ordinary]
    result = evaluate_encoded(expression, plan.schema, working, cells)
    processed = drawn.copy()
    processed[ordinary] = encode_result(result, variable, expression, int(cells.sum()))
    return processed


def _check_values(plan: ImputationPlan, name: str, drawn: np.ndarray) -> None:
    allowed = np.isfinite(drawn)
    if plan.schema[name].keep_missing:
        allowed |= np.isnan(drawn)
    if not allowed.all():
        raise PlanError(
            f"method '{plan.methods[name]}' gave missing or infinite values for '{name}': "
            "check its predictors and options"
        )
