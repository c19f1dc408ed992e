"""Files at URLs, and folders of Parquet files."""

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from synth_tasks.errors import DataError, SpecError, StorageError
from synth_tasks.release.source import read_source
from synth_tasks.release.spec import build_spec
from tests.s3_server import BUCKET, run_s3


@pytest.fixture
def people() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "hgt": rng.normal(170, 9, 60).round(1),
            "children": pd.array([None, 1, 2] * 20, dtype="Int64"),
            "region": ["north", "south", "east"] * 20,
        }
    )


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def spec_of(folder, **source):
    return build_spec({"dataset": {"name": "people", "source": source}}, base=folder)


def write(people: pd.DataFrame, kind: str, file) -> None:
    if kind == "csv":
        people.to_csv(file, index=False)
    elif kind == "parquet":
        people.to_parquet(file)
    else:
        feather.write_feather(people, file)


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_file_at_a_url_gives_what_the_same_file_here_gives(tmp_path, memory, people, kind):
    with open(tmp_path / "people", "wb") as here, memory.open("/folder/people", "wb") as there:
        write(people, kind, here)
        write(people, kind, there)
    local = read_source(spec_of(tmp_path, **{kind: "people"}))
    for url in ("memory://folder/people", f"file://{tmp_path}/people"):
        pd.testing.assert_frame_equal(read_source(spec_of("/", **{kind: url})), local)
    assert local["children"].dtype == "Int64"


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_file_that_is_not_at_its_url_is_a_storage_error(tmp_path, memory, kind):
    with pytest.raises(StorageError, match=r"cannot read memory://folder/nobody: "):
        read_source(spec_of(tmp_path, **{kind: "memory://folder/nobody"}))


def test_a_damaged_file_at_a_url_is_named(tmp_path, memory):
    memory.pipe_file("/folder/people.csv", b"a,b\n1,2\n3\n")
    with pytest.raises(DataError, match=r"people.csv cannot be read as CSV \(row 3 has 1 fields"):
        read_source(spec_of(tmp_path, csv="memory://folder/people.csv"))


def test_credentials_in_a_url_are_refused_without_showing_them(tmp_path):
    with pytest.raises(SpecError, match=r"dataset.source: a URL must not hold user") as caught:
        read_source(spec_of(tmp_path, csv="ftp://me:Q918273Z@host/people.csv"))
    assert "Q918273Z" not in str(caught.value)


# --- folders --------------------------------------------------------------------------------------


def parts(people: pd.DataFrame) -> list[pd.DataFrame]:
    return [part for _, part in people.groupby("region")]


@pytest.mark.parametrize("place", ["beside the spec", "memory"])
def test_a_partitioned_folder_is_one_table(tmp_path, memory, people, place):
    people["year"] = [2020, 2021] * 30
    table = pa.Table.from_pandas(people, preserve_index=False)
    options = {"partition_cols": ["year", "region"]}
    if place == "memory":
        pq.write_to_dataset(table, "people", filesystem=memory, **options)
        spec = spec_of(tmp_path, parquet="memory://people")
    else:
        pq.write_to_dataset(table, tmp_path / "people", **options)
        spec = spec_of(tmp_path, parquet="people")
    frame = read_source(spec)
    assert frame.columns.tolist() == ["hgt", "children", "year", "region"]
    assert frame["year"].dtype == "int32"
    order = ["year", "region", "hgt"]
    pd.testing.assert_frame_equal(
        frame.sort_values(order)[people.columns].reset_index(drop=True),
        people.sort_values(order).reset_index(drop=True),
        check_dtype=False,
    )


@pytest.mark.parametrize(
    "change",
    [lambda f: f.assign(more=1.5), lambda f: f.drop(columns="hgt"), lambda f: f.astype(str)],
)
def test_files_that_differ_in_their_columns_are_refused(tmp_path, people, change):
    (tmp_path / "people").mkdir()
    people.to_parquet(tmp_path / "people" / "1.parquet")
    change(people).to_parquet(tmp_path / "people" / "2.parquet")
    with pytest.raises(DataError, match="files of people differ in their columns or types"):
        read_source(spec_of(tmp_path, parquet="people"))


def test_a_folder_without_files_is_refused(tmp_path):
    (tmp_path / "people").mkdir()
    with pytest.raises(DataError, match="people holds no Parquet file"):
        read_source(spec_of(tmp_path, parquet="people"))


def test_a_folder_is_no_csv_file(tmp_path):
    (tmp_path / "people").mkdir()
    with pytest.raises(SpecError, match="file not found: 'people'"):
        read_source(spec_of(tmp_path, csv="people"))


# --- S3 -------------------------------------------------------------------------------------------


def test_files_and_folders_are_read_from_s3(tmp_path, people):
    with run_s3():
        files = fsspec.filesystem("s3")
        for kind in ("csv", "parquet", "arrow"):
            with files.open(f"{BUCKET}/people.{kind}", "wb") as file:
                write(people, kind, file)
            frame = read_source(spec_of(tmp_path, **{kind: f"s3://{BUCKET}/people.{kind}"}))
            pd.testing.assert_frame_equal(frame, people, check_dtype=False)
        table = pa.Table.from_pandas(people, preserve_index=False)
        pq.write_to_dataset(table, f"{BUCKET}/all", partition_cols=["region"], filesystem=files)
        frame = read_source(spec_of(tmp_path, parquet=f"s3://{BUCKET}/all"))
        assert sorted(frame["hgt"]) == sorted(people["hgt"])
        with pytest.raises(StorageError, match=r"cannot read s3://people-bucket/none.csv: "):
            read_source(spec_of(tmp_path, csv=f"s3://{BUCKET}/none.csv"))
