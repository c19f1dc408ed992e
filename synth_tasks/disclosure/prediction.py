"""Attribute prediction: an intruder learns a model from the published sets and applies it to people.

A forest (`forest`) predicts the target from the keys; it is trained on all sets together. Success means
the right category, or a number within `tolerance` interquartile ranges of the true one.

    attribute_prediction           share of records for which it succeeds, those that the sets were made
                                   from; `control` is that of records left out (`cross_fitting`)
    attribute_prediction_excess    the difference
    attribute_prediction_marginal  share for which the best single guess, without keys, succeeds

All lie in [0, 1], the excess in [-1, 1] with null value 0. That a model predicts well is what data are
for; only the excess discloses. Records without the target are left out; a missing category is one.

References
----------
Templ, Thees & Mueller (2026). RAPID: risk of attribute prediction-induced disclosure in synthetic
microdata. arXiv:2602.09235.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.excess import excess_of, measure_excess
from synth_tasks.disclosure.forest import grow_forest
from synth_tasks.errors import DataError
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.intervals import wilson

TOLERANCE = 0.1
MAX_ROWS = 50_000

ATTRIBUTE_PREDICTION = Metric(
    family="disclosure",
    name="attribute_prediction",
    goal=Goal.INFORMATION,
    minimum=0.0,
    maximum=1.0,
    null=NOT_GIVEN,
    reference="Templ, Thees & Mueller (2026), arXiv:2602.09235; interval: Wilson (1927)",
)
MARGINAL = replace(ATTRIBUTE_PREDICTION, name="attribute_prediction_marginal")
EXCESS = replace(excess_of(ATTRIBUTE_PREDICTION), goal=Goal.LOW)
METRICS = (ATTRIBUTE_PREDICTION, MARGINAL, EXCESS)


def measure_prediction(
    cross: CrossFit,
    keys: Sequence[str],
    target: str,
    rng: np.random.Generator,
    *,
    tolerance: float = TOLERANCE,
    max_rows: int = MAX_ROWS,
    workers: int = 1,
) -> list[Measurement]:
    """Measure how much better the model is for records it was fed with.

    Parameters
    ----------
    cross : CrossFit
        The halves and their sets.
    keys : sequence of str
        Variables an intruder may know.
    target : str
        What the intruder wants to learn, none of the keys.
    rng : Generator
        Draws the samples of the forest.
    tolerance : float, default 0.1
        How near a number must be to count as known, in interquartile ranges of the real values.
    max_rows : int, default 50,000
        Train on a random sample of so many published rows of each half at most, and judge by one of so
        many records.
    workers : int, default 1
        Threads.

    Returns
    -------
    list of Measurement
        `METRICS`, set 0, n = records judged. None if no record, or no published row of a half,
        has it.
    """
    if not keys or target in keys:
        raise DataError(
            f"to predict '{target}' takes keys other than itself: name them in disclosure.keys"
        )
    asked = cross.select([*keys, target])
    *variables, variable = asked.schema.variables
    real = _answered(asked.real, variable, rng, max_rows)
    published = [_answered(np.concatenate(sets), variable, rng, max_rows) for sets in asked.sets]
    if not all(len(table) for table in (real, *published)):
        return []
    truth = real.values[:, -1]
    reach = _reach(truth, variable, tolerance)
    models = [
        grow_forest(
            table.values[:, :-1],
            table.values[:, -1],
            variables,
            n_classes=len(variable.categories) + 1 if variable.is_categorical else 0,
            rng=rng,
            workers=workers,
        )
        for table in published
    ]
    halves = replace(asked, in_first=asked.in_first[real.rows])
    own, other = halves.own_and_other(
        [np.abs(model.predict(real.values[:, :-1]) - truth) <= reach for model in models]
    )
    by_margin, _ = halves.own_and_other(
        [np.abs(_best_guess(table.values[:, -1], reach) - truth) <= reach for table in published]
    )
    return _write_down(own, other, by_margin, target, "+".join(keys))


def _write_down(
    own: np.ndarray, other: np.ndarray, by_margin: np.ndarray, target: str, keys: str
) -> list[Measurement]:
    n = len(own)
    value, margin = (
        metric.measure(
            float(successes.mean()),
            target=target,
            keys=keys,
            interval=wilson(int(successes.sum()), n),
            n=n,
        )
        for metric, successes in ((ATTRIBUTE_PREDICTION, own), (MARGINAL, by_margin))
    )
    excess = measure_excess(
        EXCESS, own.astype(float), other.astype(float), target=target, keys=keys
    )
    return [replace(value, control=float(other.mean())), margin, excess]


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of a table whose last column, the target, is known."""

    values: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def _answered(
    matrix: np.ndarray, variable: Variable, rng: np.random.Generator, max_rows: int
) -> _Table:
    """Choose rows with the target, at most so many; a missing category is a class of its own."""
    target = matrix[:, -1]
    if variable.is_categorical:
        target = np.nan_to_num(target, nan=float(len(variable.categories)))
    rows = np.flatnonzero(~np.isnan(target))
    if len(rows) > max_rows:
        rows = np.sort(rng.choice(rows, size=max_rows, replace=False))
    return _Table(np.column_stack([matrix[rows, :-1], target[rows]]), rows)


def _reach(values: np.ndarray, variable: Variable, tolerance: float) -> float:
    """Return how far off a prediction may be; codes of different categories are 1 apart or more."""
    if variable.is_categorical:
        return 0.25
    quarters = np.quantile(values, [0.25, 0.75])
    spread = float(quarters[1] - quarters[0]) or float(values.std())
    return tolerance * spread


def _best_guess(values: np.ndarray, reach: float) -> float:
    """Return the number that is within reach of the most values."""
    ordered = np.sort(values)
    covered = np.searchsorted(ordered, ordered + 2 * reach, side="right") - np.arange(len(ordered))
    first = int(covered.argmax())
    return float(ordered[first] + ordered[first + covered[first] - 1]) / 2
