import numpy as np
import pandas as pd
import pytest

from synth_tasks import fit_model, pool
from synth_tasks.data import Kind, VariableOverride, encode, infer_schema
from synth_tasks.errors import (
    ConvergenceWarning,
    ModelError,
    PoolingError,
    SpecError,
    SynthError,
)
from synth_tasks.inference import MODELS, RULES
from synth_tasks.release.analysis import analyse, check_analyses, interval_overlap
from synth_tasks.release.results import AnalysisResult, Check, SuiteResult, all_checks
from synth_tasks.release.sections import AnalysisSpec
from tests.release.test_readme import make_sets

OLS = AnalysisSpec(model="ols", formula="y ~ x + g")


def test_an_analysis_is_fitted_to_every_set_pooled_and_fitted_to_the_real_data():
    *sets, real = make_sets(4)
    result = analyse(OLS, infer_schema(real), sets, [real])
    expected = pool([fit_model(s, "ols", "y ~ x + g") for s in sets])
    pd.testing.assert_frame_equal(result.pooled, expected.table)
    assert result.label == "ols: y ~ x + g"
    assert result.rule == "reiter2003"
    assert result.real.columns.tolist() == [
        "term",
        "estimate",
        "std_error",
        "conf_low",
        "conf_high",
    ]
    on_real = fit_model(real, "ols", "y ~ x + g")
    np.testing.assert_allclose(result.real["estimate"], on_real.estimates)


def test_nested_sets_are_pooled_by_their_rule_and_the_imputations_by_that_of_rubin():
    *sets, first, second = make_sets(6)
    schema = infer_schema(first)
    result = analyse(OLS, schema, sets, [first, second], rule="reiter2004")
    expected = pool([fit_model(s, "ols", "y ~ x + g") for s in sets], "reiter2004", r=2)
    pd.testing.assert_frame_equal(result.pooled, expected.table)
    imputed = pool([fit_model(s, "ols", "y ~ x + g") for s in (first, second)], "rubin1987").table
    pd.testing.assert_frame_equal(result.real, imputed[result.real.columns])


def test_categories_stored_as_numbers_are_categories_in_a_model():
    *sets, real = [s.assign(g=s["g"].cat.codes.astype("int64")) for s in make_sets(3)]
    schema = infer_schema(real, {"g": VariableOverride(Kind.NOMINAL, (0, 1))})
    result = analyse(OLS, schema, sets, [real])
    assert result.pooled["term"].tolist() == ["(Intercept)", "x", "g1"]


def test_an_analysis_that_fails_is_named_and_keeps_its_type():
    *sets, real = make_sets(3)
    sets = [s.assign(x=1.0) for s in sets]
    with pytest.raises(ModelError, match=r"^analysis 'ols: y ~ x [+] g': ") as caught:
        analyse(OLS, infer_schema(real), sets, [real])
    assert "\n" not in str(caught.value)


def test_options_reach_the_model():
    *sets, real = make_sets(3)
    robust = AnalysisSpec(model="ols", formula="y ~ x + g", covariance="HC3")
    result = analyse(robust, infer_schema(real), sets, [real])
    expected = pool([fit_model(s, "ols", "y ~ x + g", covariance="HC3") for s in sets])
    pd.testing.assert_frame_equal(result.pooled, expected.table)
    assert result.label == "ols: y ~ x + g, HC3"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "reiter2004"])
def test_every_rule_can_be_asked_for(rule):
    *sets, real = make_sets(4)
    result = analyse(OLS, infer_schema(real), sets, [real], rule)
    expected = pool([fit_model(s, "ols", "y ~ x + g") for s in sets], rule)
    pd.testing.assert_frame_equal(result.pooled, expected.table)
    assert (result.rule, result.unconverged) == (rule, ())


