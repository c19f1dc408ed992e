"""Predictors by a model formula."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.formulas import FormulaColumns, predictors_of, read_formula
from synth_tasks.engine.synthesis import fit_synthesizer
from synth_tasks.errors import PlanError, SynthError
from tests.engine.builders import plan

N = 400
RNG = np.random.default_rng(0)
X = RNG.standard_normal(N)
GROUP = RNG.choice(["u", "v", "w"], N)
FRAME = pd.DataFrame(
    {"g": GROUP, "x": X, "body height": 170 + 10 * RNG.standard_normal(N), "y": X + X**2}
)
SCHEMA = infer_schema(FRAME)
MATRIX = encode(FRAME, SCHEMA)
ALL = np.ones(N, dtype=bool)


def columns(
    text: str, names: tuple[str, ...] | None = None, rows: np.ndarray = ALL
) -> tuple[FormulaColumns, list[str]]:
    log: list[str] = []
    formula = read_formula("y", text, SCHEMA)
    used = predictors_of(formula) if names is None else names
    return FormulaColumns.learn(SCHEMA, used, formula, MATRIX, rows, log.append), log


def refusal(text: str) -> str:
    with pytest.raises(PlanError) as caught:
        read_formula("y", text, SCHEMA)
    return str(caught.value)


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x * g", "~ x * g", "y ~ x * g", "`y` ~ x * g"])
def test_the_left_side_may_be_left_out(text: str) -> None:
    assert predictors_of(read_formula("y", text, SCHEMA)) == ("x", "g")


def test_the_left_side_is_the_variable() -> None:
    assert refusal("x ~ g") == "formulas of 'y': the left side must be 'y' or empty"


def test_an_error_names_the_variable() -> None:
    assert refusal("x +").startswith("formulas of 'y': ")
    assert "names the unknown column 'z'" in refusal("z")
    assert refusal("exec(x)").startswith("formulas of 'y': ")


@pytest.mark.parametrize("text", ["y", "x + y", "y ~ I(y**2)"])
def test_a_variable_cannot_predict_itself(text: str) -> None:
    assert refusal(text) == "formulas of 'y': a variable cannot predict itself"


# --- columns --------------------------------------------------------------------------------------


def test_terms_are_numeric_columns_without_an_intercept() -> None:
    made, log = columns("x * g + `body height`")
    # In the order of R: main effects first.
    assert [v.name for v in made.described] == [
        "x", "gv", "gw", "body height", "x:gv", "x:gw",
    ]  # fmt: skip
    matrix = made.matrix(MATRIX, ALL)
    v = GROUP == "v"
    np.testing.assert_array_equal(matrix[:, 1], v)
    np.testing.assert_array_equal(matrix[:, 4], X * v)
    assert log == []


@pytest.mark.parametrize("text", ["scale(x)", "poly(x, 3)", "bs(x, df=5)", "center(x)"])
def test_transformations_of_new_rows_use_what_was_learnt(text: str) -> None:
    made, _ = columns(text)
    some = np.arange(N) < 7
    np.testing.assert_allclose(made.matrix(MATRIX, some), made.matrix(MATRIX, ALL)[:7])


def test_scales_come_from_the_training_rows() -> None:
    rows = np.arange(N) < 100
    made, _ = columns("scale(x)", rows=rows)
    expected = (X - X[:100].mean()) / X[:100].std(ddof=1)
    np.testing.assert_allclose(made.matrix(MATRIX, ALL)[:, 0], expected)


def test_levels_without_rows_keep_their_columns() -> None:
    made, _ = columns("g", rows=GROUP != "w")
    assert made.matrix(MATRIX, ALL).shape == (N, 2)


def test_terms_that_read_other_variables_are_left_out_and_logged() -> None:
    made, log = columns("x + g + x:g", names=("x",))
    assert made.terms.names == ("x",)
    assert log == ["terms that read variables drawn later are left out: g, x:g"]


def test_no_term_at_all_gives_no_column() -> None:
    for text, names in (("0 + x", ()), ("x", ()), ("1", ())):
        made, _ = columns(text, names=names)
        assert made.matrix(MATRIX, ALL).shape == (N, 0)


def test_a_term_that_is_no_number_names_the_variable() -> None:
    with pytest.raises(SynthError, match="'y'"):
        columns("log(x)")[0].matrix(MATRIX, ALL)


# --- in an imputation and a synthesis -------------------------------------------------------------


def curvature(frame: pd.DataFrame) -> float:
    return float(np.polyfit(frame["x"], frame["y"], 2)[0])


@pytest.fixture(scope="module")
def quadratic() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x = rng.standard_normal(1000)
    return pd.DataFrame({"x": x, "y": x + x**2 + 0.5 * rng.standard_normal(1000)})


def test_a_square_is_recovered_by_norm_which_the_plain_model_misses(
    quadratic: pd.DataFrame,
) -> None:
    settings: dict[str, Any] = {"m": 3, "method": "norm", "seed": 1}
    plain = synthesize(quadratic, **settings).complete("stacked")
    curved = synthesize(quadratic, **settings, formulas={"y": "y ~ x + I(x**2)"}).complete(
        "stacked"
    )
    assert curvature(plain) == pytest.approx(0, abs=0.1)
    # The standard error of the curvature is 0.5 / sqrt(1000 * 2) = 0.011 in the real data.
    assert curvature(curved) == pytest.approx(curvature(quadratic), abs=5 * 0.011 * 1.4)


def test_so_it_is_in_an_imputation(quadratic: pd.DataFrame) -> None:
    holes = quadratic.copy()
    missing = np.random.default_rng(3).random(1000) < 0.4
    holes.loc[missing, "y"] = np.nan
    settings: dict[str, Any] = {"m": 2, "maxit": 1, "method": "norm", "seed": 1}
    imputed = mice(holes, **settings, formulas={"y": "x + I(x^2)"}).complete(1)
    plain = mice(holes, **settings).complete(1)
    assert curvature(imputed[missing]) == pytest.approx(1, abs=0.15)
    assert abs(curvature(plain[missing])) < 0.3


def test_an_interaction_is_recovered() -> None:
    rng = np.random.default_rng(4)
    x, group = rng.standard_normal(800), rng.choice(["u", "v"], 800)
    y = np.where(group == "u", x, -x) + 0.3 * rng.standard_normal(800)
    frame = pd.DataFrame({"g": group, "x": x, "y": y})
    made = synthesize(
        frame, m=1, method={"x": "norm", "y": "norm"}, formulas={"y": "x * g"}, seed=1
    ).complete(1)
    for label, slope in (("u", 1), ("v", -1)):
        part = made[made["g"] == label]
        assert np.polyfit(part["x"], part["y"], 1)[0] == pytest.approx(slope, abs=0.08)


def test_terms_drawn_later_are_logged_for_the_variable() -> None:
    made = synthesize(FRAME, m=1, formulas={"x": "g + y"}, seed=1)
    events = made.logged_events.query("variable == 'x'")["event"].tolist()
    assert "terms that read variables drawn later are left out: y" in events


def test_a_formula_takes_the_place_of_the_predictor_row() -> None:
    p = plan(FRAME, where="all", formulas={"y": "x"}, predictor_matrix={"y": {"x": 0}})
    assert p.predictors["y"] == ("x",)


def test_a_formula_of_a_passive_variable_is_refused() -> None:
    with pytest.raises(PlanError, match="formulas: 'y' is passive"):
        plan(FRAME, where="all", method={"y": "~ x * 2"}, formulas={"y": "x"})


def test_a_spline_serves_imputed_values_beyond_its_training_range() -> None:
    frame = FRAME[["x", "y"]].copy()
    # The largest x has no y: it lies beyond the range on which the spline is learnt.
    frame.loc[frame["x"].nlargest(5).index, "y"] = np.nan
    imputed = mice(
        frame, m=1, maxit=1, method="norm", formulas={"y": "bs(x, df=4)"}, seed=1
    ).complete(1)
    assert imputed["y"].notna().all()


def test_a_spline_serves_synthetic_values_beyond_its_training_range() -> None:
    made = synthesize(
        FRAME,
        m=5,
        method={"x": "norm", "y": "norm"},
        visit_sequence=["g", "x", "body height", "y"],
        formulas={"y": "bs(x, df=4)"},
        seed=1,
    )
    assert not made.complete("stacked").isna().any(axis=None)


def test_fitted_formulas_can_be_sent_to_a_process() -> None:
    p = plan(
        FRAME, where="all", method={"y": "norm"}, formulas={"y": "poly(x, 2) + bs(x, df=4) + g:x"}
    )
    fitted = fit_synthesizer(p, MATRIX)
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    np.testing.assert_array_equal(again.draw(1, 1), fitted.draw(1, 1))
