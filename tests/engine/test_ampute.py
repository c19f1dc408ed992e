"""Making complete data incomplete by a known mechanism."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import chi2_contingency, norm

from synth_tasks.engine.ampute import (
    TYPES,
    Amputed,
    ampute,
    group_probability,
    logistic_probability,
)
from synth_tasks.errors import DataError, PlanError
from tests.engine.builders import correlated, read_fixture

REFERENCE = read_fixture("r_ampute.json")
SIGMA = np.array(REFERENCE["sigma"])
THIRD_MISSING = [[1, 1, 0]]
N_ROWS = 20_000


def normal(n_rows: int = N_ROWS, seed: int = 1) -> pd.DataFrame:
    """Draw three correlated standard normal variables."""
    root = np.linalg.cholesky(SIGMA)
    drawn = np.random.default_rng(seed).standard_normal((n_rows, 3)) @ root.T
    return pd.DataFrame(drawn, columns=list("abc"))


NORMAL = normal()
SKEWED = np.exp(NORMAL)


def standardised(values: pd.Series | np.ndarray) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    return (array - array.mean()) / array.std(ddof=1)


def incomplete_rows(amputed: Amputed) -> np.ndarray:
    return amputed.data.isna().any(axis=1).to_numpy()


def deviation(hits: np.ndarray, expected: float) -> float:
    """Return how many standard errors a share of hits is away from its expectation."""
    error = np.sqrt(expected * (1 - expected) / hits.size)
    return abs(float(hits.mean()) - expected) / error


# --- how much is missing --------------------------------------------------------------------------


@pytest.mark.parametrize("prop", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("mech", ["MCAR", "MAR", "MNAR"])
@pytest.mark.parametrize("kind", TYPES)
def test_the_share_of_incomplete_rows_is_prop(kind: str, mech: str, prop: float) -> None:
    found = ampute(SKEWED, prop, mech=mech, type=kind, seed=1)
    assert found.probability.mean() == pytest.approx(prop, abs=1e-9)
    assert deviation(incomplete_rows(found), prop) < 4


def test_the_share_of_missing_cells_is_prop_whatever_the_patterns() -> None:
    patterns = [[0, 1, 1], [1, 0, 0]]
    found = ampute(NORMAL, 0.3, patterns, freq=[1, 3], bycases=False, seed=1)
    # A row has 1/4 * 1 + 3/4 * 2 = 1.75 missing cells if it has any.
    assert deviation(incomplete_rows(found), 0.3 * 3 / 1.75) < 4
    cells = found.data.isna().to_numpy().sum(axis=1) / 3
    assert abs(cells.mean() - 0.3) < 4 * cells.std() / np.sqrt(N_ROWS)


@pytest.mark.parametrize("prop", [0, 1])
@pytest.mark.parametrize("mech", ["MCAR", "MAR"])
def test_nothing_or_everything_may_be_amputed(mech: str, prop: float) -> None:
    assert incomplete_rows(ampute(NORMAL, prop, mech=mech, seed=1)).mean() == prop


def test_each_column_is_missing_alone_and_equally_often_by_default() -> None:
    found = ampute(NORMAL, 0.6, seed=1)
    assert found.data.isna().sum(axis=1).max() == 1
    for name in NORMAL:
        assert deviation(found.data[name].isna().to_numpy(), 0.2) < 4


def test_patterns_occur_as_often_as_freq_says() -> None:
    patterns = [[0, 0, 1], [1, 1, 0], [1, 0, 1]]
    found = ampute(NORMAL, 0.4, patterns, freq=[5, 3, 2], seed=1)
    for number, share in enumerate((0.5, 0.3, 0.2)):
        assert deviation(found.pattern == number, share) < 4
    observed = found.data.notna().to_numpy().astype(int)
    gone = incomplete_rows(found)
    np.testing.assert_array_equal(observed[gone], np.array(patterns)[found.pattern[gone]])
    assert deviation(gone[found.pattern == 2], 0.4) < 4


def test_a_pattern_of_frequency_zero_does_not_occur() -> None:
    assert set(ampute(NORMAL, freq=[1, 0, 1], seed=1).pattern) == {0, 2}


def test_observed_cells_keep_their_value() -> None:
    found = ampute(NORMAL, seed=1).data
    pd.testing.assert_frame_equal(found, NORMAL.where(found.notna()))


# --- the mechanisms -------------------------------------------------------------------------------


def test_mcar_takes_no_notice_of_values() -> None:
    found = ampute(NORMAL, 0.3, THIRD_MISSING, mech="MCAR", weights=[1, 1, 1], seed=1)
    assert set(found.probability) == {0.3}
    gone = incomplete_rows(found)
    for name in NORMAL:
        tenths = pd.qcut(NORMAL[name], 10, labels=False)
        assert chi2_contingency(pd.crosstab(tenths, gone)).pvalue > 0.001


def test_mar_depends_on_what_is_observed_only() -> None:
    found = ampute(NORMAL, 0.5, THIRD_MISSING, seed=1)
    other = ampute(NORMAL.assign(c=-NORMAL["c"]), 0.5, THIRD_MISSING, seed=1)
    np.testing.assert_array_equal(found.probability, other.probability)
    gone = incomplete_rows(found).astype(float)
    score = standardised(standardised(NORMAL["a"]) + standardised(NORMAL["b"]))
    # What the score leaves of missingness and of the missing variable is uncorrelated; they are not.
    left = NORMAL["c"] - score * np.corrcoef(NORMAL["c"], score)[0, 1] * NORMAL["c"].std()
    error = 1 / np.sqrt(N_ROWS)
    assert np.corrcoef(gone, NORMAL["c"])[0, 1] > 10 * error
    assert abs(np.corrcoef(gone - found.probability, left)[0, 1]) < 4 * error


def test_mnar_depends_on_the_missing_value_itself() -> None:
    found = ampute(NORMAL, 0.5, THIRD_MISSING, mech="MNAR", seed=1)
    score = standardised(NORMAL["c"])
    np.testing.assert_allclose(np.ptp(logit(found.probability) - score), 0, atol=1e-9)


def test_weights_tell_which_variables_matter_and_how_much() -> None:
    found = ampute(NORMAL, 0.5, THIRD_MISSING, weights=[2, -1, 0], seed=1)
    score = standardised(2 * standardised(NORMAL["a"]) - standardised(NORMAL["b"]))
    np.testing.assert_allclose(np.ptp(logit(found.probability) - score), 0, atol=1e-9)


def test_columns_are_weighted_in_their_own_units_on_request() -> None:
    wide = NORMAL.assign(a=1000 * NORMAL["a"])
    raw = ampute(wide, 0.5, THIRD_MISSING, std=False, seed=1).probability
    by_a = ampute(NORMAL, 0.5, THIRD_MISSING, weights=[1, 0, 0], seed=1).probability
    np.testing.assert_allclose(raw, by_a, atol=0.005)
    np.testing.assert_allclose(
        ampute(wide, 0.5, THIRD_MISSING, seed=1).probability,
        ampute(NORMAL, 0.5, THIRD_MISSING, seed=1).probability,
        atol=1e-9,
    )


def test_each_pattern_has_its_own_weights_and_type() -> None:
    patterns, weights = [[1, 1, 0], [1, 0, 1]], [[1, 0, 0], [0, 0, 1]]
    found = ampute(NORMAL, 0.4, patterns, weights=weights, type=["RIGHT", "LEFT"], seed=1)
    for number, name, sign in ((0, "a", 1), (1, "c", -1)):
        rows = found.pattern == number
        score = sign * standardised(NORMAL.loc[rows, name])
        np.testing.assert_allclose(np.ptp(logit(found.probability[rows]) - score), 0, atol=1e-9)


def test_tables_may_list_the_columns_in_any_order() -> None:
    patterns = pd.DataFrame({"c": [0], "a": [1], "b": [1]})
    weights = pd.DataFrame({"b": [0.0], "c": [0.0], "a": [1.0]})
    by_name = ampute(NORMAL, 0.5, patterns, weights=weights, seed=1)
    by_position = ampute(NORMAL, 0.5, [1, 1, 0], weights=[1, 0, 0], seed=1)
    pd.testing.assert_frame_equal(by_name.data, by_position.data)


def test_rows_with_equal_scores_are_amputed_with_equal_probability() -> None:
    flat = NORMAL.assign(a=0.1, b=0.3)
    for cont in (True, False):
        assert set(ampute(flat, 0.3, THIRD_MISSING, cont=cont, seed=1).probability) == {0.3}
    assert set(ampute(NORMAL, 0.3, weights=np.zeros((3, 3)), seed=1).probability) == {0.3}


@pytest.mark.parametrize("kind", TYPES)
def test_a_few_rows_are_enough(kind: str) -> None:
    for seed in range(20):
        found = ampute(NORMAL.head(5), 0.5, type=kind, seed=seed)
        assert found.probability.mean() == pytest.approx(0.5, abs=1e-9)


# --- the curves -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "exponent"),
    [
        ("RIGHT", lambda z: z),
        ("LEFT", lambda z: -z),
        ("MID", lambda z: -np.abs(z)),
        ("TAIL", lambda z: np.abs(z)),
    ],
)
def test_the_curve_is_a_shifted_logistic_function(kind: str, exponent: Any) -> None:
    scores = standardised(SKEWED["a"])
    found = logistic_probability(scores, kind, 0.25)
    assert found.mean() == pytest.approx(0.25, abs=1e-9)
    # Close to 1 the logit is known to few digits.
    np.testing.assert_allclose(np.ptp(logit(found) - exponent(scores)), 0, atol=1e-6)


def test_high_normal_scores_are_missing_as_theory_says() -> None:
    found = ampute(NORMAL, 0.5, THIRD_MISSING, mech="MNAR", seed=1)
    gone = standardised(NORMAL["c"])[incomplete_rows(found)]
    # The curve has no shift at 0.5, so the mean score is E[z expit(z)] / 0.5.
    expected = quad(lambda z: z * expit(z) * norm.pdf(z), -12, 12)[0] / 0.5
    assert abs(gone.mean() - expected) < 4 * gone.std() / np.sqrt(len(gone))


def test_quantile_groups_are_missing_in_proportion_to_the_odds() -> None:
    found = ampute(NORMAL, 0.5, THIRD_MISSING, mech="MNAR", cont=False, seed=1)
    quarter = pd.qcut(NORMAL["c"], 4, labels=False).to_numpy()
    gone = incomplete_rows(found)
    for number, expected in enumerate((0.2, 0.4, 0.6, 0.8)):
        np.testing.assert_allclose(found.probability[quarter == number], expected, rtol=1e-9)
        assert deviation(gone[quarter == number], expected) < 4


def test_patterns_may_have_different_numbers_of_groups() -> None:
    odds = [[1, 3, np.nan], [1, 0, 2]]
    patterns = [[1, 1, 0], [1, 0, 0]]
    found = ampute(NORMAL, 0.3, patterns, cont=False, odds=odds, seed=1)
    for number, expected in enumerate(([0.15, 0.45], [0.0, 0.3, 0.6])):
        values = np.unique(found.probability[found.pattern == number].round(3))
        np.testing.assert_allclose(values, expected, atol=0.001)
        assert found.probability[found.pattern == number].mean() == pytest.approx(0.3)


def test_ties_do_not_change_the_share() -> None:
    scores = np.repeat([0.0, 1.0, 2.0], [30, 50, 20])
    found = group_probability(scores, np.array([1.0, 3.0]), 0.3)
    assert found.mean() == pytest.approx(0.3)
    # The median is 1; as in R, scores that equal a quantile belong to the group above it.
    assert found[-1] == found[50] == pytest.approx(3 * found[0])


@pytest.mark.parametrize("case", REFERENCE["cases"])
def test_incomplete_rows_are_like_those_of_r(case: dict[str, Any]) -> None:
    settings = {"type": case["type"]} if "type" in case else {"cont": False, "odds": case["odds"]}
    weights = REFERENCE["weights"] if case["mech"] == "MAR" else [0, 0, 1]
    found = []
    for seed in range(10):
        data = normal(5000, seed)
        p = ampute(
            data, case["prop"], THIRD_MISSING, mech=case["mech"], weights=weights, seed=seed, **settings
        ).probability  # fmt: skip
        z = standardised(data.to_numpy() @ weights)
        means = [np.average(x, weights=p) for x in (z, z**2, data["c"])]
        found.append([p.mean(), *means])
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    difference = np.mean(found, axis=0) - case["mean"]
    # R looks for its shift on a grid of 0.001, which adds as much to the share.
    slack = 0.001
    assert (np.abs(difference) < 4 * np.hypot(error, case["se"]) + slack).all()


# --- kinds of columns -----------------------------------------------------------------------------

MIXED = pd.DataFrame(
    {
        "number": np.linspace(0, 1, 60),
        "single": np.linspace(0, 1, 60).astype("float32"),
        "count": range(60),
        "flag": np.arange(60) % 2 == 0,
        "grade": pd.Categorical(["low", "mid", "high"] * 20, ["low", "mid", "high"], ordered=True),
        "town": ["x", "y", "z"] * 20,
        "day": pd.date_range("2024-01-01", periods=60),
    },
    index=[f"row {i}" for i in range(60)],
)


def test_columns_keep_their_dtype_if_it_can_hold_missing_values() -> None:
    found = ampute(MIXED, 0.9, seed=1).data
    expected = MIXED.dtypes.astype(str).to_dict() | {"count": "Int64", "flag": "boolean"}
    assert found.dtypes.astype(str).to_dict() == expected
    assert found.isna().any().all()
    assert list(found.index) == list(MIXED.index)
    for name in MIXED:
        kept = found[name].notna()
        assert (found.loc[kept, name] == MIXED.loc[kept, name]).all()


def test_columns_without_missing_values_keep_their_dtype() -> None:
    found = ampute(MIXED, 0.5, [[0, 1, 1, 1, 1, 1, 1]], seed=1).data
    pd.testing.assert_frame_equal(found.drop(columns="number"), MIXED.drop(columns="number"))


def test_categories_count_by_position() -> None:
    frame = pd.concat([MIXED[["grade", "number"]]] * 10, ignore_index=True)
    found = ampute(frame, 0.5, [[1, 0]], seed=1)
    mean = pd.Series(found.probability).groupby(frame["grade"], observed=True).mean()
    assert mean["low"] < mean["mid"] < mean["high"]


def test_the_callers_table_is_not_changed() -> None:
    before = MIXED.copy(deep=True)
    ampute(MIXED, seed=1)
    pd.testing.assert_frame_equal(MIXED, before)


# --- randomness -----------------------------------------------------------------------------------


def test_equal_seeds_give_equal_results() -> None:
    first, again, other = (ampute(NORMAL, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.data, again.data)
    np.testing.assert_array_equal(first.pattern, again.pattern)
    assert not first.data.isna().equals(other.data.isna())


def test_without_a_seed_results_differ() -> None:
    assert not ampute(NORMAL).data.isna().equals(ampute(NORMAL).data.isna())


# --- refusals -------------------------------------------------------------------------------------


def test_the_data_must_be_complete() -> None:
    with pytest.raises(DataError, match="column 'b' has missing values already"):
        ampute(NORMAL.assign(b=NORMAL["b"].where(NORMAL["b"] < 0)))
    with pytest.raises(DataError, match="the table is empty"):
        ampute(NORMAL.head(0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prop": -0.1}, "prop must be a number between 0 and 1"),
        ({"prop": 50}, "prop must be a number between 0 and 1"),
        ({"prop": float("nan")}, "prop must be a number between 0 and 1"),
        ({"prop": "half"}, "prop must be a number between 0 and 1"),
        ({"prop": 0.5, "bycases": False}, "no more than 0.333 of the cells can be missing"),
        ({"patterns": [[1, 0]]}, "patterns must have 3 columns"),
        ({"patterns": [[1, 0, 2]]}, "patterns must be one row or more of 0"),
        ({"patterns": np.ones((0, 3))}, "patterns must be one row or more of 0"),
        ({"patterns": [[1, 0, 1], [0, 1]]}, "patterns must be a table of numbers"),
        ({"patterns": [[1, 0, 1], [1, 1, 1]]}, "pattern 1 has no missing value"),
        ({"patterns": [[0, 0, 0]]}, "pattern 0 leaves nothing observed"),
        ({"patterns": pd.DataFrame({"a": [0], "z": [1]})}, "must have the columns a, b, c"),
        ({"freq": [1, 1]}, "freq must have 3 entries"),
        ({"freq": [1, -1, 1]}, "freq must be numbers of 0 or more"),
        ({"freq": [0, 0, 0]}, "freq must be numbers of 0 or more"),
        ({"mech": "mar"}, "mech must be one of MCAR, MAR, MNAR"),
        ({"weights": [1, 1, 0]}, "weights must have 3 row"),
        ({"weights": np.ones((3, 2))}, "weights must have 3 columns"),
        ({"weights": np.full((3, 3), np.nan)}, "weights must be finite numbers"),
        ({"weights": "a"}, "weights must be a table of numbers"),
        ({"type": "CENTRE"}, "type must be one of RIGHT, LEFT, MID, TAIL"),
        ({"type": ["MID", "TAIL"]}, "type must be one of RIGHT, LEFT, MID, TAIL"),
        ({"type": None}, "type must be one of RIGHT, LEFT, MID, TAIL"),
        ({"odds": [1, 2]}, "odds are used with cont=False only"),
        ({"odds": [[1, 2], [2, 1]], "cont": False}, "odds must have one row, or 3 rows"),
        ({"odds": [1, -2], "cont": False}, "odds must be numbers of 0 or more"),
        ({"odds": [0, 0], "cont": False}, "odds must be numbers of 0 or more"),
        ({"prop": 0.7, "cont": False}, "odds of pattern 0 ask for a probability above 1"),
        ({"seed": -1}, "seed must be a whole number of 0 or more"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        ampute(NORMAL, **{"seed": 1, **settings})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_everything_may_be_missing_unless_at_random() -> None:
    for mech in ("MCAR", "MNAR"):
        found = ampute(NORMAL, 0.5, [[0, 0, 0]], mech=mech, seed=1)
        assert (found.data.isna().sum(axis=1).isin([0, 3])).all()


def test_groups_need_scores_that_differ() -> None:
    flags = pd.DataFrame({"x": [True, False] * 50, "y": np.arange(100.0)})
    settings: dict[str, Any] = {"patterns": [[1, 0]], "cont": False, "seed": 1}
    with pytest.raises(PlanError, match="odds has more groups than the weighted sum scores"):
        ampute(flags, **settings)
    assert ampute(flags, odds=[1, 2], **settings).probability.mean() == pytest.approx(0.5)


def test_the_mean_survives_mcar_but_not_mar() -> None:
    frame = correlated(N_ROWS, 0.6, np.random.default_rng(3))
    settings: dict[str, Any] = {"prop": 0.5, "patterns": [[1, 0]], "seed": 1}
    at_random = ampute(frame, **settings).data["y"].mean()
    completely = ampute(frame, mech="MCAR", **settings).data["y"].mean()
    error = 1 / np.sqrt(N_ROWS / 2)
    assert abs(completely - frame["y"].mean()) < 4 * error
    assert at_random < frame["y"].mean() - 10 * error
