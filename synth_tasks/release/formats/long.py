"""All sets in one CSV file, one below the other, as R's ``mice::as.mids`` reads them.

`as.mids` wants the original data as set 0 and fills their missing cells from the other sets. The real
data are not published: set 0 is missing altogether, so that every cell comes from the synthetic sets.
(Set 1 in its place would make `as.mids` take all cells for observed, and every set equal to the first.)
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

MISSING = "NA"
IMPUTATION, ROW = ".imp", ".id"


def write_long(sets: Sequence[pd.DataFrame]) -> str:
    """Write sets in long format.

    Parameters
    ----------
    sets : sequence of DataFrame of shape (n_rows, n_columns)
        The synthetic sets.

    Returns
    -------
    str
        CSV with the columns ``.imp`` (0 for the empty set, then 1, 2, ...), ``.id`` (1 to n_rows in
        every set, without a meaning between sets) and those of the sets; booleans are TRUE and FALSE.
    """
    empty = sets[0].astype(object).mask(pd.Series(True, index=sets[0].index), axis=0)
    parts = [_part(frame, number) for number, frame in enumerate([empty, *sets])]
    return "".join(
        part.to_csv(index=False, header=number == 0, na_rep=MISSING, lineterminator="\n")
        for number, part in enumerate(parts)
    )


def _part(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    columns = {name: _as_in_r(frame[name]) for name in frame}
    ids = pd.RangeIndex(1, len(frame) + 1)
    return pd.DataFrame({IMPUTATION: number, ROW: ids, **columns}, index=frame.index)


def _as_in_r(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_bool_dtype(column.dtype):
        return column
    return column.astype(object).map({True: "TRUE", False: "FALSE"})
