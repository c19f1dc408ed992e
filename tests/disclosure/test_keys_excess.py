import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.excess import paired_interval
from synth_tasks.disclosure.keys_excess import measure_keys_excess
from synth_tasks.utility.pair import encode_rounded


def people(keys, targets):
    return pd.DataFrame({"k": list(keys), "t": list(targets)})


@pytest.fixture
def cross():
    real = people("aabcabdd", "xyxxyyxx")
    schema = infer_schema(real)
    first = people("abc", "xxx"), people("aab", "xyy")
    second = (people("add", "yxx"),)
    return CrossFit(
        schema,
        encode_rounded(real, schema),
        np.arange(8) < 4,
        (
            tuple(encode_rounded(table, schema) for table in first),
            tuple(encode_rounded(table, schema) for table in second),
        ),
    )


def test_by_hand(cross):
    measured = {m.metric: m for m in measure_keys_excess(cross, ["k"], ["t"])}
    # Records ax ay bx cx of the first half, and ay by dx dx of the second, against
    #                      first half       second half
    # abc of the first     repU 0 0 1 1     1 1 0 0      unique in their half and there
    # aab of the first          0 0 1 0     0 1 0 0
    # mean                      0 0 1 1/2   1/2 1 0 0
    # add of the second         0 0 0 0     1 0 0 0
    own, other = 1.5 + 1, 0 + 1.5
    assert measured["repU_excess"].value == pytest.approx(100 * (own - other) / 8)
    assert measured["repU_excess"].control == pytest.approx(100 * other / 8)
    # ax bx cx            disco 1 0 1 1     0 0 0 0      the only value there is theirs
    # ax ay by                  0 0 0 0     0 1 0 0
    # ay dx dx                  0 1 0 0     1 0 1 1
    own, other = 1.5 + 3, 1 + 0.5
    assert measured["disco_excess"].value == pytest.approx(100 * (own - other) / 8)
    assert measured["disco_excess"].control == pytest.approx(100 * other / 8)
    # ax ay by             dcap .5 .5 0 0   .5 1 0 0     share of rows with their value; else as disco
    own, other = (1.5 + 0.5 + 1 + 1) / 2 + 3, 1 + (0.5 + 1) / 2
    assert measured["dcap_excess"].value == pytest.approx(100 * (own - other) / 8)
    assert measured["dcap_excess"].control == pytest.approx(100 * other / 8)
    assert {m.keys for m in measured.values()} == {"k"}
    assert [m.target for m in measured.values()] == ["", "t", "t"]
    assert {m.n for m in measured.values()} == {8}


def test_interval_rests_on_the_differences_of_records(cross):
    rep_u = measure_keys_excess(cross, ["k"], [])[0]
    differences = np.array([0, 0, 1, 0.5, 1 - 0.5, -1, 0, 0])
    expected = [100 * limit for limit in paired_interval(differences)]
    assert [rep_u.lower, rep_u.upper] == pytest.approx(expected)
