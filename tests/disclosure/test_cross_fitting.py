import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.disclosure.cross_fitting import cross_fit
from synth_tasks.errors import DataError
from synth_tasks.utility.pair import encode_rounded


def copy(train, address):
    return [train]


@pytest.mark.parametrize("n", [4, 7, 748])
def test_every_record_is_used_once_and_left_out_once(boys, n):
    table = boys.head(n)
    cross = cross_fit(table, infer_schema(boys), copy, 1)
    assert cross.in_first.sum() == n // 2
    encoded = encode_rounded(table, cross.schema)
    for (used,), members in zip(cross.sets, cross.trained, strict=True):
        np.testing.assert_array_equal(used, encoded[members])


def test_a_synthesis_sees_its_half_and_its_address_only(boys):
    seen = []

    def synthesise(train, address):
        seen.append((len(train), list(train.index[:2]), address))
        return [train, train.head(10)]

    cross = cross_fit(boys.set_index(boys.index + 1000), infer_schema(boys), synthesise, 1, "check")
    assert seen == [
        (374, [0, 1], ("check", "cross-fit", 1)),
        (374, [0, 1], ("check", "cross-fit", 2)),
    ]
    assert [[len(table) for table in sets] for sets in cross.sets] == [[374, 10], [374, 10]]
    assert [half for half, _ in cross.pairs()] == [0, 0, 1, 1]


def test_halves_follow_from_seed_and_address(boys):
    schema = infer_schema(boys)

    def halves(seed, *address):
        return cross_fit(boys, schema, copy, seed, *address).in_first.tolist()

    assert halves(1, "a") == halves(1, "a")
    assert halves(1, "a") != halves(2, "a")
    assert halves(1, "a") != halves(1, "b")


def test_figures_are_sorted_by_who_was_used(boys):
    cross = cross_fit(boys.head(6), infer_schema(boys), copy, 3)
    own, other = cross.own_and_other([np.full(6, 1.0), np.full(6, 2.0)])
    assert own.tolist() == np.where(cross.in_first, 1, 2).tolist()
    assert other.tolist() == np.where(cross.in_first, 2, 1).tolist()


def test_variables_can_be_selected(boys):
    cross = cross_fit(boys, infer_schema(boys), copy, 1)
    some = cross.select(["reg", "age"])
    assert some.schema.names == ["reg", "age"]
    np.testing.assert_array_equal(some.real, cross.real[:, [8, 0]])
    np.testing.assert_array_equal(some.sets[1][0], cross.sets[1][0][:, [8, 0]])


def test_too_little_is_refused(boys):
    schema = infer_schema(boys)
    with pytest.raises(DataError, match="3 rows are too few"):
        cross_fit(boys.head(3), schema, copy, 1)
    with pytest.raises(DataError, match="at least one set"):
        cross_fit(boys, schema, lambda train, address: [], 1)
    with pytest.raises(DataError, match="at least one set"):
        cross_fit(boys, schema, lambda train, address: [pd.DataFrame(train.head(0))], 1)
