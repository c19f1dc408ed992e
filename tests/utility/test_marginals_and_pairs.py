"""One- and two-way S_pMSE of the boys against a computation in R; see data/spmse_boys.R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.utility.grouping import group_pair
from synth_tasks.utility.marginals import measure_marginals
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.pairs import measure_pairs

ORACLE = Path(__file__).parent / "data" / "spmse_boys.csv"


@pytest.fixture(scope="module")
def grouped(boys):
    is_synthetic = np.arange(1, len(boys) + 1) % 3 == 0
    return group_pair(
        TablePair.encode(boys[~is_synthetic], boys[is_synthetic], infer_schema(boys), 4)
    )


def test_equal_the_computation_in_r(grouped):
    expected = pd.read_csv(ORACLE).set_index("target")["spmse"].to_dict()
    measured = measure_marginals(grouped) + measure_pairs(grouped)
    values = {m.target: m.value for m in measured if m.target}
    assert values == pytest.approx(expected, rel=1e-9)


def test_carry_set_null_and_number_of_rows(grouped):
    measured = measure_marginals(grouped) + measure_pairs(grouped)
    assert {m.set_number for m in measured} == {4}
    assert {m.null for m in measured} == {1.0}
    assert {m.n for m in measured if m.target} == {748}


def test_pairs_are_summarised(grouped):
    measured = measure_pairs(grouped)
    values = [m.value for m in measured if m.metric == "spmse_pair"]
    summary = {m.metric: m for m in measured if not m.target}
    assert summary["spmse_pair_max"].value == max(values)
    assert summary["spmse_pair_median"].value == np.median(values)
    assert summary["spmse_pair_max"].n == len(values) == 36


def test_a_single_variable_has_no_pair_and_loses_nothing(pair_up):
    measured = measure_pairs(group_pair(pair_up({"x": [1.0, 2.0]}, {"x": [2.0, 1.0]})))
    assert [(m.metric, m.value, m.n) for m in measured] == [
        ("spmse_pair_max", 1.0, 0),
        ("spmse_pair_median", 1.0, 0),
    ]


def test_independent_columns_keep_marginals_and_lose_pairs(boys):
    complete = boys[["age", "hgt", "wgt"]].dropna().reset_index(drop=True)
    torn = complete.assign(hgt=complete["hgt"].sample(frac=1, random_state=1).to_numpy())
    grouped = group_pair(TablePair.encode(complete, torn, infer_schema(complete)))
    assert max(m.value for m in measure_marginals(grouped)) < 1e-12
    values = {m.target: m.value for m in measure_pairs(grouped)}
    assert values["age:hgt"] > 10
    assert values["age:wgt"] == 0
