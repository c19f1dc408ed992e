"""What only a fit can tell is found before anything is started."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.errors import DataError, PlanError, SynthError
from synth_tasks.release.rehearsal import LEAST_ROWS, MOST_ROWS, rows_to_try
from synth_tasks.release.stages import load_source
from tests.release.builders import BMI, make_people, make_site, people_spec


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"), make_people(300))


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        (
            {"synthesis": {"method_by_variable": {"bmi": BMI, "stage": "catall"}}},
            PlanError,
            "synthesis: .*'stage'",
        ),
        (
            {"synthesis": {"method_by_variable": {"bmi": BMI, "wgt": "derived"}}},
            PlanError,
            "synthesis: method 'derived' of 'wgt'",
        ),
        (
            {"synthesis": {"method_by_variable": {"bmi": BMI, "children": "lognorm"}}},
            PlanError,
            "synthesis: .*'children'",
        ),
        (
            {"synthesis": {"post": {"wgt": "wgt + 'x'"}}},
            SynthError,
            "synthesis: post of 'wgt'.*mixes numbers and categories",
        ),
        (
            {"imputation": {"method": {"bmi": "~ wgt / (children - 1)"}}},
            DataError,
            "imputation: method of 'bmi': the formula gives no finite number",
        ),
        (
            {"imputation": {"method": {"bmi": BMI, "wgt": "nested"}}},
            PlanError,
            "imputation: method 'nested' of 'wgt'",
        ),
        (
            {
                "synthesis": {
                    "donor_free": True,
                    "method_by_variable": {"bmi": BMI},
                    "options": {"cart": {"minbucket": 1}},
                }
            },
            PlanError,
            "synthesis: .*minbucket",
        ),
    ],
)
def test_a_setting_that_cannot_be_fitted_is_refused(site, sections, error, message):
    with pytest.raises(error, match=message):
        load_source(people_spec(site, **sections))


def test_rows_without_holes_are_tried_unless_there_are_few() -> None:
    frame = pd.DataFrame({"x": np.arange(5000.0), "y": np.arange(5000.0)})
    frame.loc[::2, "y"] = np.nan
    schema = infer_schema(frame)
    rows = rows_to_try(encode(frame, schema), schema)
    assert len(rows) == MOST_ROWS
    assert (rows % 2 == 1).all()
    assert rows[-1] > 4900
    few = frame.iloc[: 2 * LEAST_ROWS - 2]
    assert len(rows_to_try(encode(few, schema), schema)) == 0
    kept = infer_schema(few, {"y": VariableOverride(keep_missing=True)})
    assert len(rows_to_try(encode(few, kept), kept)) == len(few)
