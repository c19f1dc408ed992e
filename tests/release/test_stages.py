import numpy as np
import pytest

from synth_tasks.errors import PlanError, SpecError
from synth_tasks.release.stages import (
    disclosure_keys,
    disclosure_targets,
    fill_provisionally,
    formulas,
    load_source,
    plan_imputation,
    plan_synthesis,
    require_complete,
    shuffle,
)
from synth_tasks.seeding import generator
from tests.release.builders import BMI, make_site, people_spec


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path)


def test_the_imputation_follows_the_spec(site):
    spec = people_spec(site)
    plan = plan_imputation(spec, load_source(spec))
    assert plan.maxit == 2
    assert plan.methods["bmi"] == BMI
    assert set(plan.visit_sequence) == {"wgt", "bmi", "stage", "smoker", "children"}
    assert "bmi" not in plan.predictors["wgt"]


def test_the_synthesis_follows_the_spec(site):
    spec = people_spec(site, synthesis={"method_by_variable": {"bmi": BMI, "hgt": "sample"}})
    table = load_source(spec)
    plan = plan_synthesis(spec, table.schema, len(table.matrix))
    expected = dict.fromkeys(table.schema.names, "cart") | {"bmi": BMI, "hgt": "sample"}
    assert dict(plan.methods) == expected
    assert plan.m == 3
    assert plan.conditioning == "synthetic"
    assert plan.replaced.all()


def test_formulas_are_told_from_methods():
    assert formulas({"bmi": BMI, "hgt": "pmm", "wgt": ""}) == {"bmi": BMI}
    assert formulas("pmm") == {}


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


def test_a_column_without_method_is_refused_because_it_would_be_published_as_it_is(site):
    spec = people_spec(site, synthesis={"method_by_variable": {"wgt": ""}})
    with pytest.raises(SpecError, match="'wgt' has no method and would be published as it is"):
        load_source(spec)


def test_targets_are_those_of_the_spec_else_all_that_are_neither_key_nor_computed(site):
    schema = load_source(people_spec(site)).schema
    without = people_spec(site, disclosure={"keys": ["hgt"], "targets": []})
    assert disclosure_targets(without, schema) == [
        name for name in schema.names if name not in ("hgt", "bmi")
    ]
    given = people_spec(site, disclosure={"keys": ["hgt"], "targets": ["stage"]})
    assert disclosure_targets(given, schema) == ["stage"]


def test_holes_are_filled_with_values_of_the_column_to_try_models():
    matrix = np.array([[1.0, np.nan], [np.nan, 5.0], [np.nan, 6.0], [2.0, np.nan]])
    filled = fill_provisionally(matrix)
    assert filled.tolist() == [[1.0, 5.0], [1.0, 5.0], [2.0, 6.0], [2.0, 6.0]]
    assert np.isnan(matrix).sum() == 4
