import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import Kind, Schema, Variable
from synth_tasks.disclosure.disco import measure_disco
from synth_tasks.errors import DataError
from synth_tasks.utility.intervals import wilson
from synth_tasks.utility.pair import TablePair

SCHEMA = Schema(tuple(Variable(name, Kind.NUMERIC, "float64") for name in "abt"))
VALUE = st.one_of(st.just(np.nan), st.integers(0, 3).map(float))
TABLE = st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=1, max_size=25)


def percentages(pair, keys, target, **options):
    return {m.metric: m.value for m in measure_disco(pair, keys, target, **options)}


def numbers(real, synthetic):
    return TablePair(SCHEMA, np.array(real, float), np.array(synthetic, float))


@pytest.fixture
def hand_table(pair_up):
    # Key 1: real yes, yes; synthetic yes twice: both are learned.
    # Key 2: real yes, no; synthetic no: one of them is learned, though the real rows differ.
    # Key 3: real no; synthetic yes and no: nothing is learned.
    # Key missing: real yes, yes; synthetic no: an intruder is wrong.
    # Key 4: real no; not in the synthetic set. Key 9 is in the synthetic set only.
    return pair_up(
        {"x": [1.0, 1.0, 2.0, 2.0, 3.0, np.nan, np.nan, 4.0], "c": list("yyynnyyn")},
        {"x": [1.0, 1.0, 2.0, 3.0, 3.0, np.nan, 9.0], "c": list("yynynny")},
    )


def test_by_hand(hand_table):
    # Found: keys 1, 1, 2, 2, 3, missing, missing. One value: all of them but key 3.
    # Right and the only value in the real data, too: key 1.
    counts = {
        "disco": 3,
        "disclosive_original": 6,
        "keys_in_synthetic": 7,
        "disclosive_synthetic": 6,
        "disclosive_both": 2,
    }
    measured = {m.metric: m for m in measure_disco(hand_table, ["x"], "c")}
    assert {name: m.value for name, m in measured.items()} == {
        name: 100 * count / 8 for name, count in counts.items()
    }
    for m, count in [(measured[name], count) for name, count in counts.items()]:
        assert (m.target, m.keys, m.set_number, m.n) == ("c", "x", 1, 8)
        assert (m.lower, m.upper) == pytest.approx([100 * limit for limit in wilson(count, 8)])
        assert np.isnan(m.null)


def test_a_numeric_target_by_hand(hand_table):
    # Real c = y: x = 1, 1, 2, missing, missing; n: x = 2, 3, 4. No key has one value of x only.
    measured = percentages(hand_table, ["c"], "x")
    assert measured["disco"] == measured["disclosive_original"] == 0
    assert (measured["keys_in_synthetic"], measured["disclosive_synthetic"]) == (100, 0)


def test_a_missing_target_is_learned_like_any_value(pair_up):
    pair = pair_up(
        {"c": list("aab"), "x": [np.nan, np.nan, 1.0]}, {"c": list("ab"), "x": [np.nan, 2.0]}
    )
    measured = percentages(pair, ["c"], "x")
    assert measured["disco"] == pytest.approx(200 / 3)
    assert measured["disclosive_original"] == measured["disclosive_synthetic"] == 100


def test_several_keys_by_hand(pair_up):
    pair = pair_up(
        {"a": list("uuvv"), "b": list("klkl"), "t": list("xyxy")},
        {"a": list("uuvv"), "b": list("kllk"), "t": list("xyxx")},
    )
    assert percentages(pair, ["a"], "t")["disco"] == 25
    measured = measure_disco(pair, ["a", "b"], "t")
    assert {m.keys for m in measured} == {"a+b"}
    assert [m.value for m in measured[:2]] == [75.0, 100.0]


def test_numbers_may_be_known_roughly(pair_up):
    real = [float(i) for i in range(20)]
    near = [value + 0.25 for value in real]
    pair = pair_up({"x": real, "y": real}, {"x": near, "y": near})
    exact, rough = percentages(pair, ["x"], "y"), percentages(pair, ["x"], "y", groups=2)
    assert (exact["disco"], exact["keys_in_synthetic"]) == (0, 0)
    assert (rough["disco"], rough["disclosive_original"]) == (100, 100)


@pytest.mark.parametrize("target", ["gen", "phb", "tv", "reg"])
@pytest.mark.parametrize("keys", [["age", "hgt"], ["age"], ["reg", "phb"], ["gen"]])
def test_a_copy_discloses_what_the_original_does(boys, pair_up, keys, target):
    if target not in keys:
        measured = percentages(pair_up(boys, boys.sample(frac=1, random_state=1)), keys, target)
        assert measured["disco"] == measured["disclosive_original"] == measured["disclosive_both"]
        assert measured["keys_in_synthetic"] == 100


def test_an_independent_target_is_learned_by_chance():
    rng = np.random.default_rng(1)
    n, levels = 4000, 4
    keys = rng.permutation(n).astype(float)
    real = np.column_stack([keys, keys, rng.integers(levels, size=n)])
    synthetic = np.column_stack([keys, keys, rng.integers(levels, size=n)])
    measured = percentages(numbers(real, synthetic), ["a"], "t")
    # Every key occurs once, so one synthetic value is read off, right for one person in four.
    assert measured["disclosive_original"] == 100
    assert abs(measured["disco"] - 25) < 4 * 100 * np.sqrt(0.25 * 0.75 / n)


def follow_the_definition(real, synthetic):
    """Sum over combinations of the keys a and b and values of t, as the paper writes it."""
    real, synthetic = ([tuple(map(str, row)) for row in rows] for rows in (real, synthetic))
    disco = original = found = told = both = 0
    for row in set(real):
        d, s = real.count(row), synthetic.count(row)
        d_key = sum(other[:2] == row[:2] for other in real)
        s_key = sum(other[:2] == row[:2] for other in synthetic)
        disco += d * (s == s_key > 0)
        original += d * (d == d_key)
        found += d * (s_key > 0)
        told += d * (len({other[2] for other in synthetic if other[:2] == row[:2]}) == 1)
        both += d * (s == s_key > 0) * (d == d_key)
    return [100 * count / len(real) for count in (disco, original, found, told, both)]


@settings(max_examples=100, deadline=None)
@given(TABLE, TABLE)
def test_the_definition_is_met_within_bounds_whatever_the_order(real, synthetic):
    found = measure_disco(numbers(real, synthetic), ["a", "b"], "t")
    assert [m.value for m in found] == pytest.approx(follow_the_definition(real, synthetic))
    for m in found:
        assert 0 <= m.lower <= m.value + 1e-9
        assert m.value - 1e-9 <= m.upper <= 100
    for step, other_step in itertools.product((1, -1), repeat=2):
        turned = numbers(real[::step], synthetic[::other_step])
        again = measure_disco(turned, ["a", "b"], "t")
        assert [m.value for m in again] == [m.value for m in found]


def test_a_key_must_be_named_and_cannot_be_the_target(hand_table):
    with pytest.raises(DataError, match="key"):
        measure_disco(hand_table, [], "c")
    with pytest.raises(DataError, match="'x' is a key"):
        measure_disco(hand_table, ["x"], "x")
    with pytest.raises(DataError, match="unknown column 'z'"):
        measure_disco(hand_table, ["x"], "z")
