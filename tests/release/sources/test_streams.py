"""Pieces of a source, put together, are what is read of the whole."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from synth_tasks.errors import DataError, SpecError
from synth_tasks.release.source import read_source
from synth_tasks.release.sources import streams
from synth_tasks.release.sources.streams import open_stream
from synth_tasks.release.spec import build_spec
from tests.release.builders import make_people


def spec_of(folder, **source):
    return build_spec({"dataset": {"name": "people", "source": source}}, base=folder)


def read_in_pieces(spec, size=17):
    frames = list(open_stream(spec, size).frames())
    assert max(map(len, frames)) <= size
    together = pd.concat([frame.astype(object) for frame in frames], ignore_index=True)
    return together, frames


def check_same(spec, size=17):
    whole = read_source(spec)
    together, frames = read_in_pieces(spec, size)
    assert len(frames) > 1
    pd.testing.assert_frame_equal(
        together.where(together.notna(), None), whole.astype(object).where(whole.notna(), None)
    )


def test_a_parquet_file(tmp_path):
    make_people().to_parquet(tmp_path / "people.parquet")
    check_same(spec_of(tmp_path, parquet="people.parquet"))


N = 300
NUMBERED = pd.DataFrame(
    {
        "x": np.arange(N) / 2,
        "children": pd.array([i % 5 if i % 7 else None for i in range(N)], dtype="Int64"),
        "works": pd.array([i % 3 == 0 if i % 11 else None for i in range(N)], dtype="boolean"),
    }
)
INDEXED = {
    "filtered": NUMBERED[NUMBERED.x > 20],
    "with a step": NUMBERED.iloc[5::2],
    "reversed": NUMBERED[::-1],
    "shuffled": NUMBERED.sample(frac=1, random_state=3),
    "with a running number of a name": NUMBERED.set_index(
        pd.RangeIndex(1000, 1000 + N, name="pid")
    ),
    "with labels": NUMBERED.set_index(pd.Index([f"r{i}" for i in range(N)])),
    "with two levels": NUMBERED.set_index([[0, 1] * (N // 2), [*range(N)]]),
    "with the same labels": NUMBERED.set_index(pd.Index([0] * N)),
}


@pytest.mark.parametrize("frame", INDEXED.values(), ids=INDEXED)
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_every_row_keeps_its_values_whatever_index_pandas_wrote(tmp_path, frame, kind):
    if kind == "parquet":
        frame.to_parquet(tmp_path / "people")
    else:
        table = pa.Table.from_pandas(frame)
        feather.write_feather(table, tmp_path / "people")
    spec = spec_of(tmp_path, **{kind: "people"})
    whole = read_source(spec)
    pd.testing.assert_frame_equal(whole, frame.reset_index(drop=True))
    check_same(spec)


def test_a_folder_of_parquet_files_with_a_column_in_their_path(tmp_path):
    table = pa.Table.from_pandas(make_people(), preserve_index=False)
    pq.write_to_dataset(table, tmp_path / "people", partition_cols=["region"])
    check_same(spec_of(tmp_path, parquet="people"))


def test_an_arrow_file(tmp_path):
    feather.write_feather(make_people(), tmp_path / "people.arrow")
    check_same(spec_of(tmp_path, arrow="people.arrow"))


@pytest.mark.parametrize("block", [1 << 20, 400])
def test_a_csv_file(tmp_path, monkeypatch, block):
    monkeypatch.setattr(streams, "CSV_BLOCK", block)
    make_people().to_csv(tmp_path / "people.csv", index=False)
    check_same(spec_of(tmp_path, csv="people.csv"))


def test_a_csv_column_has_the_type_that_fits_all_its_values(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CSV_BLOCK", 300)
    n = 200
    frame = pd.DataFrame(
        {
            "late_fraction": [1] * (n - 1) + [2.5],
            "late_text": [1] * (n - 1) + ["x"],
            "late_value": [None] * (n - 2) + [3, 4],
            "day": ["2025-01-02"] * (n - 1) + ["2025-01-03 12:00:00"],
            "flag": ["true", "false"] * (n // 2),
            "empty": [None] * n,
        }
    )
    frame.to_csv(tmp_path / "late.csv", index=False)
    spec = spec_of(tmp_path, csv="late.csv")
    with pytest.raises(DataError, match="'empty' has no observed value"):
        read_source(spec)
    frame.drop(columns="empty").to_csv(tmp_path / "late.csv", index=False)
    check_same(spec, size=50)


def test_a_csv_file_with_decimal_commas(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CSV_BLOCK", 64)
    rows = [f"{i},{i % 7};k{i % 3}" for i in range(60)]
    (tmp_path / "de.csv").write_text("x;k\n" + "\n".join(rows) + "\n")
    check_same(spec_of(tmp_path, csv="de.csv", delimiter=";", decimal=","))


@pytest.mark.parametrize(
    "values",
    [
        ["47.11", "56.10"], ["47.11", "1,5"], ["nan", "1,5"], ["1.", "2"], [".5"], [",5", "1,"],
        ["1,5e3"], ["1e5"], ["1 000,5"], ["1.000,5"], ["inf"],
    ],
)  # fmt: skip
def test_with_decimal_commas_too_the_type_is_that_of_the_whole(tmp_path, values):
    rows = "".join(f"{value};{i}\n" for i, value in enumerate(values * 20))
    (tmp_path / "x.csv").write_text(f"a;b\n{rows}")
    spec = spec_of(tmp_path, csv="x.csv", delimiter=";", decimal=",")
    options = {"parse_options": pa.csv.ParseOptions(delimiter=";")}
    convert = pa.csv.ConvertOptions(decimal_point=",", null_values=spec.dataset.source.missing)
    whole = pa.csv.read_csv(tmp_path / "x.csv", convert_options=convert, **options)
    assert open_stream(spec).types["a"] == whole.schema.field("a").type
    assert sum(map(len, open_stream(spec, 7).frames())) == len(values * 20)


def test_decimal_commas_are_told_from_lists_by_all_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "CSV_BLOCK", 300)
    answers = ['"1,2"', '"2,3"'] * 100
    write = (tmp_path / "x.csv").write_text
    write("a,b\n" + "".join(f"{a},{i}\n" for i, a in enumerate([*answers, "1", '"1,2,3"'] * 2)))
    check_same(spec_of(tmp_path, csv="x.csv"))
    write("a,b\n" + "".join(f"{a},{i}\n" for i, a in enumerate(answers)))
    for read in (open_stream, read_source):
        with pytest.raises(DataError, match="'a' holds numbers with a decimal comma"):
            read(spec_of(tmp_path, csv="x.csv"))
    spec = spec_of(tmp_path, csv="x.csv")
    declared = {"a": {"categories": ["1,2", "2,3"]}}
    check_same(build_spec(spec.model_dump() | {"variables": declared}, base=tmp_path))


def test_feather_of_the_first_version_comes_in_one_piece(tmp_path):
    feather.write_feather(make_people(), tmp_path / "people", version=1)
    spec = spec_of(tmp_path, arrow="people")
    assert len(read_source(spec)) == len(make_people())
    with pytest.raises(DataError, match="Feather of the first version"):
        list(open_stream(spec).frames())


@pytest.mark.parametrize("kind", ["parquet", "arrow", "folder"])
def test_what_a_dropped_column_holds_does_not_matter(tmp_path, kind):
    table = pa.table({"x": [1.5, 2.5, 3.5], "lists": [[1], [2, 3], []], "y": [1, 2, 2]})
    if kind == "arrow":
        feather.write_feather(table, tmp_path / "t")
    elif kind == "parquet":
        pq.write_table(table, tmp_path / "t")
    else:
        (tmp_path / "t").mkdir()
        pq.write_table(table, tmp_path / "t" / "a.parquet")
    source = {"arrow" if kind == "arrow" else "parquet": "t"}
    with pytest.raises(DataError, match="'lists' holds lists or records: drop it"):
        read_source(spec_of(tmp_path, **source))
    content = {"dataset": {"name": "t", "source": source, "drop": ["lists"]}}
    spec = build_spec(content, base=tmp_path)
    assert list(read_source(spec).columns) == ["x", "y"]
    assert [list(frame.columns) for frame in open_stream(spec).frames()] == [["x", "y"]]


def test_a_row_with_too_many_fields_is_told_without_its_values(tmp_path):
    (tmp_path / "bad.csv").write_text("x,y\n" + "1,2\n" * 30 + "SECRET,2,3\n")
    with pytest.raises(DataError, match=r"bad\.csv cannot be read as CSV") as caught:
        list(open_stream(spec_of(tmp_path, csv="bad.csv")).frames())
    assert "SECRET" not in str(caught.value)


def test_files_of_different_columns_are_refused(tmp_path):
    folder = tmp_path / "people"
    folder.mkdir()
    pd.DataFrame({"x": [1, 2]}).to_parquet(folder / "a.parquet")
    pd.DataFrame({"y": [1, 2]}).to_parquet(folder / "b.parquet")
    with pytest.raises(DataError, match="differ in their columns or types"):
        list(open_stream(spec_of(tmp_path, parquet="people")).frames())


def test_a_source_that_comes_in_one_piece_is_refused(tmp_path):
    with pytest.raises(SpecError, match="of the kind builtin cannot be read in pieces"):
        open_stream(spec_of(tmp_path, builtin="boys"))


@pytest.mark.parametrize(
    "values",
    [
        [" 5", " 6", "7\t"], [" 5.5", "6"], [" 2020-01-01", "2020-01-02 "], ["true", " false"],
        ["2020-01-01T01:00:00Z"], ["2020-01-01T01:00:00+01:00"], ["2020-01-01 10:00:00.123Z"],
        ["2020-01-01T01:00:00Z", "2020-01-01"], ["2020-01-01 10:00:00.123", "2020-01-01"],
        ["01:02", "01:02:03 "], ["25:00"], ["12:30:61"], ["10:00:00.5"], ["1", "0"], ["TRUE", "1"],
        ["+5"], ["0x1F"], ["007"], ["99999999999999999999"], ["1e5", " inf"], ["2020-13-01"],
        ["20200101"], ["2020-01-01T01"], ["5 ", " "], ["T", "F"], ["2500-01-01 00:00:00.5"],
    ],
)  # fmt: skip
def test_a_type_is_the_one_that_the_reader_of_whole_files_finds(tmp_path, values):
    (tmp_path / "x.csv").write_text("a\n" + "".join(f'"{value}"\n' for value in values))
    whole = pa.csv.read_csv(tmp_path / "x.csv").schema.field("a").type
    assert open_stream(spec_of(tmp_path, csv="x.csv")).types["a"] == whole
