import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.exact_matches import measure_exact_matches
from synth_tasks.errors import DataError
from synth_tasks.seeding import generator
from synth_tasks.utility.intervals import wilson
from synth_tasks.utility.pair import TablePair


def values(measured):
    return {m.metric: m.value for m in measured}


def continuous(rng, n):
    return pd.DataFrame(rng.normal(size=(n, 4)).round(6), columns=list("abcd"))


def test_by_hand(pair_up):
    measured = measure_exact_matches(
        pair_up(
            {"x": [1.0, 1.0, 2.0, np.nan], "c": ["a", "a", "b", "b"]},
            {"x": [1.0, 2.0, np.nan, 2.0, np.nan], "c": ["a", "b", "b", "a", "a"]},
        )
    )
    assert values(measured) == {"exact_match": 3 / 5, "unique_exact_match": 2 / 5}
    assert (measured[0].lower, measured[0].upper) == wilson(3, 5)
    assert {m.n for m in measured} == {5}
    assert {m.null for m in measured} == {0.0}


def test_one_percent_of_verbatim_copies_is_seen():
    rng = generator(5, "leak")
    real, synthetic = continuous(rng, 1000), continuous(rng, 1000)
    schema = infer_schema(real, {})
    clean = measure_exact_matches(TablePair.encode(real, synthetic, schema))
    assert values(clean) == {"exact_match": 0.0, "unique_exact_match": 0.0}
    leaked = synthetic.copy()
    leaked.iloc[::100] = real.iloc[:10].to_numpy()
    measured = measure_exact_matches(TablePair.encode(real, leaked, schema))
    assert values(measured) == {"exact_match": 0.01, "unique_exact_match": 0.01}
    assert all(m.lower > 0 for m in measured)


def test_a_shuffled_copy_is_a_copy(boys):
    shuffled = boys.sample(frac=1, random_state=1)
    measured = measure_exact_matches(TablePair.encode(boys, shuffled, infer_schema(boys)))
    assert values(measured)["exact_match"] == 1


def test_a_changed_derived_variable_hides_no_copy(boys):
    copy = boys.assign(bmi=boys["bmi"] + 1)
    pair = TablePair.encode(boys, copy, infer_schema(boys))
    observed = boys["bmi"].notna().mean()
    assert values(measure_exact_matches(pair))["exact_match"] == pytest.approx(1 - observed)
    compared = [name for name in boys if name != "bmi"]
    assert values(measure_exact_matches(pair, compared))["exact_match"] == 1


def test_there_must_be_something_to_compare(pair_up):
    with pytest.raises(DataError, match="derived"):
        measure_exact_matches(pair_up({"x": [1.0, 2.0]}, {"x": [1.0, 2.0]}), [])
