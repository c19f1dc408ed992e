"""Digests of pieces describe a table as the whole table does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_tasks.data import Kind, VariableOverride, digests, infer_schema
from synth_tasks.data.digests import digest_column, digest_table
from synth_tasks.errors import DataError
from tests.frames import frames


def digest_in_pieces(frame: pd.DataFrame, size: int, labelled: tuple[str, ...] = ()):
    pieces = [digest_table(frame[i : i + size], labelled) for i in range(0, len(frame), size)]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = whole.merge(piece)
    return whole


@given(frames(max_rows=12, max_columns=5), st.integers(1, 12))
def test_pieces_have_the_schema_of_the_whole(frame, size):
    assert digest_in_pieces(frame, size).infer_schema() == infer_schema(frame)


@given(frames(max_rows=12, max_columns=4), st.integers(1, 12))
def test_counts_add_up(frame, size):
    digest = digest_in_pieces(frame, size)
    assert digest.n_rows == len(frame)
    missing = {name: column.n_missing for name, column in digest.columns.items()}
    assert missing == frame.isna().sum().to_dict()


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 2.5],
        [0.125, 3.0, 1e6],
        [1.0, 2.0, 3.0],
        [0.1, 1 / 3],
        [0.12345678901, 1.0],
        [1e300, 0.5],
    ],
)
def test_decimals_are_those_of_the_finest_value_wherever_it_is(values):
    frame = pd.DataFrame({"x": np.resize([1.0, 2.0], 300)})
    frame.loc[[5, 170, 299][: len(values)], "x"] = values
    assert digest_in_pieces(frame, 40).infer_schema() == infer_schema(frame)


def test_a_text_with_many_values_is_no_category_however_it_is_read():
    many = pd.DataFrame({"name": [f"person {i}" for i in range(6000)]})
    with pytest.raises(DataError, match="free text or identifiers"):
        digest_in_pieces(many, 500).infer_schema()
    few = pd.DataFrame({"place": [f"place {i % 900}" for i in range(9000)]})
    assert digest_in_pieces(few, 500).infer_schema() == infer_schema(few)
    rare = pd.DataFrame({"place": [f"place {i % 30}" if i < 90 else None for i in range(9000)]})
    with pytest.raises(DataError, match="free text or identifiers"):
        digest_in_pieces(rare, 500).infer_schema()
    with pytest.raises(DataError, match="free text or identifiers"):
        infer_schema(rare)


def test_numbers_that_are_declared_categories_keep_all_of_them():
    frame = pd.DataFrame({"code": [3, 1, 2, 9] * 20})
    overrides = {"code": VariableOverride(kind=Kind.NOMINAL)}
    digest = digest_in_pieces(frame, 7, labelled=("code",))
    assert digest.infer_schema(overrides) == infer_schema(frame, overrides)
    assert digest.columns["code"].labels[9] == 20


def test_whole_numbers_are_kept_once_each_however_they_are_stored():
    frame = pd.DataFrame({"id": range(100), "age": [*range(99), 4], "wgt": np.arange(100) / 2})
    columns = digest_in_pieces(frame, 30).columns
    assert columns["id"].distinct.tolist() == list(range(100))
    assert not columns["id"].repeated
    assert columns["age"].distinct.tolist() == list(range(99))
    assert columns["age"].repeated
    assert columns["wgt"].distinct is None
    stored = digest_in_pieces(frame.astype(float), 30).columns["id"]
    assert stored.distinct.tolist() == list(range(100))
    holes = digest_in_pieces(frame.astype(float).where(frame > 1), 30).columns["age"]
    assert holes.distinct.tolist() == list(range(2, 99))


def test_whole_numbers_are_kept_no_more_once_there_are_enough_of_them(monkeypatch):
    monkeypatch.setattr(digests, "MOST_DISTINCT", 60)
    shuffled = np.random.default_rng(1).permutation(100)
    frame = pd.DataFrame({"id": [*shuffled, shuffled[0]], "pairs": [*range(99), 98, 98]})
    columns = digest_in_pieces(frame, 25).columns
    assert len(columns["id"].distinct) == 60
    assert not columns["id"].repeated  # that far apart it is not seen
    assert columns["pairs"].repeated
    assert digest_in_pieces(frame[::-1], 25).columns["pairs"].repeated
    early = pd.DataFrame({"id": [shuffled[0], *shuffled]})
    assert digest_in_pieces(early, 25).columns["id"].repeated


def test_a_column_of_two_types_is_refused():
    one = digest_column(pd.Series([1, 2], name="x"))
    other = digest_column(pd.Series(["a", "b"], name="x"))
    with pytest.raises(DataError, match="column 'x' holds int64 in some rows and str in others"):
        one.merge(other)


def test_a_piece_without_a_value_has_no_say_in_the_type():
    empty = digest_column(pd.Series([None, None], name="x", dtype=object))
    whole = digest_column(pd.Series([1.5, 2.5], name="x"))
    for merged in (empty.merge(whole), whole.merge(empty)):
        assert (str(merged.dtype), merged.n_missing) == ("float64", 2)
