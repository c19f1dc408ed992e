"""Dividing rows into strata when they come in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synth_tasks.data import Schema
from synth_tasks.engine.strata import merge_small
from synth_tasks.errors import DataError

MOST_STRATA = 500  # each has a file that is open, and a buffer
MOST_NAMED = 3
CHANGED = "the source changed while it was read: run again when it is at rest"


@dataclass(frozen=True)
class Division:
    """Which stratum the rows of each combination of categories belong to.

    Parameters
    ----------
    columns : tuple of int
        Numbers of the dividing columns.
    cells : ndarray of shape (n_cells, n_columns)
        Encoded combinations in lexical order; -1 for a missing value that is data.
    numbers : ndarray of shape (n_cells,), int
        Stratum of each, 0, 1, ..., as `synth_tasks.engine.strata.divide` numbers them.
    sizes : ndarray of shape (n_strata,), int
        Rows of each stratum.
    labels : tuple of str
        What each is called: the categories, as text.
    """

    columns: tuple[int, ...]
    cells: np.ndarray
    numbers: np.ndarray
    sizes: np.ndarray
    labels: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of strata."""
        return len(self.sizes)

    def to_list(self) -> list[Any]:
        """Return a JSON-ready form that no other division has."""
        arrays = self.cells, self.numbers, self.sizes
        return [list(self.columns), *(array.tolist() for array in arrays), list(self.labels)]

    def assign(self, matrix: np.ndarray) -> np.ndarray:
        """Return the stratum of every row.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, n_variables)
            Encoded rows.

        Returns
        -------
        ndarray of shape (n_rows,), int

        Raises
        ------
        DataError
            If a row has a combination that was not there when the cells were counted.
        """
        codes = matrix[:, self.columns]
        codes = np.where(np.isnan(codes), -1, codes)
        known, which = np.unique(codes, axis=0, return_inverse=True)
        return self.find(known)[which.reshape(-1)]

    def find(self, cells: Iterable[Iterable[float]]) -> np.ndarray:
        """Return the stratum of encoded combinations; errors as `assign`."""
        place = {tuple(cell): number for cell, number in zip(self.cells, self.numbers, strict=True)}
        try:
            return np.array([place[tuple(cell)] for cell in cells])
        except KeyError:
            raise DataError(CHANGED) from None


def encode_cells(
    cells: Iterable[tuple[object, ...]], schema: Schema, names: tuple[str, ...]
) -> list[tuple[int, ...]]:
    """Return combinations of labels as combinations of codes; -1 for a missing value."""
    codes: list[dict[object, int]] = [
        {label: i for i, label in enumerate(schema[name].categories)} for name in names
    ]
    return [
        tuple(-1 if label is None else code[label] for label, code in zip(cell, codes, strict=True))
        for cell in cells
    ]


def divide_cells(
    counts: Mapping[tuple[object, ...], int], schema: Schema, names: tuple[str, ...], min_size: int
) -> Division:
    """Divide by the categories of some variables, and merge small strata.

    Parameters
    ----------
    counts : mapping of tuple to int
        Rows of each combination of labels; None for a missing value.
    schema : Schema
        The variables.
    names : tuple of str
        The dividing variables, categorical.
    min_size : int
        Least number of rows of a stratum.

    Returns
    -------
    Division
        The strata that `synth_tasks.engine.strata.divide` makes of the whole table.

    Raises
    ------
    DataError
        If a dividing variable has holes, or there are too many strata.
    """
    for position, name in enumerate(names):
        n_holes = sum(n for cell, n in counts.items() if cell[position] is None)
        if n_holes and not schema[name].keep_missing:
            raise DataError(
                f"partition: column '{name}' divides the data but is missing in {n_holes} rows: mend "
                f"the source, or declare variables.{name}.keep_missing"
            )
    encoded = dict(zip(encode_cells(counts, schema, names), counts.values(), strict=True))
    cells = sorted(encoded)
    sizes = np.array([encoded[cell] for cell in cells])
    numbers = merge_small(sizes.astype(float), min_size)
    merged = np.bincount(numbers, weights=sizes).astype(int)
    if len(merged) > MOST_STRATA:
        raise DataError(
            f"partition: {', '.join(names)} make {len(merged)} strata; at most {MOST_STRATA} can be "
            "worked on: raise synthesis.min_stratum_size, or name fewer columns in synthesis.strata"
        )
    labels = tuple(
        _label([c for c, own in zip(cells, numbers, strict=True) if own == number], names, schema)
        for number in range(len(merged))
    )
    columns = tuple(schema.position(name) for name in names)
    return Division(columns, np.array(cells, dtype=float), numbers, merged, labels)


def _label(cells: list[tuple[int, ...]], names: tuple[str, ...], schema: Schema) -> str:
    named = [_label_cell(cell, names, schema) for cell in cells[:MOST_NAMED]]
    more = len(cells) - MOST_NAMED
    return " + ".join(named) + (f" + {more} more" if more > 0 else "")


def _label_cell(cell: tuple[int, ...], names: tuple[str, ...], schema: Schema) -> str:
    texts = [
        "missing" if code < 0 else str(schema[name].categories[int(code)])
        for code, name in zip(cell, names, strict=True)
    ]
    # The label stands in conditions of the gate, between quotation marks.
    return "/".join(texts).replace('"', "'").replace("\\", "/").replace("\n", " ")
