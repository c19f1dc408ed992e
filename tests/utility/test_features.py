from dataclasses import replace

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.utility.features import pool_rows

NAN = float("nan")


def test_missing_numbers_are_filled_and_marked(pair_up):
    rows = pool_rows(pair_up({"x": [1.0, NAN, 3.0]}, {"x": [NAN, 5.0]}))
    assert [v.name for v in rows.variables] == ["x missing", "x"]
    assert rows.x.tolist() == [[0, 1], [1, 3], [0, 3], [1, 3], [0, 5]]
    assert rows.is_synthetic.tolist() == [False, False, False, True, True]
    assert rows.synthetic_share == 0.4


def test_missing_is_one_more_category_without_a_place_in_an_order(pair_up):
    rows = pool_rows(pair_up({"c": ["a", None, "b"]}, {"c": ["b", "c"]}))
    assert rows.x[:, 0].tolist() == [0, 3, 1, 1, 2]
    assert rows.variables[0].kind is Kind.NOMINAL
    assert len(rows.variables[0].categories) == 4


def test_a_column_without_any_value_is_no_obstacle(pair_up):
    pair = pair_up({"x": [NAN, 2.0]}, {"x": [NAN, 3.0]})
    rows = pool_rows(replace(pair, real=pair.real[:1], synthetic=pair.synthetic[:1]))
    assert np.isfinite(rows.x).all()
