"""Synthesis: replacing real cells with draws from models of the real data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import VariableOverride, encode, infer_schema
from synth_tasks.engine import Synthesizer, fit_synthesizer, registry, synthesize
from synth_tasks.engine.planning import make_plan
from synth_tasks.engine.registry import NUMBERS, Context, method
from synth_tasks.errors import PlanError

N = 40
FRAME = pd.DataFrame(
    {
        name: np.round(np.random.default_rng(i).standard_normal(N), 2)
        for i, name in enumerate("abcd")
    }
)
REAL = FRAME.to_numpy()


@dataclass
class Calls:
    trained: dict[str, np.ndarray]
    drawn_from: dict[str, np.ndarray]
    n_fits: int = 0


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Register methods whose draws can be told from real values: they lie above 1000."""
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    calls = Calls({}, {})

    @dataclass
    class Spy:
        name: str

        def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            calls.drawn_from[self.name] = x.copy()
            return 1000 + np.arange(len(x)) + rng.integers(1000, size=len(x))

    for spy_name, draws_parameters in (("spy", False), ("bayes", True)):

        @method(spy_name, kinds=NUMBERS, draws_parameters=draws_parameters)
        def fit_spy(y: np.ndarray, x: np.ndarray, context: Context) -> Spy:
            calls.n_fits += 1
            calls.trained[context.target.name] = np.column_stack([y, x])
            return Spy(context.target.name)

    return calls


def fit(workers: int = 1, **settings: Any) -> Synthesizer:
    schema = infer_schema(FRAME)
    matrix = encode(FRAME, schema)
    settings = {"where": "all", "method": "spy"} | settings
    return fit_synthesizer(make_plan(schema, np.isnan(matrix), **settings), matrix, workers)


def mask(**columns: object) -> pd.DataFrame:
    where = pd.DataFrame(False, index=FRAME.index, columns=FRAME.columns)
    for name, rows in columns.items():
        where[name] = rows
    return where


def test_models_learn_from_real_values(spy: Calls) -> None:
    fit()
    np.testing.assert_array_equal(spy.trained["b"], REAL[:, [1, 0]])
    np.testing.assert_array_equal(spy.trained["d"], REAL[:, [3, 0, 1, 2]])


def test_values_are_drawn_given_synthetic_values(spy: Calls) -> None:
    drawn = fit().draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.drawn_from["d"], drawn[:, :3])
    assert (drawn[:, 1:] >= 1000).all()


def test_the_first_variable_is_drawn_from_its_margin(spy: Calls) -> None:
    synthesizer = fit()
    drawn = synthesizer.draw(seed=1, set_number=1)
    assert "a" not in spy.trained
    assert np.isin(drawn[:, 0], REAL[:, 0]).all()
    assert synthesizer.events[0].event == "has no predictor yet: drawn from its margin"
    assert [(s.name, s.predictors) for s in synthesizer.steps[:2]] == [("a", ()), ("b", ("a",))]


def test_the_visit_sequence_orders_the_draws(spy: Calls) -> None:
    fit(visit_sequence=["d", "c", "b", "a"])
    np.testing.assert_array_equal(spy.trained["a"], REAL[:, [0, 1, 2, 3]])
    assert "d" not in spy.trained


def test_cells_outside_where_are_kept_bit_by_bit(spy: Calls) -> None:
    rows = np.arange(N) % 3 == 0
    drawn = fit(where=mask(b=rows, d=True)).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(drawn[:, [0, 2]], REAL[:, [0, 2]])
    np.testing.assert_array_equal(drawn[~rows, 1], REAL[~rows, 1])
    assert (drawn[rows, 1] >= 1000).all()
    assert (drawn[:, 3] >= 1000).all()
    # Rows that are not replaced enter the later predictions as they are, the others as drawn.
    np.testing.assert_array_equal(spy.drawn_from["d"], drawn[:, :3])


def test_real_cells_that_are_replaced_later_predict_nothing(spy: Calls) -> None:
    rows = np.arange(N) < 5
    fit(where=mask(b=True, d=rows)).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.trained["b"], REAL[:, [1, 0, 2]])
    assert spy.drawn_from["d"].shape == (5, 3)


def test_observed_conditioning_draws_given_the_real_row(spy: Calls) -> None:
    drawn = fit(conditioning="observed").draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.drawn_from["a"], REAL[:, 1:])
    np.testing.assert_array_equal(spy.drawn_from["d"], REAL[:, :3])
    assert (drawn >= 1000).all()


def test_a_fitted_synthesizer_keeps_no_replaced_cell_beside_its_models(spy: Calls) -> None:
    assert np.isnan(fit().matrix).all()
    kept = fit(where=mask(b=True)).matrix
    assert np.isnan(kept[:, 1]).all()
    np.testing.assert_array_equal(kept[:, [0, 2, 3]], REAL[:, [0, 2, 3]])


