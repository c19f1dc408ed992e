import io
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synth_tasks.data import check_names
from synth_tasks.release.source import read_source
from synth_tasks.release.sources.streams import open_stream
from synth_tasks.release.spec import build_spec
from synth_tasks.release.stages import load_source
from tests.hostile.bounds import bounded
from tests.hostile.strategies import LONGEST_MESSAGE, TEXTS, cases, only_typed_errors, refused

CELLS = st.sampled_from(
    [
        "", "NA", "a", "b", "1", "2", "-1", "1.5", "1,5", "1e400", "nan", "inf", "9" * 400, "true",
        "2024-01-31", "9999-99-99", "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\0",
        '"', '""', "'", ";", "\ufeff", "\x1b", "é", "a" * 3000, "\u202e", "None", "0x10", "1_000",
    ]
)  # fmt: skip


def spec_of(folder, name, kind="csv", **sections):
    source = {kind: name, **sections.pop("source", {})}
    dataset = {"name": "x", "source": source, "drop": sections.pop("drop", [])}
    return build_spec({"dataset": dataset, **sections}, folder)


@cases()
@given(
    st.lists(CELLS | TEXTS, min_size=1, max_size=4),
    st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6),
    st.sampled_from([",", ";", "\t", "|", '"', "\n", "é", "\0"]),
    st.sampled_from(["\n", "\r\n", "\r", ""]),
)
def test_any_csv_is_read_or_refused_in_one_line(tmp_path, header, rows, delimiter, end):
    text = end.join(delimiter.join(row) for row in [header, *rows])
    (tmp_path / "x.csv").write_bytes(text.encode("utf-8", errors="surrogatepass"))
    with only_typed_errors():
        read_source(spec_of(tmp_path, "x.csv", source={"delimiter": delimiter}))


@cases()
@given(st.binary(max_size=80))
@example(b"\xff\xfe")
@example(b"a,b\n1,\0\n")
@example(b'"a\n')
def test_any_bytes_are_read_as_csv_or_refused(tmp_path, data):
    (tmp_path / "x.csv").write_bytes(data)
    with only_typed_errors():
        read_source(spec_of(tmp_path, "x.csv"))


@cases(60, 1000)
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5),
    st.integers(1, 12),
)
def test_any_table_can_be_released_or_is_refused_before_the_work(tmp_path, rows, times):
    frame = pd.DataFrame(rows * times, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "x.csv", index=False)
    with only_typed_errors():
        load_source(spec_of(tmp_path, "x.csv"))


@pytest.fixture(scope="module")
def parquet() -> bytes:
    frame = pd.DataFrame(
        {"x": np.arange(40) / 7, "c": pd.Categorical(list("ab") * 20), "t": ["u", "v"] * 20}
    )
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


@cases()
@given(st.randoms(use_true_random=False), st.integers(1, 20), st.booleans())
def test_any_damaged_parquet_is_read_or_refused(
    tmp_path, parquet, random: random.Random, changes, shorten
):
    data = bytearray(parquet)
    for _ in range(changes):
        data[random.randrange(len(data))] = random.randrange(256)
    if shorten:
        del data[random.randrange(len(data)) :]
    (tmp_path / "x.parquet").write_bytes(data)
    with only_typed_errors():
        read_source(spec_of(tmp_path, "x.parquet", "parquet"))


ARRAYS = [
    pa.array([1, None, 3]),
    pa.array([2**63, 1, 2], pa.uint64()),
    pa.array([float("inf"), float("nan"), None]),
    pa.array([b"\xff", None, b"\0"]),
    pa.array(["=1+1", "\0", "a\nb"]),
    pa.array([[1], [2], None]),
    pa.array([{"a": 1}, None, {"a": 2}]),
    pa.array([None, None, None], pa.null()),
    pa.array([None, None, None], pa.decimal128(38, 10)),
    pa.array([10**37, 1, 2], pa.decimal128(38, 0)),
    pa.array([2**62, 0, -(2**62)], pa.timestamp("s")),
    pa.array([1, 2, 3], pa.timestamp("ns", "Europe/Amsterdam")),
    pa.array([1, 2, 3], pa.duration("us")),
    pa.array([1, 2, 3], pa.time32("s")),
    pa.array([2**30, 0, 1], pa.date32()),
    pa.array(np.array([1.5, 2.5, 3], dtype=np.float16)),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([1, 1, 2]).dictionary_encode(),
    pa.array([True, None, False]),
    pa.array([(1, 2, 3)] * 3, pa.month_day_nano_interval()),
]


