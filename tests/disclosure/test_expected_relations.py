import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.attribution import KeyedPair
from synth_tasks.disclosure.disco import measure_attribution
from synth_tasks.disclosure.expected_relations import ExpectedLimits, measure_expected
from synth_tasks.utility.pair import TablePair


def expected(pair, keys, target, limits=None):
    measured = measure_expected(KeyedPair(pair, keys).attribute(target), limits)
    return {m.metric: m.value for m in measured}


def table(*cells):
    """Repeat rows: (a, b, t, times)."""
    rows = [cell[:3] for cell in cells for _ in range(cell[3])]
    return pd.DataFrame(rows, columns=["a", "b", "t"])


def test_a_value_that_nearly_all_have_is_expected(pair_up):
    # "no" can be read off for 95 rows, "yes" for 5: 95 of 100 are more than 90 %.
    real = table(("u", "k", "no", 60), ("v", "k", "no", 35), ("w", "k", "yes", 5))
    found = expected(pair_up(real, real), ["a", "b"], "t")
    assert found["disco_one_way"] == 95
    # Key w alone foretells "yes", in a cell of five synthetic rows.
    assert found["disco_two_way"] == 100
    assert found["disco_unexpected"] == 0


@pytest.mark.parametrize(
    ("no", "yes", "flagged"), [(45, 5, 0), (90, 10, 0), (91, 9, 91), (50, 4, 50)]
)
def test_both_thresholds_of_one_way_must_be_met(pair_up, no, yes, flagged):
    real = table(("u", "k", "no", no), ("v", "k", "yes", yes))
    found = expected(pair_up(real, real), ["a", "b"], "t")
    assert found["disco_one_way"] == pytest.approx(100 * flagged / (no + yes))


@pytest.mark.parametrize(
    ("synthetic_rows", "others", "flagged"), [(5, 2, 10), (4, 2, 0), (5, 3, 0)]
)
def test_both_thresholds_of_two_way_must_be_met(pair_up, synthetic_rows, others, flagged):
    # Cell (u, k) says x. Of the rows with a = u, 10 of 10 + others are x; b = k foretells nothing.
    real = table(("u", "k", "x", 10), ("u", "l", "y", others), ("v", "k", "z", 20))
    synthetic = table(("u", "k", "x", synthetic_rows), ("v", "l", "y", 1))
    found = expected(pair_up(real, synthetic), ["a", "b"], "t")
    assert found["disco_two_way"] == pytest.approx(100 * flagged / len(real))
    assert found["disco_unexpected"] == pytest.approx(100 * (10 - flagged) / len(real))


def test_limits_can_be_set(pair_up):
    real = table(("u", "k", "no", 9), ("v", "k", "yes", 1))
    limits = ExpectedLimits(one_way_rows=5, one_way_share=0.5, two_way_rows=1, two_way_share=0.99)
    found = expected(pair_up(real, real), ["a", "b"], "t", limits)
    assert (found["disco_one_way"], found["disco_two_way"]) == (90, 100)


LETTERS = st.tuples(*[st.sampled_from("xyz")] * 3)


@settings(deadline=None, max_examples=50)
@given(st.lists(LETTERS, min_size=1, max_size=60), st.lists(LETTERS, min_size=1, max_size=60))
def test_unexpected_is_part_of_disco(real, synthetic):
    frames = [pd.DataFrame(rows, columns=["a", "b", "t"]) for rows in (real, synthetic)]
    schema = infer_schema(pd.concat(frames, ignore_index=True))
    attribution = KeyedPair(TablePair.encode(*frames, schema), ["a", "b"]).attribute("t")
    disco = measure_attribution(attribution)[0].value
    found = {m.metric: m.value for m in measure_expected(attribution)}
    assert 0 <= found["disco_unexpected"] <= disco + 1e-9
    assert max(found["disco_one_way"], found["disco_two_way"]) <= disco + 1e-9
    together = found["disco_unexpected"] + found["disco_one_way"] + found["disco_two_way"]
    assert together >= disco - 1e-9
