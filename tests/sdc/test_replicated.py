import numpy as np
import pandas as pd
import pytest

from synth_tasks import learn_synthesizer
from synth_tasks.data import encode, infer_schema
from synth_tasks.errors import SpecError
from synth_tasks.sdc import DropReplicatedUniques, RedrawReplicatedUniques, Round, control
from synth_tasks.sdc.replicated import find_replicated

REAL = pd.DataFrame({"a": [1, 1, 2, 3, 4], "b": list("xxyzz"), "c": np.arange(5) / 10})
DRAWN = pd.DataFrame({"a": [2, 1, 3, 3, 9], "b": list("yxzzy"), "c": np.arange(5) / 5})
SCHEMA = infer_schema(pd.concat([REAL, DRAWN]))
KEYS = ["a", "b"]
DROP = DropReplicatedUniques(keys=KEYS)


def run(steps, real=REAL, drawn=DRAWN, schema=SCHEMA, **more):
    return control(real, drawn, schema, steps, seed=1, set_number=1, **more)


def count_replicated(real, frame, schema, keys):
    return find_replicated(encode(real, schema), encode(frame, schema), schema, keys).sum()


def test_only_uniques_of_both_tables_are_replicated():
    """(2, y) is; (1, x) is not unique among real rows, nor (3, z) among synthetic ones."""
    found = find_replicated(encode(REAL, SCHEMA), encode(DRAWN, SCHEMA), SCHEMA, KEYS)
    assert found.tolist() == [True, False, False, False, False]


def test_an_intruder_who_knows_numbers_roughly_compares_groups():
    real, drawn = pd.DataFrame({"x": [1.0, 2.0, 9.0]}), pd.DataFrame({"x": [0.5, 1.5, 8.0]})
    schema = infer_schema(pd.concat([real, drawn]))
    tables = encode(real, schema), encode(drawn, schema), schema, ["x"]
    assert not find_replicated(*tables).any()
    # At the median of the real values, 2, they are cut into 1 | 2, 9 and 0.5, 1.5 | 8.
    assert find_replicated(*tables, groups=2).tolist() == [False, False, False]
    # In three groups, each real value is alone, and 8 with 9.
    assert find_replicated(*tables, groups=3).tolist() == [False, False, True]


def test_noise_below_the_decimals_hides_no_copy():
    real, drawn = pd.DataFrame({"x": [0.3, 1.5]}), pd.DataFrame({"x": [0.1 + 0.2, 1.2]})
    schema = infer_schema(real)
    found = find_replicated(encode(real, schema), encode(drawn, schema), schema, ["x"])
    assert found.tolist() == [True, False]


def test_replicated_uniques_are_dropped_and_leave_no_gap():
    found = run([DROP])
    pd.testing.assert_frame_equal(found.frame, DRAWN.iloc[1:].reset_index(drop=True))
    assert found.changes[0].rows_dropped == 1
    assert found.changes[0].cells == {}


def test_tables_are_compared_as_they_would_be_published():
    """Rounded to multiples of 5, a is 0, 0, 0, 5, 5 and 0, 0, 5, 5, 10: nothing changes for (2, y)."""
    found = run([Round(columns={"a": 5}), DROP])
    assert found.changes[1].rows_dropped == 1
    # Rounded to multiples of 100 all are equal in a; y is unique in the real table only.
    assert run([Round(columns={"a": 100}), DROP]).changes[1].rows_dropped == 0


def redraw_from(rows):
    def redraw(n, rng):
        return rows.iloc[rng.integers(len(rows), size=n)].reset_index(drop=True)

    return redraw


def test_replicated_uniques_are_drawn_anew_in_their_place():
    step = RedrawReplicatedUniques(keys=KEYS)
    found = run([step], redraw=redraw_from(DRAWN.iloc[[1]].assign(c=0.7)))
    assert found.frame.iloc[0].tolist() == [1, "x", 0.7]
    pd.testing.assert_frame_equal(found.frame.iloc[1:], DRAWN.iloc[1:])
    (changes,) = found.changes
    assert (changes.rows_redrawn, changes.rows_left, changes.rows_dropped) == (1, 0, 0)
    assert changes.cells == {"a": 1, "b": 1, "c": 1}


def test_what_stays_replicated_is_reported_and_can_be_dropped():
    step = RedrawReplicatedUniques(keys=KEYS, tries=3)
    found = run([step, DROP], redraw=redraw_from(REAL.iloc[[2]]))
    assert found.changes[0].rows_left == found.changes[1].rows_dropped == 1
    assert len(found.frame) == len(DRAWN) - 1


def test_new_rows_go_through_the_steps_before():
    steps = [Round(columns={"c": 0.5}), RedrawReplicatedUniques(keys=KEYS)]
    found = run(steps, redraw=redraw_from(DRAWN.iloc[[1]].assign(c=0.7)))
    assert found.frame["c"].iloc[0] == 0.5


def test_a_synthesizer_draws_rows_that_single_nobody_out(boys):
    real = boys[["age", "reg", "gen"]].dropna().reset_index(drop=True).round({"age": 0})
    synthesizer = learn_synthesizer(real)
    drawn, schema = synthesizer.draw_table(seed=1), synthesizer.plan.schema

    def redraw(n, rng):
        return synthesizer.draw_table(seed=int(rng.integers(2**62))).head(n)

    keys = ["age", "reg"]
    before = count_replicated(real, drawn, schema, keys)
    found = run([RedrawReplicatedUniques(keys=keys)], real, drawn, schema, redraw=redraw)
    assert before > 0
    assert count_replicated(real, found.frame, schema, keys) == found.changes[0].rows_left == 0
    assert found.changes[0].rows_redrawn >= before
    again = run([RedrawReplicatedUniques(keys=keys)], real, drawn, schema, redraw=redraw)
    pd.testing.assert_frame_equal(found.frame, again.frame)


def test_what_cannot_be_drawn_anew_is_refused():
    step = RedrawReplicatedUniques(keys=KEYS)
    with pytest.raises(SpecError, match="use drop_replicated_uniques"):
        run([step])
    with pytest.raises(SpecError, match="1 rows were asked for and 2 drawn"):
        run([step], redraw=lambda n, rng: DRAWN.iloc[:2])
    with pytest.raises(SpecError, match="unknown column 'nobody'"):
        run([DropReplicatedUniques(keys=["nobody"])])


def test_rows_that_are_left_say_which_they_are():
    real = pd.DataFrame({"a": [1.0, 2, 3, 3], "b": [0.0, 1, 0, 0]})
    drawn = pd.DataFrame({"a": [5.0, 2, 5, 1], "b": [9.0, 1, 9, 0]})
    found = control(
        real,
        drawn,
        infer_schema(real),
        [DropReplicatedUniques(keys=["a", "b"])],
        seed=1,
        set_number=1,
    )
    assert found.kept.tolist() == [0, 2]
    assert found.frame["a"].tolist() == [5, 5]
