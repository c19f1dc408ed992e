"""Multiple imputation by chained equations, and synthesis: from data frame to data frames."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.data import VariableOverride, infer_schema
from synth_tasks.datasets import load_boys, load_boys_completed
from synth_tasks.engine import (
    MultiplyImputed,
    make_method,
    make_predictor_matrix,
    make_where,
    mice,
    synthesize,
)
from synth_tasks.errors import DataError, PlanError
from tests.frames import frames, parted_frames

BOYS = load_boys()
BMI = "~ I(wgt / (hgt/100)^2)"


def bmi_of(frame: pd.DataFrame) -> pd.Series:
    return frame["wgt"] / (frame["hgt"] / 100) ** 2


# --- the paper ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def paper() -> tuple[MultiplyImputed, MultiplyImputed]:
    """Impute once and synthesise five times, by the set-up of Volker & Vink (2021), word by word."""
    method = make_method(BOYS)
    method["bmi"] = BMI
    pred = make_predictor_matrix(BOYS)
    pred.loc[["hgt", "wgt"], "bmi"] = 0
    imputed = mice(BOYS, m=1, maxit=10, method=method, predictor_matrix=pred, seed=123)
    completed = imputed.complete(1)
    method = dict.fromkeys(BOYS, "cart") | {"bmi": BMI}
    synthetic = mice(
        completed,
        m=5,
        maxit=1,
        method=method,
        predictor_matrix=pred,
        where=make_where(completed, "all"),
        method_options={"cart": {"minbucket": 3, "cp": 1e-8}},
        seed=123,
    )
    return imputed, synthetic


def test_the_paper_gets_complete_sets_of_the_same_shape(paper: tuple) -> None:
    for result, m in zip(paper, (1, 5), strict=True):
        sets = result.complete("all")
        assert len(sets) == m
        for frame in sets:
            assert frame.shape == (748, 9)
            assert not frame.isna().any(axis=None)
            pd.testing.assert_series_equal(frame.dtypes, BOYS.dtypes)


def test_bmi_is_exact_in_every_computed_row(paper: tuple) -> None:
    imputed, synthetic = paper
    completed = imputed.complete(1)
    was_missing = BOYS["bmi"].isna()
    np.testing.assert_array_equal(completed["bmi"][was_missing], bmi_of(completed)[was_missing])
    for frame in synthetic.complete("all"):
        np.testing.assert_array_equal(frame["bmi"], bmi_of(frame))


def test_observed_values_are_imputed_around(paper: tuple) -> None:
    completed = paper[0].complete(1)
    pd.testing.assert_frame_equal(completed.where(BOYS.notna()), BOYS)


def test_synthetic_values_are_observed_values(paper: tuple) -> None:
    completed = paper[0].complete(1)
    for frame in paper[1].complete("all"):
        for name in BOYS.columns.drop("bmi"):
            assert set(frame[name]) <= set(completed[name])


def test_synthetic_growth_looks_like_growth(paper: tuple) -> None:
    completed = paper[0].complete(1)
    numbers = ["age", "hgt", "wgt", "hc"]
    for frame in paper[1].complete("all"):
        gap = (frame[numbers].corr() - completed[numbers].corr()).abs()
        assert gap.to_numpy().max() < 0.03


def test_the_call_of_the_manual_works_on_incomplete_data() -> None:
    result = mice(BOYS, m=2, maxit=2, method="cart", where=make_where(BOYS, "all"), seed=1)
    assert result.provenance.stage == "imputation and synthesis"
    for frame in result.complete("all"):
        assert not frame.isna().any(axis=None)
        pd.testing.assert_series_equal(frame.dtypes, BOYS.dtypes)


# --- seeds, workers, progress ---------------------------------------------------------------------


@pytest.mark.parametrize("setup", [{}, {"where": "all", "method": "cart"}, {"where": "observed"}])
def test_the_number_of_workers_changes_no_byte(setup: dict[str, Any]) -> None:
    small = BOYS.iloc[::6]
    results = [mice(small, m=3, maxit=2, seed=5, workers=w, **setup) for w in (1, 2, 5)]
    for other in results[1:]:
        for a, b in zip(results[0].sets, other.sets, strict=True):
            assert a.tobytes() == b.tobytes()
        assert other.events == results[0].events
        for trace in ("chain_means", "chain_variances"):
            np.testing.assert_array_equal(getattr(other, trace), getattr(results[0], trace))


def test_equal_seeds_give_equal_results() -> None:
    def first(seed: int | None) -> bytes:
        return mice(BOYS.iloc[::6], m=1, maxit=1, seed=seed).sets[0].tobytes()

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(None) != first(None)
    assert first(np.int64(1)) == first(1)


def test_more_sets_leave_the_first_ones_as_they_were() -> None:
    few, many = (synthesize(load_boys_completed(), m=m, seed=1) for m in (2, 4))
    for a, b in zip(few.sets, many.sets, strict=False):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", [-1, 1.5, "123"])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(PlanError, match="seed must be a whole number of 0 or more"):
        mice(BOYS, seed=seed)


@pytest.mark.parametrize("workers", [0, 1.5, True])
def test_workers_are_counted(workers: object) -> None:
    with pytest.raises(PlanError, match="workers must be a whole number of 1 or more"):
        mice(BOYS, workers=workers)


def test_progress_is_reported_to_the_end() -> None:
    seen: list[tuple[str, int, int]] = []
    few = BOYS.iloc[::8]
    n_incomplete = int(few.isna().any().sum())
    mice(
        few,
        m=2,
        maxit=3,
        method={"bmi": BMI},
        where="all",
        seed=1,
        workers=2,
        progress=lambda *step: seen.append(step),
    )
    for stage, total in (("imputation", 2 * 3 * n_incomplete), ("fit", 2 * 8), ("draw", 2)):
        steps = [done for s, done, t in seen if s == stage]
        assert steps == list(range(1, total + 1))
        assert {t for s, _, t in seen if s == stage} == {total}


# --- traces ---------------------------------------------------------------------------------------


def test_traces_have_a_place_for_every_sweep_variable_and_chain() -> None:
    imputed = mice(BOYS, m=3, maxit=4, seed=1)
    names = imputed.chain_variables
    assert names == ("hgt", "wgt", "bmi", "hc", "gen", "phb", "tv", "reg")
    assert imputed.chain_means.shape == imputed.chain_variances.shape == (4, 8, 3)
    missing = BOYS["tv"].isna().to_numpy()
    last = [s[missing, 7].mean() for s in imputed.sets]
    np.testing.assert_allclose(imputed.chain_means[-1, names.index("tv")], last)


def test_a_synthesis_of_complete_data_has_no_traces() -> None:
    synthetic = synthesize(load_boys_completed(), m=1, seed=1)
    assert synthetic.chain_means is None
    assert synthetic.chain_variables == ()


# --- partial synthesis ----------------------------------------------------------------------------


def test_partial_synthesis_keeps_all_other_cells() -> None:
    boys = load_boys_completed()
    where = make_where(boys, "none")
    where.loc[boys["age"] > 10, ["hgt", "tv"]] = True
    synthetic = mice(boys, m=2, method="cart", where=where, seed=1)
    assert synthetic.provenance.synthesised == ("hgt", "tv")
    for frame in synthetic.complete("all"):
        pd.testing.assert_frame_equal(frame.mask(where), boys.mask(where))
        assert (frame["hgt"] != boys["hgt"]).sum() > 0.8 * where["hgt"].sum()


def test_holes_outside_where_stay_holes_in_a_synthesis() -> None:
    synthetic = mice(BOYS, m=1, maxit=1, method="cart", where="observed", seed=1)
    pd.testing.assert_frame_equal(synthetic.complete(1).isna(), BOYS.isna())


def test_a_variable_with_holes_still_predicts_one_that_is_synthesised() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(1000)
    frame = pd.DataFrame({"y": 0.8 * x + 0.6 * rng.standard_normal(1000), "x": x})
    frame.loc[:99, "x"] = np.nan
    where = frame.isna().assign(y=True)
    synthetic = mice(frame, m=1, method="norm", where=where, seed=1).complete(1)
    np.testing.assert_array_equal(synthetic["x"][100:], frame["x"][100:])
    assert np.corrcoef(synthetic["x"], synthetic["y"])[0, 1] == pytest.approx(0.8, abs=0.05)


def test_row_labels_stay_only_where_real_cells_stay() -> None:
    named = load_boys_completed().set_index(pd.Index([f"boy {i}" for i in range(748)]))
    assert list(synthesize(named, m=1, seed=1).complete(1).index) == list(range(748))
    partly = mice(named, m=1, where=make_where(named, "none").assign(hgt=True), seed=1)
    assert list(partly.complete(1).index) == list(named.index)
    assert list(mice(BOYS[::2], m=1, maxit=1, seed=1).complete(1).index) == list(BOYS[::2].index)


def test_nothing_to_do_gives_the_data_back() -> None:
    for where in ("none", "missing"):
        result = mice(load_boys_completed(), m=2, where=where, seed=1)
        pd.testing.assert_frame_equal(result.complete(2), load_boys_completed())
    pd.testing.assert_frame_equal(mice(BOYS, m=1, where="none", seed=1).complete(1), BOYS)


# --- other settings -------------------------------------------------------------------------------


def test_post_processing_holds_in_every_cell_drawn() -> None:
    post = {"tv": "clip(tv, 5, 15)", "gen": "where(age < 8, 'G1', gen)"}
    imputed = mice(BOYS, m=1, maxit=2, post=post, seed=1).complete(1)
    assert imputed["tv"][BOYS["tv"].isna()].between(5, 15).all()
    assert (imputed["gen"][BOYS["gen"].isna() & (BOYS["age"] < 8)] == "G1").all()
    synthetic = synthesize(load_boys_completed(), m=1, post=post, seed=1).complete(1)
    assert synthetic["tv"].between(5, 15).all()
    assert (synthetic["gen"][synthetic["age"] < 8] == "G1").all()


def test_ignored_rows_leave_no_trace_in_other_rows() -> None:
    ignore = np.arange(748) % 2 == 0
    odd = BOYS.copy()
    odd.loc[ignore, "hc"] *= 1000
    imputed = mice(odd, m=1, maxit=2, ignore=ignore, seed=1).complete(1)
    assert imputed["hc"][~ignore].max() < 100
    assert not imputed.isna().any(axis=None)


@pytest.mark.parametrize("k", [100, 1500])
def test_a_synthetic_set_may_have_another_size(k: int) -> None:
    synthetic = synthesize(load_boys_completed(), m=2, k=k, seed=1)
    assert synthetic.complete(2).shape == (k, 9)
    assert (synthetic.provenance.n, synthetic.provenance.k) == (748, k)
    assert synthetic.complete(2)["hgt"].mean() == pytest.approx(
        load_boys_completed()["hgt"].mean(), abs=20
    )


def test_proper_is_recorded_and_draws_other_sets() -> None:
    plain, proper = (
        synthesize(load_boys_completed(), m=1, proper=p, seed=1) for p in (False, True)
    )
    assert proper.provenance.proper
    assert not np.array_equal(plain.sets[0], proper.sets[0])
    assert not proper.complete(1).isna().any(axis=None)


def test_observed_conditioning_warns_and_is_recorded() -> None:
    with pytest.warns(UserWarning, match="stay linked to persons; do not publish them"):
        linked = synthesize(load_boys_completed(), m=1, conditioning="observed", seed=1)
    assert linked.provenance.conditioning == "observed"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mice(BOYS.iloc[::8], m=1, maxit=1, conditioning="observed", seed=1)


def test_synthesize_draws_unnamed_columns_by_cart() -> None:
    synthetic = synthesize(load_boys_completed(), m=1, method={"bmi": BMI, "hc": "norm"}, seed=1)
    methods = synthetic.provenance.methods
    assert (methods["bmi"], methods["hc"], methods["wgt"], methods["gen"]) == (
        BMI,
        "norm",
        "cart",
        "cart",
    )


def test_data_that_cannot_be_used_are_refused_before_work_starts() -> None:
    with pytest.raises(DataError, match="the table is empty"):
        mice(pd.DataFrame())
    with pytest.raises(DataError, match="column 'x' has no observed value"):
        mice(pd.DataFrame({"x": [None, None]}))


# --- any table ------------------------------------------------------------------------------------

KEYWORDS = st.sampled_from(["missing", "all", "observed"])


def check_any(frame: pd.DataFrame, **setup: Any) -> MultiplyImputed:
    result = mice(frame, m=1, maxit=1, seed=1, **setup)
    completed = result.complete(1)
    if setup.get("where") != "observed":
        assert not completed.isna().any(axis=None)
    else:
        pd.testing.assert_frame_equal(completed.isna(), frame.isna())
    pd.testing.assert_series_equal(completed.dtypes, frame.dtypes)
    assert list(completed.columns) == list(frame.columns)
    return result


@settings(max_examples=60, deadline=None)
@given(frames(twins=True), KEYWORDS, st.sampled_from(["cart", "pmm", "sample"]), st.booleans())
def test_donor_methods_complete_any_table_with_values_it_holds(
    frame: pd.DataFrame, where: str, method: str, proper: bool
) -> None:
    completed = check_any(frame, where=where, method=method, proper=proper).complete(1)
    for name in frame:
        assert set(completed[name].dropna()) <= set(frame[name].dropna())


@settings(max_examples=60, deadline=None)
@given(frames(twins=True), KEYWORDS)
def test_the_default_methods_complete_any_table(frame: pd.DataFrame, where: str) -> None:
    check_any(frame, where=where)


@settings(max_examples=60, deadline=None)
@given(frames(max_rows=3, twins=True), KEYWORDS)
def test_so_they_do_with_one_to_three_rows(frame: pd.DataFrame, where: str) -> None:
    check_any(frame, where=where)


@settings(max_examples=40, deadline=None)
@given(frames(twins=True), st.sampled_from(["all", "missing"]))
def test_normal_draws_stay_within_the_dtype(frame: pd.DataFrame, where: str) -> None:
    numeric = ("float", "Float", "int", "uint", "Int", "double")
    method = {name: "norm" for name in frame if name.startswith((*numeric, "constant"))}
    check_any(frame, where=where, method=method)


def test_categories_of_one_row_and_of_none_do_no_harm() -> None:
    levels = ["common", "rare", "never"]
    frame = pd.DataFrame(
        {
            "g": pd.Categorical(["common"] * 28 + ["rare", None], levels),
            "o": pd.Categorical(["rare", None] + ["common"] * 28, levels, ordered=True),
            "x": np.arange(30.0),
        }
    )
    for where in ("missing", "all"):
        for method in (None, "cart", "pmm"):
            completed = check_any(frame, where=where, method=method).complete(1)
            assert "never" not in set(completed["g"]) | set(completed["o"])


# --- missing values and spikes as data ------------------------------------------------------------


def due(frame: pd.DataFrame, overrides: dict[str, VariableOverride]) -> list[str]:
    return [name for name in frame if not overrides[name].keep_missing]


@settings(max_examples=60, deadline=None)
@given(parted_frames(), st.sampled_from(["cart", "pmm", "sample"]), st.booleans())
def test_donor_methods_synthesise_any_table_of_parts(
    described: tuple[pd.DataFrame, dict[str, VariableOverride]], method: str, proper: bool
) -> None:
    frame, overrides = described
    schema = infer_schema(frame, overrides)
    settings_: dict[str, Any] = {"method": method, "proper": proper, "schema": schema}
    result, again = (mice(frame, m=1, maxit=1, where="all", seed=1, **settings_) for _ in range(2))
    assert result.sets[0].tobytes() == again.sets[0].tobytes()
    made = result.complete(1)
    assert made[due(frame, overrides)].notna().all(axis=None)
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)
    for name in frame:
        assert set(made[name].dropna()) <= set(frame[name].dropna())
        if frame[name].notna().all():
            assert made[name].notna().all()


@settings(max_examples=60, deadline=None)
@given(parted_frames(), st.sampled_from(["missing", "all"]))
def test_the_default_methods_fill_any_table_of_parts(
    described: tuple[pd.DataFrame, dict[str, VariableOverride]], where: str
) -> None:
    frame, overrides = described
    schema = infer_schema(frame, overrides)
    made = mice(frame, m=1, maxit=1, where=where, schema=schema, seed=1).complete(1)
    assert made[due(frame, overrides)].notna().all(axis=None)
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)
    if where == "missing":
        for name in set(frame) - set(due(frame, overrides)):
            pd.testing.assert_series_equal(made[name], frame[name])


@settings(max_examples=40, deadline=None)
@given(parted_frames(max_rows=3), st.sampled_from(["density", "spline"]), st.integers(1, 4))
def test_so_they_do_refined_with_one_to_three_rows(
    described: tuple[pd.DataFrame, dict[str, VariableOverride]], smoothing: str, support: int
) -> None:
    frame, overrides = described
    schema = infer_schema(frame, overrides)
    made = synthesize(
        frame, m=1, smoothing=smoothing, tail_support=support, schema=schema, seed=1
    ).complete(1)
    assert made[due(frame, overrides)].notna().all(axis=None)
    pd.testing.assert_series_equal(made.dtypes, frame.dtypes)


def test_a_column_that_is_all_missing_is_refused_even_if_kept() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [np.nan] * 3})
    with pytest.raises(DataError, match="column 'y' has no observed value"):
        mice(frame, where="all")


@pytest.mark.filterwarnings("ignore:conditioning")
def test_observed_conditioning_works_with_parts() -> None:
    frame = BOYS[["age", "hgt", "tv", "gen"]].iloc[::4]
    schema = infer_schema(
        frame, {n: VariableOverride(keep_missing=True) for n in ("hgt", "tv", "gen")}
    )
    made = synthesize(frame, m=1, conditioning="observed", schema=schema, seed=1).complete(1)
    for name in ("hgt", "tv", "gen"):
        assert made[name].isna().mean() == pytest.approx(frame[name].isna().mean(), abs=0.12)
    assert made["age"].notna().all()


@pytest.mark.parametrize("proper", [False, True])
def test_ignored_rows_are_left_out_of_every_part_and_sample(proper: bool) -> None:
    rng = np.random.default_rng(0)
    ignore = np.arange(200) % 2 == 0
    y = np.where(ignore, np.where(rng.random(200) < 0.5, -8.0, 1000.0), rng.standard_normal(200))
    frame = pd.DataFrame({"x": rng.standard_normal(200), "y": y})
    schema = infer_schema(frame, {"y": VariableOverride(spikes=(-8.0,))})
    made = synthesize(frame, m=2, ignore=ignore, proper=proper, schema=schema, seed=1)
    assert made.complete("stacked")["y"].between(-5, 5).all()


# --- everything at once ---------------------------------------------------------------------------


def test_settings_work_together() -> None:
    boys = BOYS.assign(inches=BOYS["hgt"] / 2.54)
    schema = infer_schema(boys, {"tv": VariableOverride(keep_missing=True, spikes=(2.0,))})
    where = make_where(boys, "all")
    where.loc[:99, "age"] = False
    where["reg"] = boys["reg"].isna()
    result = mice(
        boys,
        m=2,
        r=2,
        maxit=2,
        where=where,
        method=dict.fromkeys(boys, "cart") | {"wgt": "norm", "bmi": BMI},
        ignore=np.arange(748) % 10 == 0,
        proper=True,
        schema=schema,
        formulas={"wgt": "hgt + I(age^2)"},
        rules={"gen": {"age < 3": "G1"}},
        post={"hc": "clip(hc, 35, 60)", "wgt": "max(wgt, 2)"},
        strata="reg",
        min_stratum_size=100,
        smoothing="density",
        tail_support=3,
        variable_options={"hc": {"minbucket": 9}},
        seed=1,
    )
    assert result.m == 4
    for one in result.complete("all"):
        assert one.drop(columns="tv").notna().all(axis=None)
        pd.testing.assert_series_equal(one["age"][:100], boys["age"][:100])
        assert (one["gen"][one["age"] < 3] == "G1").all()
        np.testing.assert_allclose(one["inches"], one["hgt"] / 2.54, rtol=0.002)
        np.testing.assert_allclose(one["bmi"], bmi_of(one))
        assert one["hc"].between(35, 60).all()
        pd.testing.assert_series_equal(one.dtypes, boys.dtypes)


# --- a synthesis holds no real value --------------------------------------------------------------


@pytest.mark.parametrize(
    "setup",
    [
        {"method": {"group": "sample", "a": "norm", "b": "norm", "c": "norm"}},
        {"method": "cart", "smoothing": "density"},
        {"method": "cart", "smoothing": "spline", "tail_support": 3},
        {"method": "cart", "smoothing": "density", "proper": True},
        {"method": "cart", "smoothing": "density", "strata": "group", "min_stratum_size": 9},
        {"method": "cart", "smoothing": "density", "tail_support": 5, "k": 50},
    ],
)
def test_a_stored_synthesis_holds_no_real_number(setup: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    real = rng.integers(10**11, 10**12, (150, 3)).astype(float)
    frame = pd.DataFrame(real, columns=list("abc"))
    frame.insert(0, "group", rng.choice(["u", "v"], 150))
    result = synthesize(frame, m=3, seed=1, **setup)
    stored = pickle.dumps(result)
    found = [
        value
        for value in real.ravel()
        if value.tobytes() in stored
        or value.astype(">f8").tobytes() in stored
        or int(value).to_bytes(8, "little") in stored
        or str(int(value)).encode() in stored
    ]
    inside = [v for v in found if v not in (*real.min(axis=0), *real.max(axis=0))]
    assert inside == []
    # Noise is reflected at the bounds of the data, which may come out themselves.
    assert len(found) <= 6


def test_the_search_would_find_one() -> None:
    rng = np.random.default_rng(0)
    real = rng.integers(10**11, 10**12, 100).astype(float)
    result = synthesize(pd.DataFrame({"a": real}), m=1, seed=1)
    assert any(value.tobytes() in pickle.dumps(result) for value in real)
