import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.errors import DataError
from synth_tasks.utility.pair import TablePair


def test_noise_below_the_decimals_of_a_variable_is_rounded_away():
    real = pd.DataFrame({"x": [0.3, 1.5]})
    synthetic = pd.DataFrame({"x": [0.1 + 0.2, 1.5]})
    pair = TablePair.encode(real, synthetic, infer_schema(real))
    np.testing.assert_array_equal(pair.real, pair.synthetic)
    assert pair.n_rows == 4


def test_an_unknown_category_is_reported_without_its_name():
    real = pd.DataFrame({"c": ["a", "b"]})
    synthetic = pd.DataFrame({"c": ["a", "secret"]})
    with pytest.raises(DataError, match="1 value") as caught:
        TablePair.encode(real, synthetic, infer_schema(real))
    assert "secret" not in str(caught.value)
