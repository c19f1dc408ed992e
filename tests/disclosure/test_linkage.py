import tracemalloc

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind, Schema, Variable, infer_schema
from synth_tasks.disclosure.linkage import link, measure_linkage
from synth_tasks.errors import DataError
from synth_tasks.seeding import generator
from synth_tasks.utility.intervals import clopper_pearson
from synth_tasks.utility.pair import TablePair

NUMBER = Schema((Variable("x", Kind.NUMERIC, "float64"),))


def one_variable(real, synthetic):
    return TablePair(NUMBER, np.array(real, float)[:, None], np.array(synthetic, float)[:, None])


def figures(pair, **options):
    linkage = link(pair, generator(1, "linkage"), **options)
    share, _, rank = measure_linkage(linkage, pair.set_number)
    return share, rank


@pytest.fixture(scope="module")
def distinct_boys(boys):
    return boys.drop_duplicates().reset_index(drop=True)


def test_a_copy_links_every_row(distinct_boys):
    schema = infer_schema(distinct_boys)
    share, rank = figures(TablePair.encode(distinct_boys, distinct_boys, schema, 3))
    assert share.value == 1
    assert share.upper == 1
    assert share.null == 1 / len(distinct_boys)
    assert share.n == len(distinct_boys)
    assert share.set_number == 3
    assert rank.value == 0


def test_a_shuffled_copy_links_no_more_than_chance(distinct_boys):
    schema = infer_schema(distinct_boys)
    pairs = (
        TablePair.encode(distinct_boys, distinct_boys.sample(frac=1, random_state=i), schema)
        for i in range(20)
    )
    shares, ranks = zip(*(figures(pair) for pair in pairs), strict=True)
    hits = sum(m.value * m.n for m in shares)
    # A random permutation has one fixed point on average, with variance one.
    assert abs(hits - 20) < 4 * np.sqrt(20)
    assert all(m.lower <= m.null for m in shares)
    assert np.mean([m.value for m in ranks]) == pytest.approx(0.5, abs=0.02)


def test_a_synthesis_around_the_real_values_is_seen(distinct_boys):
    rng = generator(2, "noise")
    numbers = distinct_boys[["age", "hgt", "wgt"]].dropna().reset_index(drop=True)
    noisy = numbers + rng.normal(0, 0.3, numbers.shape) * numbers.std().to_numpy()
    share, rank = figures(TablePair.encode(numbers, noisy, infer_schema(numbers)))
    assert share.lower > 5 * share.null
    assert rank.upper < 0.1


def test_equally_near_rows_share_the_credit():
    linkage = link(one_variable([0, 0, 10, 4], [1, 0, 2, 5]), generator(1))
    assert linkage.credits.tolist() == [0.5, 0.5, 0.0, 1.0]
    # Row 3: real values 0, 0 and 4 lie at distance 2, its source at 8. Ties count half.
    assert linkage.ranks == pytest.approx([0.5 / 3, 0.5 / 3, 1.0, 0.0])


def test_interval_is_exact_on_the_shared_credit():
    share, _ = figures(one_variable([0, 0, 10, 4], [1, 0, 2, 5]))
    assert share.value == 0.5
    assert (share.lower, share.upper) == clopper_pearson(2.0, 4)


@pytest.mark.parametrize("average", [False, True])
def test_excess_is_the_share_beyond_chance(average):
    pair = one_variable([0, 0, 10, 4], [1, 0, 2, 5])
    share, excess, rank = measure_linkage(link(pair, generator(1)), average=average)
    stem = "self_linkage_average" if average else "self_linkage"
    assert (share.metric, excess.metric) == (stem, f"{stem}_excess")
    assert rank.metric == ("self_linkage_rank_average" if average else "self_linkage_rank")
    assert excess.value == share.value - share.null == 0.25
    assert (excess.lower, excess.upper) == (share.lower - 0.25, share.upper - 0.25)
    assert (excess.null, excess.n, excess.set_number) == (0.0, 4, share.set_number)


@pytest.mark.parametrize(("n", "compared"), [(1, 1), (2, 2), (10, 10), (5000, 500)])
def test_excess_of_a_copy_is_all_but_chance_at_any_size(n, compared):
    values = np.arange(float(n))
    _, excess, _ = measure_linkage(link(one_variable(values, values), generator(1), 500))
    assert excess.value == 1 - 1 / n
    assert excess.lower <= excess.value <= excess.upper == 1 - 1 / n
    assert excess.n == compared


def test_close_values_of_a_heavy_tailed_variable_are_told_apart():
    values = np.append(np.arange(100.0), 1e9)
    share, _ = figures(one_variable(values, values))
    assert share.value == 1


def test_a_table_without_differences_links_by_chance():
    share, rank = figures(one_variable([1, 1, 1, 1], [1, 1, 1, 1]))
    assert share.value == share.null == 0.25
    assert rank.value == 0.5


def test_a_single_row_is_its_own_source():
    share, rank = figures(one_variable([1], [2]))
    assert (share.value, share.null, rank.value) == (1.0, 1.0, 0.0)


def test_large_tables_are_sampled_the_same_for_the_same_generator():
    rng = generator(4, "large")
    real = pd.DataFrame(rng.normal(size=(5000, 2)), columns=["x", "y"])
    pair = TablePair.encode(real, real, infer_schema(real))
    share, _ = figures(pair, max_rows=200)
    assert (share.value, share.n, share.null) == (1.0, 200, 1 / 5000)
    shuffled = TablePair.encode(real, real.sample(frac=1, random_state=1), infer_schema(real))
    assert figures(shuffled, max_rows=200) == figures(shuffled, max_rows=200)


def test_memory_stays_bounded():
    values = generator(5, "memory").normal(size=(20_000, 3))
    schema = Schema(tuple(Variable(name, Kind.NUMERIC, "float64") for name in "abc"))
    tracemalloc.start()
    link(TablePair(schema, values, values), generator(1), max_rows=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6


def test_rows_must_correspond():
    with pytest.raises(DataError, match="3 rows, the real table 2"):
        link(one_variable([0, 1], [0, 1, 2]), generator(1))
