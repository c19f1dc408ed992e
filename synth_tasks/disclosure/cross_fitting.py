"""A control that costs no data: the synthesis is repeated on each half and judged against both.

For the assessment only, the records are divided into two halves at random. The plan of the synthesis
is fitted on the first half and judged against both halves, and then the other way round, so that every
record has been trained on once and left out once. The sets that are published are fitted on all
records; a fit on half of them depends on each of them rather more, so the assessment errs on the safe
side.

References
----------
Chernozhukov, Chetverikov, Demirer, Duflo, Hansen, Newey & Robins (2018). Double/debiased machine
learning for treatment and structural parameters. The Econometrics Journal 21, C1-C68 (cross-fitting).
Giomi, Boenisch, Wehmeyer & Tasnadi (2023). A unified framework for quantifying privacy risk in
synthetic data. Proceedings on Privacy Enhancing Technologies 2023, 312-328 (control records).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synth_tasks.data import Schema
from synth_tasks.errors import DataError
from synth_tasks.seeding import generator
from synth_tasks.utility.pair import TablePair, encode_rounded

Address = tuple[str | int, ...]
Synthesise = Callable[[pd.DataFrame, Address], Sequence[pd.DataFrame]]

STAGE = "cross-fit"
LEAST_ROWS = 4


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Real records in two halves, and the sets that were made from each.

    Parameters
    ----------
    schema : Schema
        Description of the p columns.
    real : ndarray of shape (n, p)
        All real records, encoded.
    in_first : ndarray of bool of shape (n,)
        Records of the first half.
    sets : tuple of two tuples of ndarray of shape (k, p)
        Encoded sets made from the first and from the second half.
    """

    schema: Schema
    real: np.ndarray
    in_first: np.ndarray
    sets: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]

    @property
    def trained(self) -> tuple[np.ndarray, np.ndarray]:
        """Marks of the records that the sets of each half were made from."""
        return self.in_first, ~self.in_first

    def pairs(self) -> Iterator[tuple[int, TablePair]]:
        """Return all real records beside each set, with the half, 0 or 1, it was made from."""
        for half, sets in enumerate(self.sets):
            for synthetic in sets:
                yield half, TablePair(self.schema, self.real, synthetic)

    def select(self, names: Sequence[str]) -> CrossFit:
        """Keep some of the variables."""
        columns = [self.schema.position(name) for name in names]
        first, second = (tuple(s[:, columns] for s in sets) for sets in self.sets)
        schema = Schema(tuple(self.schema.variables[c] for c in columns))
        return replace(self, schema=schema, real=self.real[:, columns], sets=(first, second))

    def own_and_other(self, by_half: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Sort figures of the records by whether they were trained on.

        Parameters
        ----------
        by_half : two ndarray of shape (n,)
            Figure of each record against the sets of the first and of the second half.

        Returns
        -------
        own, other : ndarray of shape (n,)
            Figure against the sets of its own and of the other half.
        """
        first, second = by_half
        return (
            np.where(self.in_first, first, second),
            np.where(self.in_first, second, first),
        )


def divide_in_halves(n: int, seed: int, *address: str | int) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows at random; arguments as for `cross_fit`.

    Returns
    -------
    first, second : ndarray of bool of shape (n,)
        Marks of the rows of each half.
    """
    in_first = np.zeros(n, dtype=bool)
    in_first[generator(seed, *address, STAGE, "halves").permutation(n)[: n // 2]] = True
    return in_first, ~in_first


def cross_fit(
    real: pd.DataFrame, schema: Schema, synthesise: Synthesise, seed: int, *address: str | int
) -> CrossFit:
    """Divide the records, and synthesise each half.

    Parameters
    ----------
    real : DataFrame of shape (n, p)
        The table to be synthesised, at least `LEAST_ROWS` rows.
    schema : Schema
        Description of it and of the sets.
    synthesise : callable
        Called with a half of `real`, in the order of its rows and with a fresh index, and an address
        for its random numbers; returns the sets, at least one. It must follow the plan of the release.
    seed : int
        Root seed.
    *address : str or int
        Where the random numbers of this assessment belong.

    Returns
    -------
    CrossFit
    """
    n = len(real)
    if n < LEAST_ROWS:
        raise DataError(
            f"{n} rows are too few to be divided: cross-fitting needs {LEAST_ROWS} or more"
        )
    in_first, in_second = divide_in_halves(n, seed, *address)
    encoded = []
    for number, half in enumerate((in_first, in_second), start=1):
        made = synthesise(real[half].reset_index(drop=True), (*address, STAGE, number))
        if not len(made) or not all(len(table) for table in made):
            raise DataError("cross-fitting needs at least one set with rows of each half")
        encoded.append(tuple(encode_rounded(table, schema) for table in made))
    return CrossFit(schema, encode_rounded(real, schema), in_first, (encoded[0], encoded[1]))
