"""Variables of two parts: spikes, and missing values that are data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind, VariableOverride, infer_schema
from synth_tasks.engine import mice, synthesize
from synth_tasks.engine.parts import Parts, TwoPart, has_parts
from synth_tasks.errors import PlanError
from tests.engine.builders import category, number

INCOME = replace(number("income"), spikes=(0.0, -8.0), keep_missing=True)
VALUES = np.array([3.5, 0.0, -8.0, np.nan, -1.0])


@dataclass(frozen=True)
class Fixed:
    values: tuple[float, ...]

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        assert len(x) == len(self.values)
        return np.array(self.values)


# --- states ---------------------------------------------------------------------------------------


def test_every_value_has_a_state() -> None:
    parts = Parts(INCOME)
    assert parts.states(VALUES).tolist() == [0, 1, 2, 3, 0]
    assert parts.ordinary(VALUES).tolist() == [True, False, False, False, True]
    assert parts.state.categories == ("ordinary", "spike 1", "spike 2", "missing")
    assert parts.state.kind is Kind.NOMINAL


def test_states_give_their_values_back() -> None:
    parts = Parts(INCOME)
    back = parts.special_values(parts.states(VALUES))
    np.testing.assert_array_equal(back, [np.nan, 0.0, -8.0, np.nan, np.nan])


def test_two_states_are_binary() -> None:
    assert Parts(replace(number(), spikes=(0.0,))).state.kind is Kind.BINARY
    assert Parts(replace(category(3), keep_missing=True)).state.categories == (
        "ordinary",
        "missing",
    )


def test_a_plain_variable_has_no_parts() -> None:
    assert not has_parts(number())
    assert has_parts(replace(number(), spikes=(0.0,)))
    assert has_parts(replace(category(3), keep_missing=True))


def test_a_spike_is_found_in_single_precision() -> None:
    values = np.array([0.1, 0.25, 0.5] * 4, dtype="float32")
    frame = pd.DataFrame({"x": values})
    variable = infer_schema(frame, {"x": VariableOverride(spikes=(0.1,))})["x"]
    assert Parts(variable).states(values.astype(float)).tolist() == [1, 0, 0] * 4


def test_values_are_drawn_only_where_the_state_is_ordinary() -> None:
    states = Fixed((1.0, 0.0, 3.0, 0.0))
    model = TwoPart(Parts(INCOME), states, Fixed((5.0, 6.0)))
    drawn = model.draw(np.zeros((4, 1)), np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, [0.0, 5.0, np.nan, 6.0])


def test_no_ordinary_value_needs_no_model_of_values() -> None:
    model = TwoPart(Parts(INCOME), Fixed((1.0, 2.0)), None)
    assert model.draw(np.zeros((2, 1)), np.random.default_rng(0)).tolist() == [0.0, -8.0]


# --- shares ---------------------------------------------------------------------------------------

N = 2000
OVERRIDES = {
    "income": VariableOverride(spikes=(0.0, -8.0), keep_missing=True),
    "y": VariableOverride(),
}


def population(seed: int = 0) -> pd.DataFrame:
    """Income is 0, refused or missing more often in group b; y depends on whether it is missing."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], N)
    special = rng.random(N) < np.where(group == "a", 0.2, 0.6)
    kind = rng.choice([0.0, -8.0, np.nan], N, p=[0.5, 0.2, 0.3])
    income = np.where(special, kind, np.exp(rng.standard_normal(N)) + 1)
    y = 2 * np.isnan(income) + 0.1 * np.nan_to_num(income) + rng.standard_normal(N)
    return pd.DataFrame({"group": group, "income": income, "y": y})


@pytest.fixture(scope="module", params=["cart", "norm"])
def synthetic(request: pytest.FixtureRequest) -> pd.DataFrame:
    real = population()
    method = {"income": request.param, "y": request.param}
    schema = infer_schema(real, OVERRIDES)
    return synthesize(real, m=5, method=method, schema=schema, seed=3).complete("stacked")


@pytest.mark.parametrize("group", ["a", "b"])
@pytest.mark.parametrize("value", [0.0, -8.0, np.nan])
def test_shares_of_spikes_and_missing_values_hold_in_every_group(
    synthetic: pd.DataFrame, group: str, value: float
) -> None:
    def share(frame: pd.DataFrame) -> float:
        income = frame.loc[frame["group"] == group, "income"]
        return float((income.isna() if np.isnan(value) else income == value).mean())

    real = share(population())
    # Five sets of about 1000 rows each, around parameters that are drawn from 1000 real rows.
    error = np.sqrt(real * (1 - real) / 1000)
    assert share(synthetic) == pytest.approx(real, abs=4 * error)


def test_ordinary_values_are_drawn_from_ordinary_values(synthetic: pd.DataFrame) -> None:
    real = population()["income"]
    log_real = np.log(real[real > 0])
    ordinary = synthetic["income"][lambda v: v.notna() & (v != 0) & (v != -8)]
    assert ordinary.mean() == pytest.approx(real[real > 0].mean(), abs=0.25)
    assert len(log_real) == pytest.approx(len(ordinary) / 5, rel=0.1)


def test_later_variables_depend_on_whether_a_value_is_missing(synthetic: pd.DataFrame) -> None:
    def effect(frame: pd.DataFrame) -> float:
        missing = frame["income"].isna()
        return float(frame["y"][missing].mean() - frame["y"][~missing].mean())

    # 250 real rows with a missing income: a standard error of about 0.07.
    assert effect(synthetic) == pytest.approx(effect(population()), abs=0.25)


