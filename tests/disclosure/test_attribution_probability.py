from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind, VariableOverride, infer_schema
from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.disclosure.attribution_probability import measure_attribution_probability
from synth_tasks.disclosure.disco import measure_attribution
from synth_tasks.disclosure.replicated_uniques import measure_replicated_uniques
from synth_tasks.utility.intervals import wilson
from synth_tasks.utility.pair import TablePair

DATA = Path(__file__).parent / "data"
EXPECTED = pd.read_csv(DATA / "attribution_expected.csv")
CASES = list(EXPECTED.groupby(["keys", "target"], sort=True).groups)


@pytest.fixture(scope="module")
def survey():
    real = pd.read_csv(DATA / "attribution_real.csv")
    synthetic = pd.read_csv(DATA / "attribution_synthetic.csv")
    everything = pd.concat([real, synthetic], ignore_index=True)
    schema = infer_schema(everything, {"age": VariableOverride(kind=Kind.NUMERIC)})
    return TablePair.encode(real, synthetic, schema, 2)


def guesses(pair, keys, target):
    measured = measure_attribution_probability(KeyedPair(pair, keys).attribute(target))
    return {m.metric: m for m in measured}


@pytest.mark.parametrize(("keys", "target"), CASES)
def test_all_measures_equal_table_arithmetic_in_r(survey, keys, target):
    names = keys.split("+")
    attribution = KeyedPair(survey, names).attribute(target)
    measured = [
        *measure_replicated_uniques(survey, names),
        *measure_attribution(attribution),
        *measure_attribution_probability(attribution),
    ]
    case = EXPECTED[(EXPECTED["keys"] == keys) & (EXPECTED["target"] == target)]
    expected = case.set_index("metric")["value"].to_dict()
    assert {m.metric: m.value for m in measured} == pytest.approx(expected, abs=1e-9)
    assert {m.keys for m in measured} == {keys}
    assert {m.set_number for m in measured} == {2}


def test_by_hand(pair_up):
    # Key u: real a, a, b; synthetic a, b, b, b: guesses are right with 1/4, 1/4, 3/4.
    # Key v: real c; synthetic a: never right. Key w: real a, not in the synthetic set.
    pair = pair_up(
        {"k": list("uuuvw"), "t": list("aabca")}, {"k": list("uuuuv"), "t": list("abbba")}
    )
    found = guesses(pair, ["k"], "t")
    assert found["dcap"].value == pytest.approx(100 * (1 / 4 + 1 / 4 + 3 / 4) / 5)
    # Real data: u gives 2/3, 2/3, 1/3; v and w are certain.
    assert found["cap_original"].value == pytest.approx(100 * (5 / 3 + 2) / 5)
    # Margin: a, a, a, b, c.
    assert found["cap_baseline"].value == pytest.approx(100 * (9 + 1 + 1) / 25)
    # Only v is told, and wrongly.
    assert (found["tcap"].value, found["tcap"].n) == (0, 1)
    assert found["tcap"].upper == pytest.approx(100 * wilson(0, 1)[1])
    assert found["dcap"].lower < found["dcap"].value < found["dcap"].upper
    assert np.isnan(found["dcap"].null)


def test_where_nothing_is_told_nothing_is_right(pair_up):
    pair = pair_up({"k": list("uu"), "t": list("ab")}, {"k": list("ww"), "t": list("ab")})
    found = guesses(pair, ["k"], "t")
    assert (found["tcap"].value, found["tcap"].n) == (0, 0)
    assert (found["tcap"].lower, found["tcap"].upper) == (0, 100)
    assert found["dcap"].value == 0


def test_a_copy_gives_what_the_real_data_give(boys, pair_up):
    found = guesses(pair_up(boys, boys.sample(frac=1, random_state=1)), ["age", "reg"], "gen")
    assert found["dcap"].value == pytest.approx(found["cap_original"].value)
    assert found["tcap"].value == 100


def test_an_independent_set_gives_no_more_than_the_margin():
    rng = np.random.default_rng(4)
    n = 6000
    shares = np.array([0.6, 0.3, 0.1])

    def draw():
        frame = pd.DataFrame({"k": rng.integers(3, size=n), "t": rng.choice(3, size=n, p=shares)})
        return frame.astype("category")

    real, synthetic = draw(), draw()
    pair = TablePair.encode(real, synthetic, infer_schema(real))
    # Keys and target are independent, so a guess is right with the sum of squared shares.
    baseline = float(shares @ shares)
    spread = np.sqrt(float(shares**3 @ np.ones(3)) - baseline**2) / np.sqrt(n)
    assert abs(guesses(pair, ["k"], "t")["dcap"].value / 100 - baseline) < 5 * spread + 0.005
