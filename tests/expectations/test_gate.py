import os

import numpy as np
import pandas as pd
import pytest

from expectations.gate import check_gate, refuse_failures, run_gate
from expectations.suites import load_suite
from synth_tasks.errors import GateError, SpecError
from synth_tasks.ledger import Measurement, make_ledger
from tests.release.builders import gate_item, people_spec

LINKAGE = gate_item("self_linkage", "lower", max_value=0.005)
UTILITY = gate_item("spmse_marginal", max_value=10)


def gate(*items: dict) -> dict:
    return {"name": "gate", "expectations": list(items)}


def measure(metric: str, values: list[float], **more) -> list[Measurement]:
    return [
        Measurement("utility", metric, v, set_number=i, **more)
        for i, v in enumerate(values, start=1)
    ]


LEDGER = make_ledger(
    [
        *(
            Measurement("disclosure", "self_linkage", 0.01, set_number=i, lower=0.001)
            for i in (1, 2)
        ),
        Measurement("disclosure", "self_linkage_average", 0.02, lower=0.002),
        *measure("spmse_marginal", [1.5, 2.5], target="hgt"),
        *measure("spmse_marginal", [7.125, 8.0], target="wgt"),
    ]
)


def judge(*items: dict, ledger: pd.DataFrame = LEDGER, n_sets: int = 2):
    return run_gate(gate(*items), ledger, n_sets)


# --- verdicts -------------------------------------------------------------------------------------


def test_a_ledger_within_bounds_passes_and_shows_its_range():
    result = judge(LINKAGE, UTILITY, gate_item("self_linkage_average", max_value=0.1))
    refuse_failures(result)
    assert result.passed
    assert [c.detail for c in result.checks] == [
        "self_linkage: lower 0.001 (allowed ≤ 0.005)",
        "spmse_marginal: value 1.5 to 8 (allowed ≤ 10)",
        "self_linkage_average: value 0.02 (allowed ≤ 0.1)",
    ]


def test_a_failure_shows_the_worst_rows_and_the_bounds():
    result = judge(gate_item("spmse_marginal", min_value=2, max_value=2.25))
    (check,) = result.checks
    assert check.detail == (
        "spmse_marginal wgt set 2: value 8, spmse_marginal wgt set 1: value 7.1, "
        "spmse_marginal hgt set 1: value 1.5 and 1 more (allowed ≥ 2 and ≤ 2.25)"
    )
    with pytest.raises(GateError) as caught:
        refuse_failures(result)
    message = str(caught.value)
    assert message.startswith("the gate refuses the release: 1 critical check(s) failed: ")
    assert check.detail in message
    assert "\n" not in message


def test_a_failure_about_all_sets_says_so():
    (check,) = judge(gate_item("self_linkage_average", max_value=0.01)).checks
    assert check.detail == "self_linkage_average all sets: value 0.02 (allowed ≤ 0.01)"


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_warning_does_not_refuse(severity):
    result = judge({**gate_item("spmse_marginal", max_value=2), "severity": severity})
    assert not result.checks[0].success
    assert result.passed
    refuse_failures(result)


def test_a_condition_on_the_target_selects_its_rows():
    item = gate_item("spmse_marginal", max_value=3)
    item["kwargs"]["row_condition"] = 'metric == "spmse_marginal" and target == "hgt"'
    assert judge(item).passed
    item["kwargs"]["row_condition"] = 'metric == "spmse_marginal" and target == "wgt"'
    assert not judge(item).passed


# --- what would pass in silence -------------------------------------------------------------------


def test_a_metric_that_was_not_measured_is_an_error():
    with pytest.raises(
        GateError, match="judges 'repU', which was measured for 0 of 2 sets: correct"
    ):
        judge(gate_item("repU", max_value=5))


def test_a_metric_that_was_measured_for_some_sets_only_is_an_error():
    with pytest.raises(GateError, match="'self_linkage', which was measured for 2 of 3 sets"):
        judge(LINKAGE, n_sets=3)