def test_only_values_that_are_kept_are_missing(synthetic: pd.DataFrame) -> None:
    assert synthetic.isna().any().tolist() == [False, True, False]


def test_rounding_is_all_that_makes_a_spike_of_an_ordinary_value() -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random(500) < 0.5, 0.0, rng.standard_normal(500))
    frame = pd.DataFrame({"x": rng.standard_normal(500), "y": values})
    schema = infer_schema(frame, {"y": VariableOverride(spikes=(0.0,))})
    stacked = synthesize(frame, m=4, method="norm", schema=schema, seed=1).complete("stacked")
    # A normal value is exactly zero with probability zero, so all zeros are drawn as such.
    assert (stacked["y"] == 0).mean() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 500))


@pytest.mark.parametrize("method", ["cart", "rf", "norm", "pmm"])
def test_the_share_of_missing_values_varies_no_more_than_by_chance(method: str) -> None:
    differences = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        y = np.where(rng.random(400) < 0.2, np.nan, rng.standard_normal(400))
        frame = pd.DataFrame({"x": rng.standard_normal(400), "y": y})
        schema = infer_schema(frame, {"y": VariableOverride(keep_missing=True)})
        made = synthesize(frame, m=1, method={"y": method}, schema=schema, seed=seed)
        differences.append(made.complete(1)["y"].isna().mean() - np.isnan(y).mean())
    # Drawing 400 rows has the standard error 0.02; parameters drawn as well make it 0.028. The root
    # mean square of 12 differences exceeds twice the latter with a probability below 1e-6.
    assert np.sqrt(np.mean(np.square(differences))) < 2 * 0.0283


# --- every dtype ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, 2, 3, None], "Int64"),
        ([1, 2, 3, None], "Int8"),
        ([1.5, 2.5, 0.0, None], "float64"),
        ([1.5, 2.5, 0.0, None], "float32"),
        ([1.5, 2.5, 0.0, None], "Float64"),
        (["u", "v", "w", None], "category"),
        (["u", "v", "w", None], "str"),
        (["u", "v", "w", None], "string"),
        (["u", "v", "w", None], "object"),
        ([True, False, True, None], "boolean"),
        (["2024-01-01", "2024-02-01", "2024-03-01", None], "datetime64[us]"),
    ],
)
def test_missing_values_are_kept_in_every_dtype(values: list, dtype: str) -> None:
    frame = pd.DataFrame({"v": pd.Series(values * 15, dtype=dtype), "x": np.arange(60.0)})
    schema = infer_schema(frame, {"v": VariableOverride(keep_missing=True)})
    for order in (["v", "x"], ["x", "v"]):
        made = synthesize(frame, m=1, schema=schema, visit_sequence=order, seed=1).complete(1)
        pd.testing.assert_series_equal(made.dtypes, frame.dtypes)
        assert made["x"].notna().all()
        assert 3 <= made["v"].isna().sum() <= 30
        assert set(made["v"].dropna()) <= set(frame["v"].dropna())


# --- holes beside spikes --------------------------------------------------------------------------


@pytest.mark.parametrize("proper", [False, True])
@pytest.mark.parametrize("method", ["norm", "cart", "pmm"])
def test_holes_of_a_variable_with_spikes_are_filled(method: str, proper: bool) -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal(600)
    y = np.where(rng.random(600) < 1 / (1 + np.exp(-2 * x)), 0.0, 5 + x)
    frame = pd.DataFrame({"x": x, "y": y})
    holes = rng.random(600) < 0.3
    frame.loc[holes, "y"] = np.nan
    schema = infer_schema(frame, {"y": VariableOverride(spikes=(0.0,))})
    made = mice(
        frame, m=2, maxit=1, method={"y": method}, proper=proper, schema=schema, seed=1
    ).complete("all")
    for one in made:
        assert one["y"].notna().all()
        drawn = one[holes]
        # Nothing lies between the spike and the ordinary values.
        assert ((drawn["y"] == 0) | (drawn["y"] > 1)).all()
        share = (drawn["y"] == 0).mean()
        assert share == pytest.approx((y[holes] == 0).mean(), abs=0.15)
        assert (drawn["y"] == 0)[drawn["x"] > 0].mean() > (drawn["y"] == 0)[drawn["x"] < 0].mean()


def test_a_variable_that_is_all_spikes_is_drawn_from_them() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.standard_normal(100), "y": rng.choice([0.0, -8.0], 100)})
    schema = infer_schema(frame, {"y": VariableOverride(spikes=(0.0, -8.0))})
    for method in ("cart", "norm", "sample"):
        made = synthesize(frame, m=1, method={"y": method}, schema=schema, proper=True, seed=1)
        assert set(made.complete(1)["y"]) == {0.0, -8.0}


def test_a_formula_cannot_read_missing_values_that_are_kept() -> None:
    frame = population()[["income", "y"]]
    schema = infer_schema(frame, {"income": VariableOverride(keep_missing=True)})
    with pytest.raises(PlanError, match="formulas of 'y': 'income' keeps missing values as data"):
        synthesize(frame, schema=schema, formulas={"y": "income"}, seed=1)


def test_the_post_processing_of_a_spiked_variable_leaves_its_spikes() -> None:
    frame = population()
    schema = infer_schema(frame, OVERRIDES)
    made = synthesize(
        frame, m=1, schema=schema, post={"income": "clip(income, 2, 3)"}, seed=1
    ).complete(1)["income"]
    assert {0.0, -8.0} <= set(made.dropna())
    ordinary = made[made.notna() & (made != 0) & (made != -8)]
    assert ordinary.between(2, 3).all()
    assert made.isna().any()
