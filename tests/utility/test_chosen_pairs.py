"""Pairs of variables, all or a systematic sample."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import infer_schema
from synth_tasks.utility import assess_utility
from synth_tasks.utility.chosen_pairs import MAX_PAIRS, choose_pairs


@pytest.mark.parametrize("n", [0, 1, 2, 9, 100])
def test_all_pairs_of_up_to_a_hundred_variables_are_taken(n: int) -> None:
    assert choose_pairs(n) == list(combinations(range(n), 2))


@given(st.integers(101, 600))
def test_more_variables_give_no_more_pairs_and_each_has_partners(n: int) -> None:
    pairs = choose_pairs(n)
    assert len(set(pairs)) == len(pairs) == MAX_PAIRS < math.comb(n, 2)
    assert all(i < j for i, j in pairs)
    partners = np.bincount(np.array(pairs).ravel(), minlength=n)
    assert partners.min() > 0.25 * 2 * MAX_PAIRS / n


def test_a_wide_table_is_measured_by_a_part_of_its_pairs() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(size=(200, 1))
    real, synthetic = (
        pd.DataFrame(common + rng.normal(size=(200, 120))).rename(columns="x{}".format)
        for _ in range(2)
    )
    found = assess_utility(real, synthetic, infer_schema(real), 1)
    by_name: dict[str, list] = {}
    for m in found:
        by_name.setdefault(m.metric, []).append(m)
    assert len(by_name["spmse_pair"]) == MAX_PAIRS
    (median,) = by_name["spmse_pair_median"]
    assert median.n == MAX_PAIRS
    assert median.lower < median.value < median.upper
    (largest,) = by_name["correlation_difference_max"]
    assert largest.n == math.comb(120, 2)
    listed = [abs(m.value) for m in by_name["correlation_difference"]]
    assert len(listed) == MAX_PAIRS
    assert largest.value == max(listed)
    differences = np.abs(np.corrcoef(synthetic.T) - np.corrcoef(real.T))[np.triu_indices(120, 1)]
    np.testing.assert_allclose(np.sort(listed), np.sort(differences)[-MAX_PAIRS:], atol=1e-9)