def test_a_target_that_does_not_exist_is_an_error():
    item = gate_item("spmse_marginal", max_value=3)
    item["kwargs"]["row_condition"] += ' and target == "age"'
    with pytest.raises(GateError, match="measured for 0 of 2 sets"):
        judge(item)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_figure_that_is_not_finite_is_an_error(value):
    ledger = LEDGER.assign(value=[*LEDGER["value"][:-1], value])
    with pytest.raises(GateError, match="'value' of 'spmse_marginal', which is not finite"):
        judge(UTILITY, ledger=ledger)


def test_a_bound_of_an_interval_that_was_not_measured_is_an_error():
    with pytest.raises(GateError, match="judges 'upper' of 'self_linkage', which is not finite"):
        judge(gate_item("self_linkage", "upper", max_value=0.005))


def test_an_empty_ledger_passes_nothing():
    with pytest.raises(GateError, match="measured for 0 of 2 sets"):
        judge(LINKAGE, ledger=make_ledger([]))


# --- policies that cannot be trusted --------------------------------------------------------------


def with_condition(condition: object) -> dict:
    item = gate_item("self_linkage", max_value=1)
    item["kwargs"]["row_condition"] = condition
    return item


@pytest.mark.parametrize(
    "condition",
    [
        None,
        "",
        "value > 0",
        'metric == "other"',
        "metric == 'self_linkage'",
        'metric == "self_linkage" or value > 0',
        'metric == "self_linkage" and value < 0.001',
        'metric == "self_linkage" and set == 1',
        'metric == "self_linkage"\n',
        'metric == "self_linkage" and target == "\n"',
        '@__import__("os").mkdir("run")',
        'metric == "self_linkage" and @__import__("os").mkdir("run")',
        'metric == "self_linkage" and target == @pd.io.common.os.mkdir("run")',
        'metric == "self_linkage" and target == "\\" and keys == " or @pd.io.common.os.mkdir("run")"',
        'metric == "self_linkage" and target == "\\" and keys == " | @pd.os.mkdir(\'run\') #"',
        ["metric"],
    ],
)
def test_a_condition_of_another_form_is_refused_and_never_run(tmp_path, monkeypatch, condition):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match="row_condition"):
        judge(with_condition(condition))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("meta", [None, {}, {"metric": ""}, {"source": "policy"}])
def test_an_expectation_without_its_metric_is_refused(meta):
    with pytest.raises(SpecError, match=r"expectation 1 of 'gate.json' lacks meta.metric"):
        check_gate(gate({**LINKAGE, "meta": meta}), "gate.json")


def test_an_expectation_on_a_column_that_the_ledger_lacks_is_refused():
    with pytest.raises(
        SpecError, match="judges no column of the ledger: use one of family, metric"
    ):
        check_gate(gate(gate_item("self_linkage", "score", max_value=1)), "gate.json")


@pytest.mark.parametrize("data_set", ["boys", "default"])
def test_the_shipped_gates_are_well_formed(tmp_path, data_set):
    path = f"expectations/{data_set}/gate.json"
    policy = load_suite(people_spec(tmp_path), path)
    check_gate(policy, path)
    judged = {e["meta"]["metric"] for e in policy["expectations"]}
    assert {
        "self_linkage_excess",
        "unique_exact_match",
        "spmse_marginal",
        "spmse_pair_max",
    } <= judged
    assert all(e["meta"]["source"] for e in policy["expectations"])


# --- strata ---------------------------------------------------------------------------------------


def parted(values: dict[str, float], metric: str = "spmse_marginal", by_chance: float = 0.0):
    """Figures of the whole and of strata; in strata chance may have added something."""
    return [
        Measurement("utility", metric, value, set_number=1, stratum=name, lower=value - by_chance)
        for name, value in values.items()
    ]


def test_the_worst_stratum_can_refuse_what_the_whole_would_pass():
    ledger = make_ledger(parted({"": 2.0, "stratum 1": 3.0, "stratum 2": 12.0}))
    (check,) = judge(UTILITY, ledger=ledger, n_sets=1).checks
    assert not check.success
    assert check.detail == (
        "spmse_marginal: value 2 (allowed ≤ 10); "
        "worst stratum 2: spmse_marginal set 1: lower 12 (allowed ≤ 10)"
    )


