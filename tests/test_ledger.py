import math

import pytest

from synth_tasks.ledger import LEDGER_COLUMNS, Goal, Measurement, Metric, make_ledger

COPIES = Metric("disclosure", "copies", Goal.LOW, 0.0, 1.0, 0.0, "here")


def test_the_order_of_measuring_leaves_no_trace():
    measurements = [
        Measurement("utility", "b", 1.0, set_number=2),
        Measurement("utility", "b", 2.0, set_number=1),
        Measurement("utility", "a", 3.0, target="y"),
        Measurement("disclosure", "z", 4.0, keys="age+hgt"),
    ]
    ledger = make_ledger(measurements)
    assert ledger.equals(make_ledger(reversed(measurements)))
    assert ledger["value"].tolist() == [4.0, 3.0, 2.0, 1.0]
    assert ledger.columns.tolist() == LEDGER_COLUMNS


def test_a_ledger_without_measurements_has_its_columns():
    assert make_ledger([]).columns.tolist() == LEDGER_COLUMNS


def test_a_measurement_carries_the_facts_of_its_metric():
    measured = COPIES.measure(0.5, target="age", set_number=3, interval=(0.4, 0.6), n=7)
    assert measured == Measurement(
        "disclosure",
        "copies",
        0.5,
        target="age",
        set_number=3,
        lower=0.4,
        upper=0.6,
        null=0.0,
        control=measured.control,
        n=7,
    )
    assert math.isnan(measured.control)


def test_the_null_value_may_depend_on_the_data():
    assert COPIES.measure(0.5, null=0.25).null == 0.25


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_no_gate_can_judge_is_refused(value):
    with pytest.raises(ValueError, match="'copies' of 'age' is not a finite number"):
        COPIES.measure(value, target="age")


def test_figures_of_strata_come_after_those_of_the_whole_in_the_order_of_their_numbers():
    names = ["stratum 10", "stratum 2", ""]
    ledger = make_ledger(Measurement("utility", "a", 1.0, stratum=name) for name in names)
    assert ledger.columns.tolist() == ["stratum", *LEDGER_COLUMNS]
    assert ledger["stratum"].tolist() == ["", "stratum 2", "stratum 10"]
