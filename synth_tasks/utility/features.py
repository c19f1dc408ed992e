"""The rows of both tables in one, without holes, for models that tell real from synthetic rows.

A missing value is something that a synthesis has to reproduce: numbers are filled with the mean of the
pooled table and get an indicator beside them; for a categorical variable, missing is one more category.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.utility.pair import TablePair


@dataclass(frozen=True)
class PooledRows:
    """Real rows above synthetic ones.

    Parameters
    ----------
    x : ndarray of shape (n + k, q), column-major
        Numbers and category codes, none missing.
    variables : tuple of Variable, length q
        One per column; indicators of missing values are binary.
    is_synthetic : ndarray of bool of shape (n + k,)
        Which table a row is from.
    """

    x: np.ndarray
    variables: tuple[Variable, ...]
    is_synthetic: np.ndarray

    @property
    def synthetic_share(self) -> float:
        """Share of synthetic rows, c."""
        return float(self.is_synthetic.mean())


def pool_rows(pair: TablePair) -> PooledRows:
    """Put the tables one above the other and fill their holes."""
    columns: list[np.ndarray] = []
    variables: list[Variable] = []
    for i, variable in enumerate(pair.schema):
        values = np.concatenate([pair.real[:, i], pair.synthetic[:, i]])
        missing = np.isnan(values)
        if missing.any():
            if variable.is_categorical:
                values = np.where(missing, len(variable.categories), values)
                variable = _with_missing(variable)
            else:
                columns.append(missing.astype(float))
                variables.append(_indicator(variable))
                values = np.where(missing, _mean(values[~missing]), values)
        columns.append(values)
        variables.append(variable)
    is_synthetic = np.arange(pair.n_rows) >= len(pair.real)
    return PooledRows(np.asfortranarray(np.column_stack(columns)), tuple(variables), is_synthetic)


def _mean(observed: np.ndarray) -> float:
    return float(observed.mean()) if len(observed) else 0.0


def _with_missing(variable: Variable) -> Variable:
    """Add a category at the end, which has no place in an order."""
    return replace(
        variable, kind=Kind.NOMINAL, categories=(*variable.categories, f"{variable.name} missing")
    )


def _indicator(variable: Variable) -> Variable:
    return Variable(f"{variable.name} missing", Kind.BINARY, "int64", categories=(0, 1))
