"""What chance makes of the worst of many strata, and what of it the default gate refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from expectations.gate import run_gate
from expectations.suites import Suite, load_suite
from synth_tasks.data import Schema, infer_schema
from synth_tasks.ledger import Measurement, make_ledger
from synth_tasks.release.spec import build_spec
from synth_tasks.utility import METRICS, assess_utility
from synth_tasks.utility.at_once import AtOnce
from synth_tasks.utility.missing import measure_missing
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.tables import spmse, spmse_beyond_chance
from tests.release.builders import people_content

N_STRATA, N_SETS, N_COLUMNS, N_ROWS = 20, 5, 10, 200
CRITICAL = ("spmse_marginal", "spmse_pair_max", "spmse_pair_median", "missing_rate_difference_max")
BINARY = np.array([100, 100]), np.array([160, 40])


def test_from_a_binary_variable_that_is_taken_off_which_chance_exceeds_once_in_forty_families():
    value = spmse(*BINARY)
    added = stats.chi2.isf(0.025 / 1000, 1) - 1
    found = spmse_beyond_chance(*BINARY, 1.0, AtOnce(100), figures=10)
    assert found == pytest.approx(value - added)
    assert added == pytest.approx(17, abs=0.5)


def test_more_cells_and_fewer_tables_leave_less_to_chance():
    many = np.full(25, 40), np.full(25, 40) + np.tile([15, -15, 0, 0, 0], 5)

    def added(tables, n_tables):
        beyond = spmse_beyond_chance(*tables, 1.0, AtOnce(n_tables), figures=1)
        return spmse(*tables) - beyond

    assert added(BINARY, 1) < added(BINARY, 1000)
    assert added(many, 1000) < 2 < added(BINARY, 1000)


def test_drawn_parameters_and_samples_of_real_rows_are_allowed_for():
    plug_in, proper, sampled = (
        spmse(*BINARY, inflation) - spmse_beyond_chance(*BINARY, inflation, family, 1)
        for inflation, family in (
            (1.0, AtOnce(9)),
            (1.0, AtOnce(9, proper=True)),
            (1.5, AtOnce(9, proper=True)),
        )
    )
    assert proper + 1 == pytest.approx(2 * (plug_in + 1))
    # In a sample half of the variance of a proper synthesis is a matter of sampling already.
    assert sampled + 1 == pytest.approx(2 / 1.5 * (plug_in + 1))


def test_in_large_tables_chance_is_scaled_as_the_value_is():
    large = 250 * BINARY[0], 250 * BINARY[0] + np.array([900, -900])
    beyond = spmse_beyond_chance(*large, 1.0, AtOnce(100), figures=10)
    assert spmse(*large) - beyond == pytest.approx((stats.chi2.isf(2.5e-5, 1) - 1) / 5)


def test_a_single_cell_leaves_nothing_to_chance():
    assert spmse_beyond_chance(np.array([5, 0]), np.array([9, 0]), 1.0, AtOnce(100), 1) == 1.0


def test_the_bounds_of_maximum_and_median_are_those_of_pairs():
    real, drawn = draw_stratum(1), draw_stratum(2)
    found = assess_utility(real, drawn, infer_schema(real), 1, at_once=AtOnce(7))
    pairs = np.array([m.lower for m in found if m.metric == "spmse_pair"])
    lower = {m.metric: m.lower for m in found}
    assert lower["spmse_pair_max"] == pairs.max()
    assert lower["spmse_pair_median"] == np.median(pairs)
    alone = assess_utility(real, drawn, infer_schema(real), 1)
    assert [m.value for m in alone] == [m.value for m in found]
    assert all(math.isnan(m.lower) for m in alone if m.metric.startswith("spmse"))


def test_intervals_of_missing_values_hold_for_all_variables_of_all_tables():
    matrix = np.ones((200, 2))
    matrix[:20] = np.nan
    schema = infer_schema(pd.DataFrame({"a": [1.0, np.nan], "b": [1.0, np.nan]}))
    pair = TablePair(schema, matrix, matrix, 1)
    single, wide = measure_missing(pair), measure_missing(pair, AtOnce(20))
    wider = stats.norm.isf(0.025 / 40) / stats.norm.isf(0.025)
    assert wide[0].upper / single[0].upper == pytest.approx(wider, rel=0.1)
    assert [m.value for m in wide] == [m.value for m in single]


# --- false refusals -------------------------------------------------------------------------------


def draw_stratum(seed: int) -> pd.DataFrame:
    """Binary columns, of which two have holes."""
    rng = np.random.default_rng(seed)
    columns = rng.random((N_ROWS, N_COLUMNS)) < rng.uniform(0.1, 0.9, N_COLUMNS)
    frame = pd.DataFrame(np.where(columns, "yes", "no"), columns=list("abcdefghij"))
    return frame.mask(rng.random(frame.shape) < np.array([0.3, 0.1] + [0.0] * 8))


def measure_stratum(
    real: pd.DataFrame, schema: Schema, name: str, rng: np.random.Generator, n_strata: int
) -> list[Measurement]:
    """Measure the sets of a stratum, which are drawn from its rows: the synthesis is right."""
    found = []
    for number in range(1, N_SETS + 1):
        drawn = real.iloc[rng.integers(N_ROWS, size=N_ROWS)].reset_index(drop=True)
        family = AtOnce(n_strata * N_SETS)
        found += assess_utility(real, drawn, schema, number, at_once=family)
    return [replace(m, stratum=name) for m in found if m.metric in CRITICAL]


def policy() -> Suite:
    """What the default gate says of utility, where it refuses."""
    suite = load_suite(build_spec(people_content(), base=Path()), "expectations/default/gate.json")
    kept = [
        item
        for item in suite["expectations"]
        if item["severity"] == "critical" and item["meta"]["metric"] in CRITICAL
    ]
    assert {item["meta"]["metric"] for item in kept} == set(CRITICAL)
    return {**suite, "expectations": kept}


def release_of_strata(seed: int) -> list[Measurement]:
    rng = np.random.default_rng([seed, 7])
    tables = [draw_stratum(1000 * seed + i) for i in range(N_STRATA)]
    schema = infer_schema(pd.concat(tables))
    return [
        m
        for i, table in enumerate(tables, start=1)
        for m in measure_stratum(table, schema, f"stratum {i}", rng, N_STRATA)
    ]


def is_refused(measurements: list[Measurement]) -> bool:
    whole = [
        metric.measure(1.0 if metric.name.startswith("spmse") else 0.0, set_number=number,
                       interval=(0.0, 0.0))
        for metric in METRICS
        if metric.name in CRITICAL
        for number in range(1, N_SETS + 1)
    ]  # fmt: skip
    return not run_gate(policy(), make_ledger([*whole, *measurements]), N_SETS).passed


def share_refused(repetitions: int) -> tuple[float, float]:
    """Return the share of right syntheses that are refused for a stratum, and its standard error."""
    refused = np.array([is_refused(release_of_strata(seed)) for seed in range(repetitions)])
    # By the rule of succession, which has an error where none was refused.
    share = (refused.sum() + 1) / (repetitions + 2)
    return float(refused.mean()), math.sqrt(share * (1 - share) / (repetitions + 3))


def test_a_right_synthesis_of_twenty_strata_is_not_refused_for_the_worst_of_them():
    repetitions = 4
    share, error = share_refused(repetitions)
    print(f"\nrefused by chance: {share:.3f} (s.e. {error:.3f})")
    assert share <= 1 / repetitions
    # What was refused: a value beyond 10 somewhere is the rule, not the exception.
    values = [
        m.value for m in release_of_strata(0) if m.metric in ("spmse_marginal", "spmse_pair_max")
    ]
    assert max(values) > 10


@pytest.mark.slow
def test_right_syntheses_are_hardly_ever_refused_for_a_stratum():
    share, error = share_refused(100)
    print(f"\nrefused by chance: {share:.4f} (s.e. {error:.4f})")
    assert share - 2 * error < 0.025


@pytest.mark.parametrize("wrong", ["column", "holes"])
def test_a_stratum_with_something_wrong_is_refused(wrong):
    found = [m for m in release_of_strata(3) if m.stratum != "stratum 4"]
    assert not is_refused([*found, *measure_wrongly("nothing")])
    assert is_refused([*found, *measure_wrongly(wrong)])


def measure_wrongly(wrong: str) -> list[Measurement]:
    """Measure a stratum in one column of which a set has other shares, or other holes."""
    real = draw_stratum(3003)
    rng = np.random.default_rng(4)
    schema = infer_schema(pd.concat([real, draw_stratum(3004)]))
    found = measure_stratum(real, schema, "stratum 4", rng, N_STRATA)
    drawn = real.iloc[rng.integers(N_ROWS, size=N_ROWS)].reset_index(drop=True)
    if wrong == "column":
        share = (real["e"] == "yes").mean()
        other = rng.random(N_ROWS) < share + (0.3 if share < 0.5 else -0.3)
        drawn["e"] = np.where(other, "yes", "no")
    if wrong == "holes":
        drawn["a"] = drawn["a"].fillna("no")
    again = assess_utility(real, drawn, schema, 1, at_once=AtOnce(N_STRATA * N_SETS))
    return [m for m in found if m.set_number > 1] + [
        replace(m, stratum="stratum 4") for m in again if m.metric in CRITICAL
    ]
