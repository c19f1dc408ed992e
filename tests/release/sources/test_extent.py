"""The size of a source is known before it is read."""

import pandas as pd
import pytest

from synth_tasks.errors import DataError
from synth_tasks.release.sources.extent import Extent, find_extent
from tests.release.builders import people_spec


def extent_of(folder, source, drop=()):
    dataset = {"name": "x", "source": source, "drop": list(drop)}
    return find_extent(people_spec(folder, dataset=dataset))


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({"a": range(100_000, 105_000), "b": 1.25, "c": "text"})


def test_parquet_and_arrow_tell_their_rows_in_the_footer(tmp_path, table):
    table.to_parquet(tmp_path / "t.parquet")
    table.to_feather(tmp_path / "t.arrow")
    assert extent_of(tmp_path, {"parquet": "t.parquet"}) == Extent(5000, 3)
    assert extent_of(tmp_path, {"arrow": "t.arrow"}) == Extent(5000, 3)


def test_a_folder_of_parquet_files_counts_as_one(tmp_path, table):
    folder = tmp_path / "t"
    folder.mkdir()
    for number in (1, 2):
        table.to_parquet(folder / f"{number}.parquet")
    assert extent_of(tmp_path, {"parquet": "t"}) == Extent(10_000, 3)


def test_columns_that_are_dropped_do_not_count(tmp_path, table):
    table.to_parquet(tmp_path / "t.parquet")
    assert extent_of(tmp_path, {"parquet": "t.parquet"}, drop=["c"]).n_columns == 2


@pytest.mark.parametrize("n_times", [1, 20])
def test_rows_of_csv_are_estimated_from_those_that_come_first(tmp_path, table, n_times):
    pd.concat([table] * n_times).to_csv(tmp_path / "t.csv", index=False)
    found = extent_of(tmp_path, {"csv": "t.csv"})
    assert found.n_rows == pytest.approx(5000 * n_times, rel=0.01)
    assert (found.n_columns, found.estimated) == (3, True)


def test_files_of_statistics_packages_tell_their_rows_in_the_header(tmp_path, table):
    pyreadstat = pytest.importorskip("pyreadstat", reason="needs the extra [formats]")
    pyreadstat.write_sav(table, str(tmp_path / "t.sav"))
    pyreadstat.write_dta(table, str(tmp_path / "t.dta"))
    pyreadstat.write_xport(table, str(tmp_path / "t.xpt"))
    assert extent_of(tmp_path, {"spss": "t.sav"}, drop=["c"]) == Extent(5000, 2)
    assert extent_of(tmp_path, {"stata": "t.dta"}) == Extent(5000, 3)
    assert extent_of(tmp_path, {"sas": "t.xpt"}) is None


def test_other_sources_do_not_tell(tmp_path):
    (tmp_path / "old.arrow").write_bytes(b"FEA1 of the first version")
    assert extent_of(tmp_path, {"arrow": "old.arrow"}) is None
    assert extent_of(tmp_path, {"builtin": "boys"}) is None


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"no Parquet")
    with pytest.raises(DataError, match=r"t.parquet cannot be read as Parquet"):
        extent_of(tmp_path, {"parquet": "t.parquet"})
