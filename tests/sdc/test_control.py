import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from synth_tasks.data import infer_schema
from synth_tasks.errors import SpecError
from synth_tasks.sdc import (
    Derivation,
    DropReplicatedUniques,
    MergeRareLevels,
    Round,
    Smooth,
    Step,
    TopBottomCode,
    control,
)


def bmi(frame):
    return frame.assign(bmi=frame["wgt"] / (frame["hgt"] / 100) ** 2)


DERIVED = Derivation(("bmi",), bmi)
STEPS = [
    MergeRareLevels(columns=["reg"], k=80),
    Smooth(columns={"hgt": "spline"}),
    TopBottomCode(columns=["wgt", "hgt"], k=5),
    Round(columns={"wgt": 5}),
    DropReplicatedUniques(keys=["age", "reg"]),
]


@pytest.fixture(scope="module")
def whole(boys):
    return bmi(boys[["age", "hgt", "wgt", "bmi", "gen", "reg"]].dropna().reset_index(drop=True))


@pytest.fixture(scope="module")
def drawn(whole):
    return whole.sample(frac=1, replace=True, random_state=1).reset_index(drop=True)


def run(whole, drawn, steps, **more):
    settings = {"seed": 1, "set_number": 1, "derivation": DERIVED} | more
    return control(whole, drawn, infer_schema(whole), steps, **settings)


def test_derived_variables_are_computed_anew_exactly(whole, drawn):
    found = run(whole, drawn, STEPS)
    pd.testing.assert_series_equal(found.frame["bmi"], bmi(found.frame)["bmi"], check_exact=True)
    assert found.changes[3].cells.keys() == {"wgt", "bmi"}


def test_dtypes_columns_and_untouched_cells_are_kept(whole, drawn):
    found = run(whole, drawn, STEPS[1:4])
    assert (found.frame.dtypes == drawn.dtypes).all()
    assert found.frame.index.equals(drawn.index)
    untouched = ["age", "gen", "reg"]
    pd.testing.assert_frame_equal(found.frame[untouched], drawn[untouched])
    assert found.schema == infer_schema(whole)


def test_only_the_step_that_drops_rows_changes_their_number(whole, drawn):
    found = run(whole, drawn, STEPS)
    assert len(drawn) - len(found.frame) == found.changes[-1].rows_dropped > 0
    assert [c.rows_dropped for c in found.changes[:-1]] == [0, 0, 0, 0]
    assert [c.step for c in found.changes] == [step.step for step in STEPS]


def test_no_steps_change_nothing(whole, drawn):
    found = run(whole, drawn, [], derivation=None)
    pd.testing.assert_frame_equal(found.frame, drawn)
    assert found.changes == ()


def test_equal_seeds_give_equal_sets_and_others_do_not(whole, drawn):
    first, second = run(whole, drawn, STEPS), run(whole, drawn, STEPS)
    pd.testing.assert_frame_equal(first.frame, second.frame)
    other = run(whole, drawn, STEPS[:2], set_number=2).frame["hgt"]
    assert not other.equals(run(whole, drawn, STEPS[:2]).frame["hgt"])


def test_a_derived_variable_is_controlled_by_its_inputs(whole, drawn):
    with pytest.raises(SpecError, match="'bmi' is computed from others: name its inputs"):
        run(whole, drawn, [Round(columns={"bmi": 1})])


def test_inputs_are_not_changed_in_place(whole, drawn):
    copies = whole.copy(), drawn.copy()
    run(whole, drawn, STEPS)
    pd.testing.assert_frame_equal(whole, copies[0])
    pd.testing.assert_frame_equal(drawn, copies[1])


def test_steps_are_read_from_a_specification():
    adapter = TypeAdapter(list[Step])
    read = adapter.validate_python(adapter.dump_python(STEPS, mode="json"))
    assert read == STEPS
    with pytest.raises(ValidationError, match="Extra inputs"):
        adapter.validate_python([{"step": "round", "columns": {"wgt": 5}, "base": 5}])
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        adapter.validate_python([{"step": "shred"}])
