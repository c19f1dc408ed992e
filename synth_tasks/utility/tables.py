"""Compare the counts of two contingency tables.

With d_j and s_j the numbers of real and synthetic rows in cell j, and c the share of synthetic rows
among all N rows, the propensity of being synthetic is estimated in each cell by s_j / (s_j + d_j),
and

    pMSE   = sum_j (s_j + d_j) (s_j / (s_j + d_j) - c)² / N
    VW     = sum_j (s_j - d_j c / (1 - c))² / (c (s_j + d_j)) = pMSE N / (c (1 - c)²)
    S_pMSE = VW / (number of non-empty cells - 1)

S_pMSE lies in [0, inf). Its expectation is 1 if the synthetic rows are drawn from the real table, 2
if they are another sample from the same population or come from a proper synthesis (one with
parameters drawn anew). Values near 0 mean that rows were copied. A table with one non-empty cell is
reproduced by every synthesis and says nothing: its value is set to the null value 1.

If the real rows are themselves a sample, VW is larger by their own variance (`TablePair.inflation`): it
is divided by that, so that the null value stays 1.

References
----------
Voas & Williamson (2001). Evaluating goodness-of-fit measures for synthetic microdata. Geographical
and Environmental Modelling 5, 177-200.
Raab, Nowok & Dibben (2021). Assessing, visualizing and improving the utility of synthetic data.
arXiv:2109.12717.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from synth_tasks.utility.at_once import AtOnce

MANY_ROWS = 20_000
SPMSE_NULL = 1.0
SPMSE_REFERENCE = "Raab, Nowok & Dibben (2021), arXiv:2109.12717; Voas & Williamson (2001)"


def spmse(real: np.ndarray, synthetic: np.ndarray, inflation: float = 1.0) -> float:
    """Compute the standardised propensity mean squared error of a table.

    Parameters
    ----------
    real, synthetic : ndarray of shape (n_cells,)
        Counts; both have a positive sum. Cells empty in both tables are left out.
    inflation : float, default 1
        See `TablePair.inflation`; 1 if all real rows are counted.

    Returns
    -------
    float
        S_pMSE, finite and not negative; see the top of the module. In tables of more than
        `MANY_ROWS` together what exceeds the null value is scaled to that number: for one and the same
        difference of shares it grows with the rows, and the bounds in use (3 and 10) come from tables
        of thousands.
    """
    filled = real + synthetic > 0
    d, s = real[filled], synthetic[filled]
    if len(d) < 2:
        return SPMSE_NULL
    c = s.sum() / (s.sum() + d.sum())
    voas_williamson = np.sum((s - d * c / (1 - c)) ** 2 / (c * (s + d)))
    value = float(voas_williamson / (len(d) - 1) / inflation)
    n_rows = float(s.sum() + d.sum())
    if value > SPMSE_NULL and n_rows > MANY_ROWS:
        return SPMSE_NULL + (value - SPMSE_NULL) * MANY_ROWS / n_rows
    return value


def spmse_beyond_chance(
    real: np.ndarray,
    synthetic: np.ndarray,
    inflation: float,
    at_once: AtOnce,
    figures: int,
) -> float:
    """Compute S_pMSE less what chance adds to its null value in a family of tables.

    Parameters
    ----------
    real, synthetic, inflation
        See `spmse`.
    at_once : AtOnce
        The family.
    figures : int
        Tables like this one that each pair has, one a variable or one a pair of variables.

    Returns
    -------
    float
        Not negative. A right synthesis has one above the null value in the whole family with
        probability 0.025 at most, as far as the statistic is a chi-square variable.
    """
    value = spmse(real, synthetic, inflation)
    df = np.count_nonzero(real + synthetic) - 1
    if df < 1:
        return value
    n, k = float(real.sum()), float(synthetic.sum())
    spread = (1 + k / n) / inflation if at_once.proper else 1.0
    tail = (1 - at_once.confidence(figures)) / 2
    added = spread * float(special.chdtri(df, tail)) / df - SPMSE_NULL
    return max(0.0, value - added * min(1.0, MANY_ROWS / (n + k)))


def cross_tabulate(
    real: tuple[np.ndarray, np.ndarray],
    synthetic: tuple[np.ndarray, np.ndarray],
    sizes: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Count the cells of a two-way table in both data sets.

    Parameters
    ----------
    real, synthetic : tuple of two ndarray of int
        Cell numbers of the row and of the column variable.
    sizes : tuple of int
        Number of cells of the row and of the column variable.

    Returns
    -------
    tuple of two ndarray of shape (n_cells,)
        Counts in equal order of cells.
    """
    cells = np.concatenate(
        [real[0] * sizes[1] + real[1], synthetic[0] * sizes[1] + synthetic[1]],
    )
    n_cells = sizes[0] * sizes[1]
    if n_cells > len(cells):
        # Two variables with a thousand categories have a million cells, nearly all of them empty.
        used, cells = np.unique(cells, return_inverse=True)
        n_cells = len(used)
    n = len(real[0])
    return np.bincount(cells[:n], minlength=n_cells), np.bincount(cells[n:], minlength=n_cells)
