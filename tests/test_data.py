"""Variables, the schema of a table, and its numeric encoding."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

from synth_tasks.data import (
    Kind,
    Schema,
    Variable,
    VariableOverride,
    check_names,
    check_table,
    check_varying,
    decode,
    encode,
    encode_column,
    infer_schema,
)
from synth_tasks.errors import DataError
from tests.frames import frames, parted_frames

SECRET = "Jane Doe, 17 Elm Street"  # noqa: S105  (a cell, no password)
SECRET_NUMBER = 987654.321


def one(values: object, dtype: str | None = None) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def times(*texts: str | None, unit: str = "us") -> pd.Series:
    return pd.Series(np.array([text or "NaT" for text in texts], dtype=f"datetime64[{unit}]"))


def there_and_back(frame: pd.DataFrame, **overrides: VariableOverride) -> pd.DataFrame:
    schema = infer_schema(frame, overrides)
    return decode(encode(frame, schema), schema, frame.index)


def describe(values: object, dtype: str | None = None, **override: object) -> Variable:
    return infer_schema(one(values, dtype), {"x": VariableOverride(**override)})["x"]


def refusal(frame: pd.DataFrame, **override: object) -> str:
    overrides = {"x": VariableOverride(**override)} if override else {}
    with pytest.raises(DataError) as caught:
        infer_schema(frame, overrides)
    message = str(caught.value)
    assert SECRET not in message
    assert str(SECRET_NUMBER) not in message
    assert "\n" not in message
    return message


# --- there and back -------------------------------------------------------------------------------

COLUMNS = {
    "float64": (one([1.5, np.nan, -2.25]), Kind.NUMERIC),
    "float32": (one([0.1, np.nan, 3.3], "float32"), Kind.NUMERIC),
    "float16": (one([0.5, np.nan, 3.25], "float16"), Kind.NUMERIC),
    "Float64 with NA": (one([1.5, None], "Float64"), Kind.NUMERIC),
    "int64": (one([1, 2**53, -(2**53)]), Kind.INTEGER),
    "int32": (one([1, -(2**31), 2**31 - 1], "int32"), Kind.INTEGER),
    "uint8": (one([0, 255], "uint8"), Kind.INTEGER),
    "Int64": (one([1, 2], "Int64"), Kind.INTEGER),
    "Int64 with NA": (one([1, None, 2**53], "Int64"), Kind.INTEGER),
    "UInt8 with NA": (one([0, None, 255], "UInt8"), Kind.INTEGER),
    "bool": (one([True, False]), Kind.BOOLEAN),
    "boolean with NA": (one([True, None, False], "boolean"), Kind.BOOLEAN),
    "str": (one(["b", None, "a", "c"], "str"), Kind.NOMINAL),
    "object text": (one(["b", None, "a"], "object"), Kind.BINARY),
    "string": (one(["b", None, "a"], "string"), Kind.BINARY),
    "string[pyarrow]": (one(["b", None, "a"], "string[pyarrow]"), Kind.BINARY),
    "category of str": (one(["b", None, "a", "c"], "category"), Kind.NOMINAL),
    "category of int": (one([3, None, 1, 2], "category"), Kind.NOMINAL),
    "category of float": (one([0.5, None, 1.5, 2.5], "category"), Kind.NOMINAL),
    "category of bool": (one([True, False], "category"), Kind.BINARY),
    "category of one": (one(["only", "only"], "category"), Kind.NOMINAL),
    "ordered": (
        one(pd.Categorical(["b", None, "a"], ["c", "b", "a"], ordered=True)),
        Kind.ORDINAL,
    ),
    "ordered of two": (one(pd.Categorical(["b", "a"], ["b", "a"], ordered=True)), Kind.BINARY),
    "datetime64[ns]": (one(times("2020-02-29", None, unit="ns")), Kind.DATETIME),
    "datetime64[us]": (one(times("2020-02-29T10:00:00.123456", None)), Kind.DATETIME),
    "datetime64[ms]": (one(times("2020-02-29T10:00:00.123", None, unit="ms")), Kind.DATETIME),
    "datetime64[s]": (one(times("2020-02-29T10:00:01", "1969-12-31", unit="s")), Kind.DATETIME),
    "beyond nanoseconds": (one(times("9999-12-31", "1500-01-01", unit="s")), Kind.DATETIME),
    "tz-aware": (
        one(times("2020-02-29T10:00", "2020-07-01", None).dt.tz_localize("Europe/Amsterdam")),
        Kind.DATETIME,
    ),
    "fixed offset": (one(times("2020-02-29", None).dt.tz_localize("+01:00")), Kind.DATETIME),
    "int64[pyarrow] with NA": (one([1, None, 3], "int64[pyarrow]"), Kind.INTEGER),
    "double[pyarrow]": (one([1.5, None], "double[pyarrow]"), Kind.NUMERIC),
    "bool[pyarrow]": (one([True, None, False], "bool[pyarrow]"), Kind.BOOLEAN),
    "timestamp[us][pyarrow]": (
        one(times("2020-02-29", None).astype("timestamp[us][pyarrow]")),
        Kind.DATETIME,
    ),
    "timestamp[us, tz=UTC][pyarrow]": (
        one(times("2020-02-29").dt.tz_localize("UTC").astype(pd.ArrowDtype(pa.timestamp("us", "UTC")))),
        Kind.DATETIME,
    ),
    "date32[pyarrow]": (
        one(times("2020-02-29", None).astype(pd.ArrowDtype(pa.date32()))),
        Kind.DATETIME,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_every_dtype_survives_the_encoding(name: str) -> None:
    frame, kind = COLUMNS[name]
    assert infer_schema(frame)["x"].kind is kind
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


@settings(max_examples=150, deadline=None)
@given(frames())
def test_any_table_survives_the_encoding(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


@settings(max_examples=50, deadline=None)
@given(frames())
def test_any_schema_survives_json(frame: pd.DataFrame) -> None:
    schema = infer_schema(frame)
    assert Schema.from_dict(schema.to_dict()) == schema


def test_row_labels_survive() -> None:
    frame = one([1.5, 2.5]).set_index(pd.Index(["first", "second"], name="id"))
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


def test_columns_are_found_by_name_and_returned_in_schema_order() -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5], "b": ["u", "v"]})
    schema = infer_schema(frame)
    matrix = encode(frame[["b", "a"]].assign(extra=0), schema)
    np.testing.assert_array_equal(matrix, [[1.5, 0.0], [2.5, 1.0]])
    assert matrix.flags.f_contiguous


def test_categories_are_their_positions_and_missing_values_nan() -> None:
    frame, _ = COLUMNS["ordered"]
    np.testing.assert_array_equal(encode(frame, infer_schema(frame))[:, 0], [1.0, np.nan, 2.0])


def test_datetimes_are_steps_since_1970() -> None:
    frame = one(times("1970-01-03", "1969-12-31"))
    assert infer_schema(frame)["x"].time_step == 86_400_000_000
    np.testing.assert_array_equal(encode(frame, infer_schema(frame))[:, 0], [2.0, -1.0])


def test_numbers_declared_nominal_keep_their_dtype() -> None:
    frame = one([3, None, 1], "Int64")
    back = there_and_back(frame, x=VariableOverride(kind=Kind.NOMINAL))
    pd.testing.assert_frame_equal(back, frame)


def test_computed_integers_stay_within_their_dtype() -> None:
    frame = one([0, 255], "uint8")
    back = decode(np.array([[-3.0], [300.0], [7.4]]), infer_schema(frame))
    assert back["x"].tolist() == [0, 255, 7]
    assert back["x"].dtype == np.uint8


@pytest.mark.parametrize(
    ("frame", "dtype"),
    [
        (one([1, 2]), "Int64"),
        (one([1, 2], "uint8"), "UInt8"),
        (one([True, False]), "boolean"),
        (one([1, 2], "int64[pyarrow]"), "int64[pyarrow]"),
    ],
)
def test_a_hole_needs_a_dtype_that_can_hold_it(frame: pd.DataFrame, dtype: str) -> None:
    back = decode(np.array([[1.0], [np.nan]]), infer_schema(frame))
    assert str(back["x"].dtype) == dtype
    assert back["x"].isna().tolist() == [False, True]


# --- what inference finds -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype", "decimals"),
    [
        ([1.5] * 200 + [1.25], None, 2),
        ([1.0, 2.0], None, 0),
        ([1.5, 2.0], None, 1),
        ([0.035, 12.25], None, 3),
        ([1e-10, 1.0], None, 10),
        ([1 / 3, 1.0], None, None),
        ([0.1, 0.25], "float32", 2),
        ([0.1, 0.25], "Float32", 2),
        ([0.1, np.nan], None, 1),
        ([1e15 + 0.5, 0.25], None, 2),
    ],
)
def test_decimals_are_counted(values: list[float], dtype: str | None, decimals: int | None) -> None:
    assert describe(values, dtype).decimals == decimals


def test_rounding_goes_to_the_resolution_of_the_variable() -> None:
    drawn = np.array([1.26, 2.5])
    assert describe([0.5, 1.0]).round(drawn).tolist() == [1.3, 2.5]
    assert describe([1, 2]).round(drawn).tolist() == [1.0, 2.0]
    assert describe(times("2020-01-01", "2020-01-02")).round(drawn).tolist() == [1.0, 2.0]
    assert describe([1 / 3, 1.0]).round(drawn).tolist() == drawn.tolist()
    assert describe(["a", "b"]).round(drawn).tolist() == drawn.tolist()


@pytest.mark.parametrize(
    ("texts", "step"),
    [
        (["2020-01-01", "2020-01-02"], 86_400_000_000),
        (["2020-01-01", "2020-01-02T00:00:01"], 1_000_000),
        (["2020-01-01", "2020-01-02T00:00:00.5"], 1),
    ],
)
def test_the_resolution_of_times_is_found(texts: list[str], step: int) -> None:
    assert describe(times(*texts)).time_step == step


def test_few_texts_are_categories_and_many_are_not() -> None:
    assert describe([f"c{i % 20}" for i in range(40)]).kind is Kind.NOMINAL
    assert describe([f"c{i % 200}" for i in range(1000)]).kind is Kind.NOMINAL
    assert "free text" in refusal(one([f"c{i % 201}" for i in range(1000)]))
    assert "free text" in refusal(one([f"c{i % 1001}" for i in range(9000)]))


def test_an_override_wins() -> None:
    assert describe([1, 2, 3], kind=Kind.ORDINAL).categories == (1, 2, 3)
    assert describe([1, 2, 3], kind=Kind.NUMERIC).kind is Kind.NUMERIC
    assert describe(["a", "b"], categories=("b", "a", "c")).categories == ("b", "a", "c")
    assert describe(["a", "b"], categories=("b", "a", "c")).kind is Kind.NOMINAL
    assert describe(["a", "a"], categories=("b", "a")).kind is Kind.BINARY
    assert describe([1.25, 2.5], decimals=1).decimals == 1
    assert describe([0, 1, None], "Int64", kind=Kind.BOOLEAN).categories == (False, True)


def test_a_schema_finds_its_variables() -> None:
    schema = infer_schema(pd.DataFrame({"a": [1.5], "b": ["u"]}))
    assert schema.names == ["a", "b"]
    assert len(schema) == 2
    assert "a" in schema
    assert "c" not in schema
    assert schema.position("b") == 1
    with pytest.raises(DataError, match="unknown column 'c': the data have a, b"):
        schema["c"]


# --- refusals -------------------------------------------------------------------------------------


def test_an_empty_table_is_refused() -> None:
    assert refusal(pd.DataFrame({"x": []})) == (
        "the table is empty (0 rows, 1 columns): check the source"
    )
    with pytest.raises(DataError, match=re.escape("(2 rows, 0 columns)")):
        check_table(pd.DataFrame(index=[0, 1]))


def test_names_must_be_texts_used_once() -> None:
    with pytest.raises(DataError, match="column name 'a' occurs more than once"):
        check_names(["a", "b", "a"])
    for nameless in (["a", 7], ["a", " "], ["a", ""]):
        with pytest.raises(DataError, match="column 2 has no name in text"):
            check_names(nameless)


def test_a_column_without_values_is_refused() -> None:
    assert "column 'x' has no observed value: drop it" in refusal(one([None, None], "float64"))


def test_a_constant_column_is_refused_where_it_must_vary() -> None:
    check_varying(one([1.0, 2.0, None]))
    with pytest.raises(DataError, match="column 'x' is constant: drop it") as caught:
        check_varying(one([SECRET, None, SECRET]))
    assert SECRET not in str(caught.value)


def test_an_override_of_an_unknown_column_is_refused() -> None:
    with pytest.raises(DataError, match="unknown column 'y' in variables: the data have x"):
        infer_schema(one([1.0]), {"y": VariableOverride()})


def test_a_value_outside_the_declared_categories_is_refused() -> None:
    message = refusal(one([SECRET, "a", SECRET]), categories=("a", "b"))
    assert message.startswith("column 'x' has 2 value(s) outside its declared categories")
    schema = infer_schema(one(["a", "b"]))
    with pytest.raises(DataError, match=re.escape("1 value(s) outside its categories")) as caught:
        encode(one(["a", SECRET]), schema)
    assert SECRET not in str(caught.value)


def test_categories_are_named_once_and_are_texts_or_numbers() -> None:
    assert "names a category twice" in refusal(one(["a"]), categories=("a", "a"))
    intervals = one(pd.cut([1.0, 2.0, 3.0], 3))
    assert "categories that are not text or numbers" in refusal(intervals)
    assert "not text or numbers" in refusal(one(times("2020-01-01")), kind=Kind.NOMINAL)


def test_two_categories_means_two() -> None:
    message = refusal(one(["a", "b", "c"]), kind=Kind.BINARY)
    assert "is declared binary but has 3 categories" in message


def test_free_text_is_refused() -> None:
    message = refusal(one([f"{SECRET} {i}" for i in range(100)]))
    assert "column 'x' holds free text or identifiers" in message
    assert "variables.x.kind: nominal" in message
    assert "holds free text" in refusal(one([SECRET, "b"]), kind=Kind.STRING)


def test_infinite_numbers_are_refused() -> None:
    message = refusal(one([SECRET_NUMBER, np.inf, -np.inf]))
    assert message == "column 'x' has 2 infinite value(s): mark them missing"


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float64", "Int64"])
def test_whole_numbers_beyond_exact_floats_are_refused(dtype: str) -> None:
    assert "whole numbers beyond 2^53, probably an identifier" in refusal(one([1, 2**54], dtype))


@pytest.mark.parametrize("values", [[SECRET, 1], [SECRET_NUMBER, SECRET], [True, None], [[1], [2]]])
def test_mixed_objects_are_refused(values: list) -> None:
    message = refusal(one(values, "object"))
    assert message == "column 'x' mixes text with other objects: convert it to one type"


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.to_timedelta([1, 2], unit="D")),
        pd.Series(pd.period_range("2020", periods=2)),
        pd.Series([1j, 2j]),
        pd.Series([1, 2], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    ],
)
def test_dtypes_without_a_meaning_here_are_refused(column: pd.Series) -> None:
    message = refusal(pd.DataFrame({"x": column}))
    assert re.match(
        r"column 'x' has the dtype .*, which cannot be synthesised: convert it", message
    )


def test_nanoseconds_are_refused() -> None:
    frame = one(pd.Series(pd.to_datetime([1, 1000])).astype("datetime64[ns]"))
    assert "column 'x' has nanoseconds: round it to microseconds" in refusal(frame)


def test_declarations_must_fit_the_values() -> None:
    assert "declared integer but has fractions" in refusal(one([SECRET_NUMBER]), kind=Kind.INTEGER)
    assert "declared numeric but holds text" in refusal(one([SECRET]), kind=Kind.NUMERIC)
    assert "declared datetime but is stored as" in refusal(one([SECRET]), kind=Kind.DATETIME)


@pytest.mark.parametrize("kind", [Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME])
def test_a_schema_that_does_not_fit_the_data_is_refused_without_a_value(kind: Kind) -> None:
    variable = Variable("x", kind, "float64")
    with pytest.raises(DataError, match="convert it or infer the schema anew") as caught:
        encode_column(one([SECRET])["x"], variable)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_column_is_refused() -> None:
    schema = infer_schema(pd.DataFrame({"x": [1.0], "y": [1.0]}))
    with pytest.raises(DataError, match="column 'y' is missing from the data"):
        encode(one([1.0]), schema)


# --- spikes and missing values that are data ------------------------------------------------------


def test_spikes_and_kept_missing_values_are_stated() -> None:
    variable = describe([0.0, -8.0, 1.5, None], spikes=(0, -8), keep_missing=True)
    assert variable.spikes == (0.0, -8.0)
    assert variable.keep_missing
    plain = describe([0.0, 1.5])
    assert (plain.spikes, plain.keep_missing) == ((), False)


def test_spikes_are_different_finite_numbers() -> None:
    numbers = one([0.0, 1.0])
    for spikes in ((1, 1), (np.inf,), (np.nan,), ("none",)):
        message = refusal(numbers, spikes=spikes)
        assert message == "variables.x.spikes: list different, finite numbers"


def test_only_numbers_have_spikes() -> None:
    assert refusal(one(["u", "v"]), spikes=(0,)) == (
        "variables.x.spikes: 'x' is binary, and spikes are numbers: leave them out"
    )
    assert "'x' is datetime" in refusal(
        pd.DataFrame({"x": times("2024-01-01", "2024-02-01")}), spikes=(0,)
    )
    assert "'x' is nominal" in refusal(one([1, 2, 3]), kind=Kind.NOMINAL, spikes=(1,))


def test_a_spike_can_be_written_with_the_decimals_of_the_variable() -> None:
    assert "spikes" in refusal(one([1, 2, 3]), spikes=(0.5,))


def test_parts_survive_json() -> None:
    schema = infer_schema(
        one([0.0, None, 2.0]), {"x": VariableOverride(spikes=(0,), keep_missing=True)}
    )
    again = Schema.from_dict(json.loads(json.dumps(schema.to_dict())))
    assert again == schema
    # Schemas stored before there were parts have none.
    (item,) = schema.to_dict()
    old = {key: value for key, value in item.items() if key not in ("spikes", "keep_missing")}
    assert Schema.from_dict([old])["x"].spikes == ()


def test_holes_are_missing_cells_that_wait_for_a_value() -> None:
    frame = pd.DataFrame({"a": [1.0, None, None], "b": [None, 2.0, None]})
    schema = infer_schema(frame, {"a": VariableOverride(keep_missing=True)})
    holes = schema.holes(encode(frame, schema))
    assert holes.tolist() == [[False, True], [False, False], [False, True]]


@given(parted_frames())
@settings(max_examples=50, deadline=None)
def test_any_table_of_parts_survives_the_encoding(
    described: tuple[pd.DataFrame, dict[str, VariableOverride]],
) -> None:
    frame, overrides = described
    pd.testing.assert_frame_equal(there_and_back(frame, **overrides), frame)