def test_whole_and_strata_within_bounds_pass_and_the_nearest_is_named():
    ledger = make_ledger(parted({"": 2.0, "stratum 1": 9.0, "stratum 2": 1.0}))
    (check,) = judge(UTILITY, ledger=ledger, n_sets=1).checks
    assert check.success
    assert "worst stratum 1: spmse_marginal: lower 9" in check.detail


def test_a_mean_is_taken_within_each_stratum():
    item = UTILITY | {"type": "expect_column_mean_to_be_between"}
    ledger = make_ledger(parted({"": 2.0, "stratum 1": 1.0, "stratum 2": 12.0, "stratum 3": 1.0}))
    (check,) = judge(item, ledger=ledger, n_sets=1).checks
    assert not check.success
    assert "worst stratum 2: spmse_marginal: mean lower 12 (allowed ≤ 10)" in check.detail


def test_a_stratum_is_not_refused_for_what_chance_adds_but_the_whole_is():
    strata = {"stratum 1": 14.0, "stratum 2": 1.0}
    (check,) = judge(
        UTILITY, ledger=make_ledger(parted({"": 2.0, **strata}, by_chance=8)), n_sets=1
    ).checks
    assert check.success
    assert "worst stratum 1: spmse_marginal: lower 6 (allowed ≤ 10)" in check.detail
    ledger = make_ledger(parted({"": 14.0, **strata}, by_chance=8))
    assert not judge(UTILITY, ledger=ledger, n_sets=1).passed


def test_a_value_that_is_too_small_in_a_stratum_is_judged_as_it_is():
    both = gate_item("spmse_pair_median", min_value=0.8, max_value=3)
    figures = {"": 1.0, "stratum 1": 4.0, "stratum 2": 0.5}
    ledger = make_ledger(parted(figures, "spmse_pair_median", by_chance=2))
    (check,) = judge(both, ledger=ledger, n_sets=1).checks
    assert not check.success
    assert "worst stratum 2: spmse_pair_median set 1: value 0.5 (allowed ≥ 0.8)" in check.detail
    assert "worst stratum 1: spmse_pair_median: lower 2 (allowed ≤ 3)" in check.detail


def test_a_metric_without_allowance_is_judged_by_what_the_policy_names():
    item = gate_item("self_linkage", max_value=0.005)
    ledger = make_ledger(parted({"": 0.0, "stratum 1": 0.01}, "self_linkage", by_chance=0.01))
    assert not judge(item, ledger=ledger, n_sets=1).passed


def test_a_stratum_of_which_chance_is_not_known_is_an_error():
    rows = [Measurement("utility", "spmse_marginal", 1.0, set_number=1, stratum="stratum 1")]
    with pytest.raises(GateError, match="judges 'lower' of 'spmse_marginal', which is not finite"):
        judge(UTILITY, ledger=make_ledger([*parted({"": 1.0}), *rows]), n_sets=1)


def test_a_metric_may_be_measured_of_the_whole_alone():
    ledger = make_ledger([*parted({"": 2.0}), *parted({"stratum 1": 1.0}, "other")])
    assert judge(UTILITY, ledger=ledger, n_sets=1).passed


def test_a_metric_that_one_stratum_lacks_is_an_error():
    rows = [*parted({"stratum 1": 2.0}), *parted({"stratum 1": 1.0, "stratum 2": 1.0}, "other")]
    with pytest.raises(GateError, match=r"not measured for 1 strata \(stratum 2\)"):
        judge(UTILITY, ledger=make_ledger(rows), n_sets=1)


def test_a_stratum_in_which_a_set_was_not_measured_is_an_error():
    rows = [*parted({"": 2.0, "stratum 1": 2.0}), *measure("spmse_marginal", [1.0, 1.0])]
    with pytest.raises(GateError, match="measured for 1 of 2 sets"):
        judge(UTILITY, ledger=make_ledger(rows), n_sets=2)
