"""What a specification asks of the engine."""

import numpy as np
import pytest

from synth_tasks.errors import ExpressionError, PlanError, SpecError
from synth_tasks.release.plans import (
    formulas,
    plan_all_strata,
    plan_imputation,
    plan_synthesis,
    provenance_of,
)
from synth_tasks.release.stages import fill_provisionally, load_source
from tests.release.builders import BMI, make_people, make_site, people_spec


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path)


def imputation_of(site, **settings):
    spec = people_spec(site, imputation=settings)
    table = load_source(spec)
    return plan_imputation(spec, table.schema, table.matrix)[0]


def synthesis_of(site, **settings):
    spec = people_spec(site, synthesis=settings)
    table = load_source(spec)
    return plan_synthesis(spec, table.schema, fill_provisionally(table.matrix, table.schema))


def test_the_imputation_follows_the_spec(site):
    plan = imputation_of(site)
    assert plan.maxit == 2
    assert plan.methods["bmi"] == BMI
    assert set(plan.visit_sequence) == {"wgt", "bmi", "stage", "smoker", "children"}
    assert "bmi" not in plan.predictors["wgt"]


def test_the_synthesis_follows_the_spec(site):
    plan = synthesis_of(site, method_by_variable={"bmi": BMI, "hgt": "sample"})
    expected = dict.fromkeys(plan.schema.names, "cart") | {"bmi": BMI, "hgt": "sample"}
    assert dict(plan.methods) == expected
    assert plan.m == 3
    assert plan.conditioning == "synthetic"
    assert plan.replaced.all()
    assert plan.tail_support == 3


def test_every_setting_of_the_models_reaches_both_plans(site):
    common = {
        "formulas": {"wgt": "hgt * region"},
        "post": {"children": "squeeze(children, 0, 5)"},
        "rules": {"smoker": {"hgt < 150": False}},
        "ignore": "hgt > 187",
        "proper": True,
        "options": {"cart": {"minbucket": 7}},
        "variable_options": {"children": {"minbucket": 9}},
    }
    order = ["region", "hgt", "wgt", "stage", "smoker", "children", "visit"]
    methods = {"bmi": BMI, "children": "cart"}
    imputation = imputation_of(site, method=methods, visit_sequence=order, **common)
    synthesis = synthesis_of(site, **common)
    for plan in (imputation, synthesis):
        assert plan.predictors["wgt"] == ("hgt", "region")
        assert plan.post == common["post"]
        assert plan.rules == common["rules"]
        assert plan.ignore.sum() == (make_people()["hgt"] > 187).sum() > 0
        assert plan.proper
        assert plan.options_of("children", "cart") == {"minbucket": 9}
        assert plan.options_of("stage", "cart") == {"minbucket": 7}


def test_settings_of_the_synthesis_alone(site):
    plan = synthesis_of(
        site, k=40, strata=["region"], min_stratum_size=10, smoothing={"wgt": "density"},
        tail_support=5,
    )  # fmt: skip
    assert plan.k == 40
    assert (plan.strata, plan.min_stratum_size) == (("region",), 10)
    assert plan.smoothing == {"wgt": "density"}
    assert plan.tail_support == 5
    numbers = {"hgt", "wgt", "bmi", "children", "visit"}
    assert set(synthesis_of(site, smoothing="spline").smoothing) == numbers


def test_a_partial_synthesis_replaces_the_rows_and_columns_named(site):
    plan = synthesis_of(site, keep=["region", "visit"], rows="hgt > 170 and region != 'east'")
    people = make_people()
    rows = ((people["hgt"] > 170) & (people["region"] != "east")).to_numpy()
    for name in plan.schema.names:
        expected = rows if name not in ("region", "visit") else np.zeros_like(rows)
        assert (plan.column(plan.where, name) == expected).all(), name


def test_predictors_are_chosen_by_correlation_unless_stated(site):
    quick = {"mincor": 0.5, "include": ["stage"]}
    plan = synthesis_of(
        site, quick_predictors=quick, predictor_matrix={"children": {"region": 1}}
    )  # fmt: skip
    assert plan.predictors["wgt"] == ("hgt", "stage")
    assert set(plan.predictors["children"]) == {"region", "stage"}