@cases(200, 3000)
@given(
    st.lists(st.tuples(TEXTS, st.sampled_from(ARRAYS)), min_size=1, max_size=3),
    st.sampled_from(["parquet", "arrow"]),
)
def test_any_column_types_are_read_or_refused(tmp_path, columns, kind):
    names, arrays = zip(*columns, strict=True)
    try:
        table = pa.table(list(arrays), names=list(names))
        path = tmp_path / f"x.{kind}"
        if kind == "parquet":
            pq.write_table(table, path)
        else:
            pa.feather.write_feather(table, path)
    except (pa.ArrowException, UnicodeEncodeError):
        return  # such a file cannot exist
    with only_typed_errors():
        load_source(spec_of(tmp_path, path.name, kind))


@cases()
@given(st.lists(TEXTS, max_size=4))
def test_any_names_are_accepted_or_refused(names):
    with only_typed_errors():
        check_names(names)


# --- size -----------------------------------------------------------------------------------------


@pytest.fixture
def no_rows_are_read(monkeypatch):
    def fails(*_, **__):
        pytest.fail("rows are read")

    for reader in ("csv.read_csv", "csv.open_csv", "feather.read_table", "parquet.read_table"):
        monkeypatch.setattr(f"pyarrow.{reader}", fails)
    monkeypatch.setattr("pyarrow.parquet.ParquetFile.iter_batches", fails)


WIDE = pa.table({f"c{i}": [1, 2] for i in range(100_000)})
# Writing such a Parquet file takes longer than all else here.
LESS_WIDE = WIDE.select(range(10_000))


def write_wide(place, kind):
    if kind == "csv":
        row = ",".join("1" for _ in WIDE.column_names)
        place.write_text(f"{','.join(WIDE.column_names)}\n{row}\n")
    elif kind == "parquet":
        pq.write_table(LESS_WIDE, place)
    elif kind == "arrow":
        pa.feather.write_feather(WIDE, place)
    else:
        place.mkdir()
        pq.write_table(LESS_WIDE, place / "part.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "folder"])
@pytest.mark.parametrize("read", [read_source, lambda spec: next(open_stream(spec).frames())])
def test_a_hundred_thousand_columns_are_refused_before_a_row_is_read(
    tmp_path, no_rows_are_read, kind, read
):
    write_wide(tmp_path / "x", kind)
    spec = spec_of(tmp_path, "x", "parquet" if kind == "folder" else kind, drop=["c7"])
    with bounded(megabytes=1500), refused(r"9+ columns; at most"):
        read(spec)


@pytest.mark.parametrize("declared", [{}, {"t": {"kind": "nominal"}}])
def test_a_million_levels_are_refused(tmp_path, declared):
    texts = pa.array([f"level {i}" for i in range(1_000_000)])
    table = pa.table({"t": texts, "x": pa.array(np.arange(1_000_000) % 7 / 2)})
    pq.write_table(table, tmp_path / "x.parquet")
    spec = spec_of(tmp_path, "x.parquet", "parquet", variables=declared)
    with (
        bounded(megabytes=1500),
        refused("'t' (holds free text|has 1000000 categories; at most)") as caught,
    ):
        load_source(spec)
    assert len(str(caught.value)) < LONGEST_MESSAGE


def test_levels_that_nobody_has_count_too(tmp_path):
    levels = pa.array([f"level {i}" for i in range(1_000_000)])
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 50), levels)
    pq.write_table(
        pa.table({"t": codes, "x": pa.array(np.arange(100.0) % 9)}), tmp_path / "x.parquet"
    )
    spec = spec_of(tmp_path, "x.parquet", "parquet")
    with only_typed_errors():
        load_source(spec)


def test_a_billion_decimals_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n" + "1" * 10_000_000 + ",1\n2,2\n")
    with only_typed_errors():
        read_source(spec_of(tmp_path, "x.csv"))
