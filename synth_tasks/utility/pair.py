"""A real and a synthetic table side by side, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, encode


@dataclass(frozen=True, slots=True)
class TablePair:
    """Two encoded tables with one schema; every metric starts from it.

    Parameters
    ----------
    schema : Schema
        Description of the p columns.
    real : ndarray of shape (n, p), float64
        Categories as codes, missing values as NaN.
    synthetic : ndarray of shape (k, p), float64
        Likewise.
    set_number : int
        Number of the synthetic set, 1..m; 0 if it stands for all sets together.
    real_share : float, default 1
        Share of all real rows among those here, in (0, 1]; see `sampling`.
    """

    schema: Schema
    real: np.ndarray
    synthetic: np.ndarray
    set_number: int = 0
    real_share: float = 1.0

    @classmethod
    def encode(
        cls,
        real: pd.DataFrame,
        synthetic: pd.DataFrame,
        schema: Schema,
        set_number: int = 0,
        real_share: float = 1.0,
    ) -> TablePair:
        """Encode two tables; see `encode_rounded`."""
        one, other = encode_rounded(real, schema), encode_rounded(synthetic, schema)
        return cls(schema, one, other, set_number, real_share)

    @property
    def n_rows(self) -> int:
        """Number of real and synthetic rows together."""
        return len(self.real) + len(self.synthetic)

    @property
    def inflation(self) -> float:
        """Variance of a difference of shares under a plug-in synthesis, that with all real rows = 1."""
        return 1 + (1 - self.real_share) * len(self.synthetic) / max(1, len(self.real))


def encode_rounded(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Encode a table at the resolution of its variables.

    Equal published values must be equal numbers: without rounding, 0.1 + 0.2 would hide a copy of
    0.3.

    Returns
    -------
    ndarray of shape (n_rows, n_variables), float64, column-major
    """
    matrix = encode(frame, schema)
    for i, variable in enumerate(schema):
        matrix[:, i] = variable.round(matrix[:, i])
    return matrix