VARIABLES = {"table": ["g", "s"], "cramers_v": ["g", "s"]}
FORMULAS = {"logit": "b ~ x", "ordered_logit": "s ~ x", "multinomial_logit": "s ~ x",
            "poisson": "n ~ x", "gamma": "exp(y) ~ x"}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_asked_for(model):
    *sets, real = make_sets(4)
    settings = (
        {"formula": FORMULAS.get(model, "y ~ x")}
        if MODELS[model].needs == "formula"
        else {"variables": VARIABLES.get(model, ["x", "y"])}
    )
    analysis, schema = AnalysisSpec(model=model, **settings), infer_schema(real)
    check_analyses([analysis], schema, encode(real, schema))
    result = analyse(analysis, schema, sets, [real])
    assert result.pooled["std_error"].gt(0).all()
    assert result.real["term"].tolist() == result.pooled["term"].tolist()


def separated(frames):
    first, *others = frames
    return [first.assign(b=pd.array(first["x"] > 0, dtype="boolean")), *others]


def test_a_fit_that_does_not_converge_refuses_is_left_out_or_found_beforehand():
    logit = AnalysisSpec(model="logit", formula="b ~ x")
    *sets, real = separated(make_sets(4))
    schema = infer_schema(real)
    with pytest.raises(PoolingError, match=r"1 of 3 fits did not converge \(1\): .*separate"):
        analyse(logit, schema, sets, [real])
    with pytest.warns(ConvergenceWarning, match="they are left out"):
        result = analyse(logit, schema, sets, [real], unconverged="leave_out")
    assert result.unconverged == (1,)
    with pytest.raises(SpecError, match=r"analysis 'logit: b ~ x': .*separate"):
        check_analyses([logit], schema, encode(sets[0], schema))


def test_an_impossible_analysis_is_found_beforehand():
    frame = make_sets(1)[0]
    schema = infer_schema(frame)
    matrix = encode(frame, schema)
    check_analyses([OLS], schema, matrix)
    with pytest.raises(SpecError, match=r"^analysis 'ols: y ~ z': .*unknown column 'z'"):
        check_analyses([OLS, AnalysisSpec(model="ols", formula="y ~ z")], schema, matrix)


def test_an_analysis_that_does_not_suit_the_kind_of_a_variable_is_found_beforehand():
    (frame,) = make_sets(1)
    frame = frame.assign(place=np.resize(["here", "there", "away"], len(frame)))
    schema = infer_schema(frame)
    on_text = AnalysisSpec(model="ols", formula="place ~ x")
    with pytest.raises(SpecError, match="'place' is not numeric"):
        check_analyses([on_text], schema, encode(frame, schema))


def bounds(low: float, high: float) -> pd.DataFrame:
    return pd.DataFrame({"conf_low": [low], "conf_high": [high]})


@pytest.mark.parametrize(
    ("synthetic", "real", "overlap"),
    [((0, 2), (0, 2), 1.0), ((0, 2), (1, 3), 0.5), ((0, 4), (1, 3), 0.75), ((0, 1), (2, 3), -1.0)],
)
def test_overlap_of_intervals(synthetic, real, overlap):
    result = AnalysisResult("a", "reiter2003", bounds(*synthetic), bounds(*real))
    assert interval_overlap(result) == pytest.approx([overlap])


# --- results of suites ----------------------------------------------------------------------------

RESULT = SuiteResult(
    "synthetic",
    "set 3",
    (
        Check("a", "first", "critical", True),
        Check("b", "second", "warning", False, "1 of 9", "policy"),
        Check("c", "third", "info", False),
    ),
)


def test_a_result_survives_json():
    assert SuiteResult.from_dict(RESULT.to_dict()) == RESULT


def test_only_critical_failures_refuse():
    assert RESULT.passed
    assert [c.name for c in RESULT.failures("warning")] == ["b"]
    assert not SuiteResult("s", "t", (Check("a", "first", "critical", False),)).passed


def test_checks_are_listed_with_their_result():
    assert all_checks([RESULT, RESULT])[3] == (RESULT, RESULT.checks[0])


def test_errors_of_the_analysis_are_errors_of_the_package():
    assert issubclass(ModelError, SynthError)
