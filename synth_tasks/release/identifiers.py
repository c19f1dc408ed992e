"""Telling numbers that name persons from numbers that measure something.

A synthetic value of a number is, as a rule, a value of the data. Of a measurement that is no disclosure
by itself; of an identifier it is the person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from synth_tasks.data import Kind, Variable

NAMED = re.compile(
    r"(^|[_\W])(id|ids|pid|uuid|guid|key|nr|no|num|number|code|bsn|ssn|mrn|nhs|nino|cpr)$",
    re.IGNORECASE,
)
MANY_ROWS = 100
# Rows that may share a number: visits of a patient, members of a household.
FEW_SHARE = 5
FEW_SHARE_IF_NAMED = 50
LONG = 5  # digits


@dataclass(frozen=True)
class WholeNumbers:
    """What is known of the whole numbers in a column.

    Parameters
    ----------
    n_observed : int
        Rows with a value.
    n_distinct : int
        Different values; at least so many if there are `more`.
    low, high : float
        Smallest and largest value.
    repeated : bool
        Whether any value occurs twice.
    more : bool, default False
        Whether there are too many different values to count them.
    """

    n_observed: int
    n_distinct: int
    low: float
    high: float
    repeated: bool
    more: bool = False

    def shared_by_at_most(self, n_rows: int) -> bool:
        """Tell whether no more rows than this share a number, on average."""
        return self.more or self.n_distinct * n_rows >= self.n_observed


def count_whole_numbers(values: np.ndarray) -> WholeNumbers:
    """Return what is known of the observed values of a column, of which those of a whole number count.

    Parameters
    ----------
    values : ndarray of float of shape (n_observed,)
        Without missing ones.
    """
    if not len(values):
        return WholeNumbers(0, 0, 0.0, 0.0, repeated=False)
    n_distinct = len(np.unique(values))
    ends = float(values.min()), float(values.max())
    return WholeNumbers(len(values), n_distinct, *ends, repeated=n_distinct < len(values))


def looks_like_identifier(variable: Variable, numbers: WholeNumbers) -> bool:
    """Tell whether whole numbers, also those stored with a decimal point, seem to name persons.

    They do if every row has a number of its own; or if few rows share one, as those of a person do who
    was seen several times, and the name of the column says so, or all numbers are of the same length,
    or they run from first to last without a gap.

    Parameters
    ----------
    variable : Variable
        The column.
    numbers : WholeNumbers
        Its values.

    Returns
    -------
    bool
        False for other kinds of variables.
    """
    whole = variable.kind is Kind.INTEGER or (
        variable.kind is Kind.NUMERIC and variable.decimals == 0
    )
    if not whole or numbers.n_observed == 0:
        return False
    named = NAMED.search(variable.name) is not None
    if numbers.n_observed < MANY_ROWS:
        return named and not numbers.repeated
    if not numbers.repeated:
        return True
    if named:
        return numbers.shared_by_at_most(FEW_SHARE_IF_NAMED)
    return numbers.shared_by_at_most(FEW_SHARE) and (_equally_long(numbers) or _gapless(numbers))


def _equally_long(numbers: WholeNumbers) -> bool:
    digits = [len(str(int(abs(end)))) for end in (numbers.low, numbers.high)]
    return numbers.low > 0 and digits[0] == digits[1] >= LONG


def _gapless(numbers: WholeNumbers) -> bool:
    return not numbers.more and numbers.high - numbers.low + 1 == numbers.n_distinct