def test_ignored_rows_are_drawn_but_not_learnt_from(spy: Calls) -> None:
    ignore = np.arange(N) < 30
    drawn = fit(ignore=ignore).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.trained["b"], REAL[30:, [1, 0]])
    assert np.isin(drawn[:, 0], REAL[30:, 0]).all()
    assert drawn.shape == (N, 4)


@pytest.mark.parametrize("k", [1, 7, 200])
def test_a_set_may_have_another_size(spy: Calls, k: int) -> None:
    drawn = fit(k=k).draw(seed=1, set_number=1)
    assert drawn.shape == (k, 4)
    assert np.isfinite(drawn).all()


def test_models_are_fitted_once_for_all_sets(spy: Calls) -> None:
    synthesizer = fit()
    n_fits = spy.n_fits
    sets = [synthesizer.draw(seed=1, set_number=i) for i in (1, 2, 3)]
    assert spy.n_fits == n_fits == 3
    assert not np.array_equal(sets[0], sets[1])


def test_a_proper_synthesis_fits_on_a_new_bootstrap_sample_for_every_set(spy: Calls) -> None:
    synthesizer = fit(proper=True)
    assert spy.n_fits == 0
    samples = []
    for number in (1, 2):
        synthesizer.draw(seed=1, set_number=number)
        samples.append(spy.trained["d"])
    assert spy.n_fits == 6
    assert not np.array_equal(*samples)
    assert all(np.isin(sample[:, 0], REAL[:, 3]).all() for sample in samples)
    assert all(len(np.unique(sample[:, 0])) < N - 5 for sample in samples)


def test_methods_that_draw_parameters_need_no_bootstrap(spy: Calls) -> None:
    synthesizer = fit(proper=True, method={"a": "sample", "b": "bayes", "c": "bayes", "d": "bayes"})
    synthesizer.draw(seed=1, set_number=1)
    assert spy.n_fits == 3
    np.testing.assert_array_equal(spy.trained["d"], REAL[:, [3, 0, 1, 2]])


def test_a_set_depends_on_seed_and_numbers_only() -> None:
    def draw(seed: int = 1, set_number: int = 1, imputation: int = 1, workers: int = 1) -> bytes:
        return fit(workers, method="cart").draw(seed, set_number, imputation).tobytes()

    assert draw() == draw() == draw(workers=3)
    assert len({draw(), draw(seed=2), draw(set_number=2), draw(imputation=2)}) == 4


def test_passive_variables_are_computed_from_synthetic_inputs(spy: Calls) -> None:
    drawn = fit(method={"b": "~ a + d", "c": "spy", "d": "spy"}).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 0] + drawn[:, 3])
    # d comes last: b is not known before, and never predicts its own input.
    assert spy.drawn_from["d"].shape[1] == 2


def test_passive_variables_predict_as_soon_as_they_are_known(spy: Calls) -> None:
    settings: dict[str, Any] = {"method": {"b": "~ a * 2", "c": "spy", "d": "spy"}}
    drawn = fit(**settings).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.drawn_from["c"], drawn[:, :2])
    np.testing.assert_array_equal(drawn[:, 1], 2 * drawn[:, 0])


def test_every_fit_is_reported() -> None:
    schema = infer_schema(FRAME)
    plan = make_plan(schema, np.zeros(FRAME.shape, dtype=bool), where="all", method={"b": "~ a"})
    steps: list[int] = []
    fit_synthesizer(plan, encode(FRAME, schema), step=lambda: steps.append(1))
    assert len(steps) == len(plan.drawn) == 3


# --- parts, rules, strata -------------------------------------------------------------------------


def test_ordinary_values_are_learnt_from_ordinary_values_only(spy: Calls) -> None:
    frame = FRAME.copy()
    frame.loc[:9, "b"] = -8.0
    frame.loc[10:14, "b"] = np.nan
    schema = infer_schema(frame, {"b": VariableOverride(spikes=(-8.0,), keep_missing=True)})
    matrix = encode(frame, schema)
    method = {"a": "sample", "b": "spy", "c": "spy", "d": "sample"}
    plan = make_plan(schema, schema.holes(matrix), where="all", method=method)
    drawn = fit_synthesizer(plan, matrix).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.trained["b"], REAL[15:, [1, 0]])
    ordinary = drawn[:, 1] >= 1000
    assert len(spy.drawn_from["b"]) == ordinary.sum()
    rest = drawn[~ordinary, 1]
    assert ((rest == -8) | np.isnan(rest)).all()
    # A later variable sees the state and the value; the value is finite in every row.
    assert spy.trained["c"].shape == (N, 4)
    assert np.isfinite(spy.drawn_from["c"]).all()
    np.testing.assert_array_equal(spy.drawn_from["c"][:, 1] == 0, ordinary)


