import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.errors import SpecError
from synth_tasks.sdc import Smooth, control

RNG = np.random.default_rng(1)
REAL = pd.DataFrame(
    {
        "age": RNG.integers(0, 90, 400),
        "income": np.where(RNG.random(400) < 0.3, 0.0, RNG.lognormal(8, 1, 400).round(1)),
        "sex": RNG.choice(["f", "m"], 400),
    }
)
SCHEMA = infer_schema(REAL, {"income": VariableOverride(spikes=(0.0,))})


@pytest.mark.parametrize("kind", ["density", "spline"])
def test_numbers_move_a_little_and_keep_dtype_decimals_and_margin(kind):
    drawn = REAL.sample(frac=1, replace=True, random_state=1)
    step = Smooth(columns={"income": kind, "age": kind})
    found = control(REAL, drawn, SCHEMA, [step], seed=1, set_number=1)
    assert (found.frame.dtypes == drawn.dtypes).all()
    assert found.frame.index.equals(drawn.index)
    income = found.frame["income"]
    pd.testing.assert_series_equal(income.round(1), income)
    assert (income == drawn["income"])[drawn["income"] > 0].mean() < 0.2
    assert income.corr(drawn["income"], method="spearman") > 0.97
    assert income.between(0, REAL["income"].max()).all()
    (changes,) = found.changes
    assert changes.cells["income"] == (income != drawn["income"]).sum()
    assert set(changes.cells) == {"age", "income"}


def test_spikes_missing_values_and_numbers_that_nobody_has_stay():
    drawn = REAL.head(4).assign(income=[0.0, np.nan, 123456789.0, REAL["income"].max()])
    found = control(
        REAL, drawn, SCHEMA, [Smooth(columns={"income": "spline"})], seed=1, set_number=1
    )
    assert found.frame["income"].iloc[:3].equals(drawn["income"].iloc[:3])


def test_a_category_cannot_be_smoothed():
    with pytest.raises(SpecError, match="step 'smooth': column 'sex' is binary, not a number"):
        control(REAL, REAL, SCHEMA, [Smooth(columns={"sex": "spline"})], seed=1, set_number=1)
