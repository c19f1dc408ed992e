"""All sets in one file, with an empty set in the place of the original data."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks import fit_model, pool
from synth_tasks.data import infer_schema
from synth_tasks.errors import DataError
from synth_tasks.release.formats import check_formats, write_data
from synth_tasks.release.formats.long import write_long

FIXTURES = Path(__file__).parent / "fixtures"


def make_sets(m: int = 3) -> list[pd.DataFrame]:
    rng = np.random.default_rng(1)
    return [
        pd.DataFrame(
            {
                "x": rng.normal(size=4),
                "n": pd.array([1, None, 3, 4], dtype="Int64"),
                "b": pd.array([True, False, True, None], dtype="boolean"),
                "g": pd.Categorical(["u", 'v "w"', "u", "x, y"]),
                "d": pd.to_datetime(["2024-01-31", "2024-02-01", "1969-12-31", "2000-01-01"]),
            },
            index=[7, 5, 3, 1],
        )
        for _ in range(m)
    ]


def test_set_zero_is_empty_and_the_others_follow():
    # Before pandas 3.1 its own reader is wrong in the last digit.
    digits = {"x": lambda text: float("nan" if text == "NA" else text)}
    long = pd.read_csv(io.StringIO(write_long(make_sets())), converters=digits)
    assert long.columns.tolist() == [".imp", ".id", "x", "n", "b", "g", "d"]
    assert long[".imp"].tolist() == [i for i in range(4) for _ in range(4)]
    assert long[".id"].tolist() == [1, 2, 3, 4] * 4
    assert long.iloc[:4, 2:].isna().all(axis=None)
    for number, frame in enumerate(make_sets(), start=1):
        part = long[long[".imp"] == number]
        assert part["x"].tolist() == frame["x"].tolist()
        assert part["g"].tolist() == frame["g"].tolist()
        assert part["n"].isna().tolist() == [False, True, False, False]


def test_every_line_of_set_zero_holds_nothing_but_its_number():
    lines = write_long(make_sets()).splitlines()
    assert lines[1:5] == [f"0,{i},NA,NA,NA,NA,NA" for i in range(1, 5)]
    assert lines[5].split(",")[3:5] == ["1", "TRUE"]


def test_the_file_is_one_more_beside_the_sets(tmp_path):
    frames = [frame.reset_index(drop=True) for frame in make_sets()]
    files = write_data(tmp_path, "people", frames, ["csv", "long_csv"])
    assert files[-2:] == ["data/people-3.csv", "data/people-long.csv"]
    assert (tmp_path / files[-1]).read_text() == write_long(frames)


def test_a_category_that_r_takes_for_a_missing_value_is_refused():
    schema = infer_schema(pd.DataFrame({"country": ["NA", "DE", "FR"]}))
    with pytest.raises(DataError, match="column 'country' has NA as a category"):
        check_formats(["csv", "long_csv"], schema)
    check_formats(["csv"], schema)


@pytest.mark.parametrize("name", [".imp", ".id"])
def test_a_column_named_like_those_of_the_file_is_refused(name):
    schema = infer_schema(pd.DataFrame({name: [1.5, 2.5]}))
    with pytest.raises(DataError, match=f"column '{name}' has a name that long_csv needs itself"):
        check_formats(["csv", "long_csv"], schema)
    check_formats(["csv"], schema)


def test_mice_pools_the_file_as_the_package_pools_the_sets():
    """Numbers of R's mice::pool.syn, by fixtures/make_pool_syn.R."""
    text = (FIXTURES / "long.csv").read_text()
    long = pd.read_csv(io.StringIO(text))
    long["g"] = long["g"].astype(pd.CategoricalDtype(["north", "east"]))
    sets = [long[long[".imp"] == i].drop(columns=[".imp", ".id"]) for i in range(1, 5)]
    assert write_long(sets) == text
    found = pool([fit_model(s, "ols", "y ~ x + g") for s in sets]).table
    in_r = pd.read_csv(FIXTURES / "pool_syn.csv")
    columns = ["estimate", "std_error", "df"]
    expected = in_r[["estimate", "std.error", "df"]]
    np.testing.assert_allclose(found[columns].to_numpy(), expected.to_numpy(), rtol=1e-6)
