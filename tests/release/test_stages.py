import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.errors import PlanError
from synth_tasks.release.stages import (
    disclosure_keys,
    disclosure_targets,
    fill_provisionally,
    load_source,
    require_complete,
    shuffle,
)
from synth_tasks.seeding import generator
from tests.release.builders import make_site, people_spec


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path)


def test_keys_are_those_of_the_spec_else_the_first_three_that_are_not_computed(site):
    schema = load_source(people_spec(site)).schema
    assert disclosure_keys(people_spec(site), schema) == ["hgt", "region"]
    without = people_spec(site, disclosure={"keys": []})
    assert disclosure_keys(without, schema) == ["hgt", "wgt", "stage"]


def test_holes_that_the_imputation_left_are_refused_by_name(site):
    table = load_source(people_spec(site))
    with pytest.raises(
        PlanError, match="column 'wgt' still has 6 missing values: give it a method"
    ):
        require_complete(table.matrix, table.schema)
    require_complete(np.zeros((3, len(table.schema))), table.schema)


def test_shuffling_keeps_the_rows_and_loses_their_order():
    matrix = np.arange(200.0).reshape(100, 2)
    shuffled = shuffle(matrix, generator(1, "shuffle", 1))
    assert sorted(map(tuple, shuffled)) == sorted(map(tuple, matrix))
    assert (shuffled[:, 0] == matrix[:, 0]).mean() < 0.1


def test_targets_are_those_of_the_spec_else_all_that_are_neither_key_nor_computed(site):
    schema = load_source(people_spec(site)).schema
    without = people_spec(site, disclosure={"keys": ["hgt"], "targets": []})
    assert disclosure_targets(without, schema) == [
        name for name in schema.names if name not in ("hgt", "bmi")
    ]
    given = people_spec(site, disclosure={"keys": ["hgt"], "targets": ["stage"]})
    assert disclosure_targets(given, schema) == ["stage"]


def test_holes_are_filled_with_values_of_the_column_to_try_models():
    frame = pd.DataFrame({"a": [1.0, None, None, 2.0], "b": [None, 5.0, 6.0, None]})
    matrix = frame.to_numpy()
    filled = fill_provisionally(matrix, infer_schema(frame))
    assert filled.tolist() == [[1.0, 5.0], [1.0, 5.0], [2.0, 6.0], [2.0, 6.0]]
    assert np.isnan(matrix).sum() == 4


def test_missing_values_that_are_data_are_no_holes():
    frame = pd.DataFrame({"a": [1.0, None, None, 2.0]})
    schema = infer_schema(frame, {"a": VariableOverride(keep_missing=True)})
    assert np.isnan(fill_provisionally(frame.to_numpy(), schema)).sum() == 2
    require_complete(frame.to_numpy(), schema)
