import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.errors import SpecError
from synth_tasks.sdc import Round, control

REAL = pd.DataFrame({"x": [0.3, 1.2, 2.5, np.nan, 7.4], "n": [1, 2, 3, 4, 13]})
SCHEMA = infer_schema(REAL)


def round_to(columns, frame=REAL, **settings):
    step = Round(columns=columns, **settings)
    return control(frame, frame, infer_schema(frame), [step], seed=1, set_number=1)


def test_numbers_become_multiples_of_the_base():
    found = round_to({"x": 0.5, "n": 5})
    assert found.frame["x"].tolist()[:3] == [0.5, 1.0, 2.5]
    assert found.frame["n"].tolist() == [0, 0, 5, 5, 15]
    assert (found.frame.dtypes == REAL.dtypes).all()
    assert found.changes[0].cells == {"x": 3, "n": 5}


def test_multiples_stay_where_they_are():
    tenths = pd.DataFrame({"x": np.arange(1000) / 10})
    for how in ("nearest", "random"):
        found = round_to({"x": 0.1}, tenths, how=how)
        pd.testing.assert_frame_equal(found.frame, tenths)
        assert found.changes[0].cells == {}


def test_random_rounding_keeps_the_expectation():
    frame = pd.DataFrame({"n": [1, 9] * 5000})
    found = round_to({"n": 5}, frame, how="random").frame["n"]
    assert set(found[::2]) == {0, 5}
    assert set(found[1::2]) == {5, 10}
    # One fifth of the ones goes up: the mean has the standard error 5 sqrt(0.16 / 5000).
    assert abs(found[::2].mean() - 1) < 4 * 5 * np.sqrt(0.16 / 5000)


def test_random_numbers_belong_to_set_and_column():
    frame = pd.DataFrame({"n": np.arange(100), "o": np.arange(100)})
    schema = infer_schema(frame)

    def found(columns, number):
        step = Round(columns=columns, how="random")
        return control(frame, frame, schema, [step], seed=1, set_number=number).frame["n"]

    assert found({"n": 5}, 1).equals(found({"o": 7, "n": 5}, 1))
    assert not found({"n": 5}, 1).equals(found({"n": 5}, 2))


def test_a_base_finer_than_the_column_is_refused():
    with pytest.raises(SpecError, match=r"base 0.25 of column 'x' have more decimals"):
        round_to({"x": 0.25})
    with pytest.raises(SpecError, match=r"base 2.5 of column 'n'"):
        round_to({"n": 2.5})
