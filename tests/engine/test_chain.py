"""Imputation of missing cells by chained equations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.engine import mice, registry
from synth_tasks.engine.chain import ChainResult, impute
from synth_tasks.engine.planning import make_plan
from synth_tasks.engine.registry import NUMBERS, Context, method

FRAME = pd.DataFrame(
    {
        "a": [1.0, None, 3.0, 4.0, None, 6.0],
        "b": [10.0, 20.0, None, 40.0, 50.0, None],
        "c": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
    }
)


@dataclass
class Call:
    variable: str
    y: np.ndarray
    x: np.ndarray
    x_new: np.ndarray | None = None


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Register a method that writes down what it is given and draws 1000, 1001, ..."""
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    calls: list[Call] = []

    @dataclass
    class Spy:
        call: Call
        value: float

        def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            self.call.x_new = x.copy()
            return np.full(len(x), self.value)

    @method("spy", kinds=NUMBERS, draws_parameters=True)
    def fit_spy(y: np.ndarray, x: np.ndarray, context: Context) -> Spy:
        calls.append(Call(context.target.name, y.copy(), x.copy()))
        context.log("called")
        return Spy(calls[-1], 999.0 + len(calls))

    return calls


def chain(
    frame: pd.DataFrame = FRAME, imputation: int = 1, seed: int = 1, **settings: Any
) -> ChainResult:
    schema = infer_schema(frame)
    matrix = encode(frame, schema)
    before = matrix.copy()
    plan = make_plan(schema, np.isnan(matrix), **settings)
    result = impute(plan, matrix, seed, imputation, lambda: None)
    np.testing.assert_array_equal(matrix, before)
    return result


def test_models_learn_from_observed_values_only(spy: list[Call]) -> None:
    chain(method="spy", maxit=2)
    assert [call.variable for call in spy] == ["a", "b", "a", "b"]
    assert spy[0].y.tolist() == spy[2].y.tolist() == [1.0, 3.0, 4.0, 6.0]
    assert spy[1].y.tolist() == [10.0, 20.0, 40.0, 50.0]


def test_predictors_hold_the_latest_imputations(spy: list[Call]) -> None:
    chain(method="spy", maxit=2)
    # a was just drawn as 1000 where it is missing (rows 1 and 4), then b as 1001 (rows 2 and 5).
    assert spy[1].x[:, 0].tolist() == [1.0, 1000.0, 4.0, 1000.0]
    assert spy[2].x[:, 0].tolist() == [10.0, 1001.0, 40.0, 1001.0]
    assert spy[2].x_new.tolist() == [[20.0, 2.5], [50.0, 5.5]]
    assert spy[3].x[:, 0].tolist() == [1.0, 1002.0, 4.0, 1002.0]


def test_the_chain_starts_from_observed_values(spy: list[Call]) -> None:
    chain(method="spy", maxit=1)
    assert np.isin(spy[0].x[:, 0], [10.0, 20.0, 40.0, 50.0]).all()


def test_ignored_rows_are_imputed_but_not_learnt_from(spy: list[Call]) -> None:
    result = chain(method="spy", maxit=1, ignore=[True, True, False, False, False, False])
    assert spy[0].y.tolist() == [3.0, 4.0, 6.0]
    assert set(spy[0].x[:, 0]) <= {40.0, 50.0}
    assert result.matrix[1, 0] == 1000.0


def test_observed_cells_are_never_touched() -> None:
    result = chain(method="norm", maxit=3)
    observed = FRAME.notna().to_numpy()
    np.testing.assert_array_equal(result.matrix[observed], FRAME.to_numpy()[observed])
    assert np.isfinite(result.matrix).all()


def test_traces_are_means_and_variances_of_the_imputed_values(spy: list[Call]) -> None:
    result = chain(method="spy", maxit=2)
    assert result.means.tolist() == [[1000.0, 1001.0], [1002.0, 1003.0]]
    assert result.variances.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    drawn = chain(method="norm", maxit=1)
    np.testing.assert_allclose(drawn.variances[0, 0], drawn.matrix[[1, 4], 0].var(ddof=1))


def test_events_carry_imputation_and_first_iteration(spy: list[Call]) -> None:
    events = chain(method="spy", maxit=2, imputation=7).events
    assert [(e.variable, e.imputation, e.iteration) for e in events] == [("a", 7, 1), ("b", 7, 1)]