def test_rows_that_a_rule_decides_are_neither_learnt_from_nor_drawn(spy: Calls) -> None:
    rules = {"b": {"a > 0": 5.0}}
    drawn = fit(rules=rules).draw(seed=1, set_number=1)
    np.testing.assert_array_equal(spy.trained["b"], REAL[REAL[:, 0] <= 0][:, [1, 0]])
    np.testing.assert_array_equal(drawn[:, 1] == 5, drawn[:, 0] > 0)
    assert len(spy.drawn_from["b"]) == (drawn[:, 0] <= 0).sum()


def test_a_proper_synthesis_samples_among_free_rows(spy: Calls) -> None:
    fit(rules={"b": {"a > 0": 5.0}}, proper=True).draw(seed=1, set_number=1)
    assert (spy.trained["b"][:, 1] <= 0).all()
    assert len(spy.trained["b"]) == (REAL[:, 0] <= 0).sum()


def test_a_stratified_synthesizer_keeps_no_replaced_cell_beside_its_models() -> None:
    frame = FRAME.assign(g=np.where(np.arange(N) % 2 == 0, "u", "v"))
    schema = infer_schema(frame)
    plan = make_plan(
        schema,
        np.zeros(frame.shape, dtype=bool),
        where="all",
        method="cart",
        strata="g",
        min_stratum_size=5,
    )
    fitted = fit_synthesizer(plan, encode(frame, schema))
    assert np.isnan(fitted.matrix).all()
    assert all(np.isnan(part.matrix).all() for part in fitted.synthesizers)
    drawn = fitted.draw(seed=1, set_number=1)
    assert drawn.tobytes() == fitted.draw(seed=1, set_number=1).tobytes()
    assert drawn.tobytes() != fitted.draw(seed=1, set_number=2).tobytes()
    # Strata stand one after the other.
    assert (np.diff(drawn[:, 4]) >= 0).all()


def test_a_derived_column_follows_the_synthetic_one() -> None:
    frame = FRAME.assign(e=3 * FRAME["a"] + 1)
    made = synthesize(frame, m=1, seed=1)
    np.testing.assert_allclose(made.complete(1)["e"], 3 * made.complete(1)["a"] + 1, atol=0.011)
    assert made.provenance.methods["e"] == "derived"


def test_the_tree_of_a_variable_can_be_read() -> None:
    synthesizer = fit(method="cart")
    lines = synthesizer.tree_as_text("d", maxdepth=1).splitlines()
    assert lines[0].startswith(f"all rows: {N} rows, mean ")
    assert len(lines) == 3
    refined = fit(method="cart", smoothing="spline", tail_support=3)
    assert refined.tree_as_text("d", maxdepth=1).splitlines() == lines
    for name in ("a", "nobody"):
        with pytest.raises(PlanError, match=f"'{name}' has no fitted tree: name a variable whose"):
            synthesizer.tree_as_text(name)


def test_bootstrap_samples_of_a_proper_synthesis_share_one_sort() -> None:
    """Counts and repeated rows give the same trees, so the sets are those of a tree grown anew."""
    synthesizer = fit(method="cart", proper=True)
    assert synthesizer._sorted_columns is synthesizer._sorted_columns
    first, second = (synthesizer.draw(seed=1, set_number=i) for i in (1, 2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(synthesizer.draw(seed=1, set_number=1), first)
    np.testing.assert_array_equal(fit(method="cart", proper=True).draw(1, 1), first)


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "cart"},
        {"method": {"a": "sample", "b": "cart", "c": "~ a + b", "d": "cart"}},
        {"method": "cart", "where": mask(b=np.arange(N) % 3 == 0, d=True)},
        {"method": "cart", "k": 77},
        {"method": "cart", "post": {"d": "max(d, 0)"}},
        {"method": "cart", "rules": {"d": {"a > 0": 0.0}}},
        {"method": "cart", "proper": True},
        {"method": "cart", "conditioning": "observed"},
        {"method": "norm"},
        {"method": "cart", "smoothing": "spline"},
    ],
    ids=str,
)
def test_several_sets_drawn_at_once_are_those_drawn_alone(settings: dict[str, Any]) -> None:
    synthesizer = fit(**settings)
    alone = [synthesizer.draw(seed=5, set_number=i, imputation=2) for i in (3, 1, 4)]
    at_once = synthesizer.draw_sets(5, [3, 1, 4], imputation=2)
    assert [s.tobytes() for s in at_once] == [s.tobytes() for s in alone]
    assert all(s.flags.f_contiguous for s in at_once)
    assert not np.array_equal(alone[0], alone[1])
