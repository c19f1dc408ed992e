import pandas as pd

from synth_tasks.data import Kind, infer_schema
from tests.benchmarks.census import census, census_block, write_census


def test_a_longer_census_begins_with_a_shorter_one():
    short, long = census(1000), census(60_000)
    assert (short.shape, long.shape) == ((1000, 20), (60_000, 20))
    pd.testing.assert_frame_equal(long.head(1000), short)
    pd.testing.assert_frame_equal(long.tail(10_000).reset_index(drop=True), census_block(1, 10_000))


def test_files_hold_the_census(tmp_path):
    folder = write_census(tmp_path / "census", 60_000)
    pd.testing.assert_frame_equal(pd.read_parquet(folder), census(60_000))


def test_there_are_twenty_regions_all_kinds_and_holes_in_one_column():
    frame = census(20_000)
    kinds = {variable.kind for variable in infer_schema(frame)}
    assert kinds == {*Kind} - {Kind.STRING}
    assert frame["region"].nunique() == 20
    assert frame.columns[frame.isna().any()].tolist() == ["income"]
    assert frame["work"].nunique() == len(frame["work"].cat.categories)


def test_columns_depend_on_each_other():
    frame = census(20_000)
    assert frame["income"].corr(frame["hours"]) > 0.3
    assert frame.groupby("school", observed=True)["income"].mean().is_monotonic_increasing
    by_region = frame.groupby("region", observed=True)["urban"].mean()
    assert by_region.max() - by_region.min() > 0.1
    assert (frame.loc[frame["status"] != "employed", "hours"] == 0).all()