def test_passive_values_follow_their_inputs_at_once(spy: list[Call]) -> None:
    frame = FRAME.assign(c=[1.5, None, 3.5, 4.5, None, 6.5])
    settings: dict[str, Any] = {"method": {"a": "spy", "b": "spy", "c": "~ a + 0.5"}, "maxit": 1}
    result = chain(frame, **settings)
    assert result.matrix[:, 2].tolist() == [1.5, 1000.5, 3.5, 4.5, 1000.5, 6.5]
    # b is predicted from a and the passive c, both up to date.
    assert spy[1].x[1].tolist() == [1000.0, 1000.5]


def test_holes_outside_where_are_filled_to_predict_only(spy: list[Call]) -> None:
    where = FRAME.isna()
    where.loc[4, "a"] = False
    imputed = mice(FRAME, m=1, maxit=1, method="spy", where=where, seed=1)
    assert spy[1].x[:, 0].tolist() == [1.0, 1000.0, 4.0, 1000.0]
    completed = imputed.complete(1)
    assert completed["a"].isna().tolist() == [False] * 4 + [True, False]
    assert completed.loc[1, "a"] == 1000.0


def test_a_chain_depends_on_seed_and_number_only() -> None:
    noisy = FRAME.assign(c=[1.5, 0.5, 3.5, 2.5, 9.5, 5.5])
    settings: dict[str, Any] = {"frame": noisy, "method": "norm", "maxit": 2}
    np.testing.assert_array_equal(chain(**settings).matrix, chain(**settings).matrix)
    assert not np.array_equal(chain(**settings).matrix, chain(imputation=2, **settings).matrix)
    assert not np.array_equal(chain(**settings).matrix, chain(seed=2, **settings).matrix)


def test_a_proper_imputation_fits_on_bootstrap_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    seen: list[tuple[float, ...]] = []

    @method("seen", kinds=NUMBERS)
    def fit_seen(y: np.ndarray, x: np.ndarray, context: Context) -> object:
        seen.append(tuple(y))
        return registry.find_method("sample").fit(y, x, context)

    chain(method={"a": "seen", "b": "norm"}, maxit=6, proper=True)
    assert all(len(y) == 4 and set(y) <= {1.0, 3.0, 4.0, 6.0} for y in seen)
    assert len(set(seen)) > 3
    seen.clear()
    chain(method={"a": "seen", "b": "norm"}, maxit=6)
    assert set(seen) == {(1.0, 3.0, 4.0, 6.0)}


def test_rows_that_a_rule_decides_are_not_learnt_from(spy: list[Call]) -> None:
    schema = infer_schema(FRAME)
    matrix = encode(FRAME, schema)
    rules = {"a": {"c > 5": 7.0}}
    plan = make_plan(schema, np.isnan(matrix), method="spy", maxit=2, rules=rules)
    result = impute(plan, matrix, 1, 1)
    for call in spy:
        if call.variable == "a":
            assert call.y.tolist() == [1.0, 3.0, 4.0]
            assert call.x_new is not None
            assert len(call.x_new) == 1
    assert result.matrix[4, 0] == 7
    assert result.matrix[1, 0] >= 1000
    # An observed value stays, whatever the rule says of it.
    assert result.matrix[5, 0] == 6


def test_missing_values_that_are_kept_are_neither_filled_nor_learnt_from(spy: list[Call]) -> None:
    schema = infer_schema(FRAME, {"a": VariableOverride(keep_missing=True)})
    matrix = encode(FRAME, schema)
    plan = make_plan(schema, schema.holes(matrix), method="spy", maxit=1)
    result = impute(plan, matrix, 1, 1)
    assert np.isnan(result.matrix[[1, 4], 0]).all()
    (call,) = spy
    assert call.variable == "b"
    # State and value of a, and c.
    assert call.x.shape == (4, 3)
    assert np.isfinite(call.x).all()


def test_a_chain_goes_on_where_another_stopped() -> None:
    schema = infer_schema(FRAME)
    matrix = encode(FRAME, schema)
    plan = make_plan(schema, np.isnan(matrix), method="norm", maxit=3)
    six = impute(replace(plan, maxit=6), matrix, 1, 1)
    first = impute(plan, matrix, 1, 1)
    second = impute(plan, matrix, 1, 1, start=first.matrix, sweeps_done=3)
    assert second.matrix.tobytes() == six.matrix.tobytes()
    np.testing.assert_array_equal(np.concatenate([first.means, second.means]), six.means)
