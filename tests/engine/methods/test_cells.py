"""Cells of the cross-classification of categorical predictors."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.engine.methods import catall  # noqa: F401  (registers the method)
from synth_tasks.engine.methods.cells import CellDonors, count_levels, require_cells
from synth_tasks.errors import PlanError
from tests.engine.builders import category, context, number

X = np.array([[1, 0, 2], [0, 1, 0], [1, 0, 2], [1, 1, 0], [0, 1, 0], [0, 0, 1]])
LEVELS = (3, 2, 4)


def test_every_training_row_is_in_the_cell_of_its_codes() -> None:
    y = np.arange(6.0)
    cells = CellDonors.collect(y, X, LEVELS)
    positions = cells.locate(X)
    for n_used, donors in enumerate(cells.donors):
        for row in range(6):
            start, size = donors.start[positions[n_used, row]], donors.size[positions[n_used, row]]
            same = (X[:, :n_used] == X[row, :n_used]).all(axis=1)
            assert sorted(donors.donors[start : start + size]) == y[same].tolist()


def test_a_cell_without_training_rows_has_no_position_nor_have_those_within_it() -> None:
    cells = CellDonors.collect(np.arange(6.0), X, LEVELS)
    known = cells.locate(np.array([[1, 0, 3], [0, 1, 1], [2, 0, 1], [1, 1, 0]])) >= 0
    assert known.sum(axis=0).tolist() == [3, 3, 1, 4]
    assert (known[1:] <= known[:-1]).all()


def test_more_combinations_than_an_integer_can_number_are_no_problem() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(10, size=(200, 40))
    cells = CellDonors.collect(np.arange(200.0), x, (10,) * 40)
    drawn = cells.donors[-1].draw(cells.locate(x)[-1], rng)
    assert drawn.tolist() == list(range(200))


def test_no_predictor_leaves_one_cell() -> None:
    cells = CellDonors.collect(np.arange(3.0), np.empty((3, 0)), ())
    assert cells.locate(np.empty((2, 0))).tolist() == [[0, 0]]


def test_numeric_predictors_are_refused_by_name() -> None:
    told = context("catall", category(2), [number("age"), category(3, name="g"), number("hgt")])
    with pytest.raises(PlanError) as caught:
        count_levels("catall", told)
    assert str(caught.value) == (
        "method 'catall' of 'y' needs categorical predictors: set age, hgt to 0 in its row of "
        "predictor_matrix"
    )


def test_the_size_of_the_table_has_a_limit() -> None:
    told = context("catall", category(2), [category(5, name="a"), category(10, name="b")])
    require_cells("catall", told, at_most=100)
    with pytest.raises(PlanError, match="its table would have more than 99 cells; leave predictor"):
        require_cells("catall", told, at_most=99)
