"""What can be read off a synthetic set about a person whose keys are known.

The combinations q of the keys and the values t of a target make a table for each data set, d_tq for the
real and s_tq for the synthetic one; a dot stands for a sum. All measures of attribute disclosure are
figures of these two tables. They are kept by real row, so that averages over rows, over those of one
half, and over differences between two sets are all means of arrays.

References
----------
Raab, Nowok & Dibben (2024). Practical privacy metrics for synthetic data. arXiv:2406.16826, appendix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synth_tasks.disclosure.row_groups import RowGroups, group_rows, select_columns
from synth_tasks.errors import DataError
from synth_tasks.utility.pair import TablePair


@dataclass(frozen=True)
class Attribution:
    """Both tables for one target, seen from every real row.

    Parameters
    ----------
    keys : tuple of str
        Names of the keys.
    target : str
        Name of the target.
    set_number : int
        Number of the synthetic set.
    key_values : ndarray of shape (n, len(keys))
        Values of the keys, or their groups, in the real rows.
    target_values : ndarray of shape (n,)
        Values of the target, or their groups, in the real rows.
    real_in_keys, synthetic_in_keys : ndarray of shape (n,)
        d_.q and s_.q of the combination of keys of the row.
    real_in_cell, synthetic_in_cell : ndarray of shape (n,)
        d_tq and s_tq, with the value of the target of the row.
    settled : ndarray of bool of shape (n,)
        Whether the synthetic rows with these keys, if any, have one value of the target.
    """

    keys: tuple[str, ...]
    target: str
    set_number: int
    key_values: np.ndarray
    target_values: np.ndarray
    real_in_keys: np.ndarray
    synthetic_in_keys: np.ndarray
    real_in_cell: np.ndarray
    synthetic_in_cell: np.ndarray
    settled: np.ndarray

    @cached_property
    def found(self) -> np.ndarray:
        """Whether the keys of a real row occur in the synthetic set."""
        return self.synthetic_in_keys > 0

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether they occur there with the value of the row, and no other."""
        return self.found & (self.synthetic_in_cell == self.synthetic_in_keys)

    @cached_property
    def disclosive_original(self) -> np.ndarray:
        """Whether the real rows with these keys have one value of the target."""
        return self.real_in_cell == self.real_in_keys

    @cached_property
    def probability(self) -> np.ndarray:
        """Share of the synthetic rows with these keys that have the value of the row; 0 without any."""
        return self.synthetic_in_cell / np.maximum(self.synthetic_in_keys, 1)


class KeyedPair:
    """A real and a synthetic table whose rows are grouped by their keys, once for all targets.

    Parameters
    ----------
    pair : TablePair
        The tables.
    keys : sequence of str
        Variables an intruder may know. Missing counts as a value.
    groups : int, optional
        2 or more. Group numeric keys and numeric targets into at most so many quantile groups of the
        real data, for an intruder who knows them roughly. By default they are compared exactly, as
        far as they are published.
    """

    def __init__(self, pair: TablePair, keys: Sequence[str], groups: int | None = None) -> None:
        if not keys:
            raise DataError("disclosure by keys needs a key: name one in disclosure.keys")
        self.pair, self.keys, self.groups = pair, tuple(keys), groups
        self.key_values, synthetic = select_columns(pair, keys, groups)
        self.rows: RowGroups = group_rows(self.key_values, synthetic)

    def attribute(self, target: str) -> Attribution:
        """Tabulate a target, which must be none of the keys, against the keys."""
        if target in self.keys:
            raise DataError(
                f"'{target}' is a key, so it cannot be a target: take it out of one of them"
            )
        real, synthetic = select_columns(self.pair, [target], self.groups)
        rows = self.rows
        cells = group_rows(
            np.column_stack([rows.real, real]), np.column_stack([rows.synthetic, synthetic])
        )
        alone = cells.synthetic_counts[cells.synthetic] == rows.synthetic_counts[rows.synthetic]
        settled = np.ones(len(rows.real_counts), dtype=bool)
        settled[rows.synthetic[~alone]] = False
        return Attribution(
            keys=self.keys,
            target=target,
            set_number=self.pair.set_number,
            key_values=self.key_values,
            target_values=real[:, 0],
            real_in_keys=rows.real_counts[rows.real],
            synthetic_in_keys=rows.synthetic_counts[rows.real],
            real_in_cell=cells.real_counts[cells.real],
            synthetic_in_cell=cells.synthetic_counts[cells.real],
            settled=settled[rows.real],
        )
