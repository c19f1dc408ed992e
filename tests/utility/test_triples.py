import numpy as np
import pandas as pd
import pytest

from synth_tasks.seeding import generator
from synth_tasks.utility import triples
from synth_tasks.utility.grouping import group_pair
from synth_tasks.utility.tables import spmse
from synth_tasks.utility.triples import measure_triples


def columns(seed, names="abcd"):
    rng = generator(seed, "triples")
    return {name: rng.choice(list("xyz"), 200) for name in names}


def test_equal_the_table_of_three_variables(pair_up):
    real, synthetic = columns(1, "abc"), columns(2, "abc")
    counts = pd.concat([pd.DataFrame(real), pd.DataFrame(synthetic)], keys=[0, 1])
    table = counts.groupby([counts.index.get_level_values(0), *"abc"]).size().unstack(0).fillna(0)
    median, largest = measure_triples(group_pair(pair_up(real, synthetic)), None)
    assert median.value == pytest.approx(spmse(table[0].to_numpy(), table[1].to_numpy()))
    assert (largest.value, largest.target, largest.n) == (median.value, "a:b:c", 1)


def test_an_exclusive_or_lies_in_no_pair_but_in_a_triple(pair_up):
    a, b = np.repeat([0.0, 1.0], 100), np.tile([0.0, 1.0], 100)
    noise = columns(3)["a"]
    real = {"a": a, "b": b, "c": (a + b) % 2, "d": noise}
    grouped = group_pair(pair_up(real, real | {"c": np.repeat([0.0, 1.0, 1.0, 0.0], 50)}))
    largest = measure_triples(grouped, None)[1]
    assert largest.target == "a:b:c"
    assert largest.value > 10


def test_large_tables_are_measured_at_chosen_triples(pair_up, monkeypatch):
    monkeypatch.setattr(triples, "MAX_CELLS", 400 * 7)
    grouped = group_pair(pair_up(columns(4, "abcdefg"), columns(5, "abcdefg")))
    median, largest = measure_triples(grouped, generator(6, "triples"))
    assert median.n == largest.n == 7
    assert median.lower <= median.value <= median.upper <= largest.value


def test_of_many_variables_some_triples_are_chosen_and_none_twice():
    chosen = triples._choose(7, 30, generator(7, "triples"))
    assert len(set(chosen)) == len(chosen) == 30
    assert all(i < j < k for i, j, k in chosen)
    assert len(triples._choose(1000, 30, generator(7, "triples"))) == 30


def test_two_variables_have_no_triple(pair_up):
    measured = measure_triples(group_pair(pair_up(columns(1, "ab"), columns(2, "ab"))), None)
    assert [(m.value, m.target, m.n) for m in measured] == [(1, "", 0), (1, "", 0)]