def test_several_imputations_make_nested_sets(site):
    spec = people_spec(site, imputation={"m": 4})
    table = load_source(spec)
    plan = plan_synthesis(spec, table.schema, fill_provisionally(table.matrix, table.schema))
    provenance = provenance_of(spec, plan)
    assert (provenance.m, provenance.r) == (4, 3)
    assert provenance.stage == "imputation and synthesis"
    assert spec.pooling_rule == "reiter2004"
    assert imputation_of(site, m=4).m == 4
    assert people_spec(site).pooling_rule == "reiter2003"


def test_formulas_are_told_from_methods():
    assert formulas({"bmi": BMI, "hgt": "pmm", "wgt": ""}) == {"bmi": BMI}
    assert formulas("pmm") == {}


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"method_by_variable": {"wgt": ""}}, SpecError, "'wgt' has no method: .* synthesis.keep"),
        ({"method_by_variable": {"weight": "cart"}}, SpecError, "unknown column 'weight'"),
        ({"keep": ["weight"]}, SpecError, "synthesis.keep: unknown column 'weight'"),
        ({"rows": "hgt > 1000"}, SpecError, "no cell is replaced"),
        ({"rows": "height > 1"}, ExpressionError, "synthesis: rows: unknown column 'height'"),
        ({"ignore": "hgt > 0"}, PlanError, "synthesis: ignore leaves no row"),
        ({"k": 40, "keep": ["region"]}, SpecError, "synthesis.k needs all cells .* synthesis.keep"),
        ({"strata": ["hgt"]}, PlanError, "synthesis: strata: 'hgt' is numeric"),
        ({"smoothing": {"hgt": "density"}}, PlanError, "'norm' of 'hgt' draws no values of donors"),
        ({"rules": {"stage": {"hgt < 150": "huge"}}}, PlanError, "not one of its categories"),
        (
            {"quick_predictors": {"include": ["weight"]}},
            SpecError,
            "synthesis: quick_predictors: include: unknown column 'weight'",
        ),
    ],
)
def test_what_cannot_work_is_refused_beforehand(site, settings, error, message):
    with pytest.raises(error, match=message):
        load_source(people_spec(site, synthesis=settings))


def test_several_imputations_of_complete_data_are_refused(tmp_path):
    site = make_site(tmp_path, make_people().dropna())
    with pytest.raises(SpecError, match=r"imputation.m is 4, but the data have no missing value"):
        load_source(people_spec(site, imputation={"m": 4}))


def test_an_unknown_column_leads_to_the_closest_one(site):
    with pytest.raises(SpecError, match=r"unknown column 'regoin'; .*: did you mean 'region'\?"):
        load_source(people_spec(site, disclosure={"keys": ["regoin"]}))


def test_an_unknown_method_leads_to_the_closest_one(site):
    with pytest.raises(PlanError, match=r"unknown method 'crat'; .*: did you mean 'cart'"):
        load_source(people_spec(site, synthesis={"method": "crat"}))


def test_what_holds_for_all_strata_follows_without_a_row(site):
    settings = {"keep": ["region"], "method_by_variable": {"hgt": "norm", "bmi": BMI}}
    spec = people_spec(site, synthesis=settings | {"strata": ["region"]})
    table = load_source(spec)
    plan = plan_all_strata(spec, table.schema)
    filled = fill_provisionally(table.matrix, table.schema)
    whole = plan_synthesis(spec, table.schema, filled)
    assert plan.effective_methods() == whole.effective_methods()
    assert plan.sequential_predictors == whole.sequential_predictors
    assert plan.visit_sequence == whole.visit_sequence
    assert plan.options == whole.options
    assert plan.strata == ("region",)


def test_predictors_chosen_in_strata_leave_all_allowed_that_may_be_chosen(site):
    chosen = people_spec(site, synthesis={"quick_predictors": {"mincor": 0.9}})
    stated = people_spec(site, synthesis={"ignore": "hgt > 150"})
    schema = load_source(stated).schema
    plans = [plan_all_strata(spec, schema) for spec in (chosen, stated)]
    assert plans[0].predictors == plans[1].predictors
    assert (chosen.synthesis.chooses_predictors, stated.synthesis.chooses_predictors) == (
        True,
        False,
    )
