import json
import math
import os

import numpy as np
import pandas as pd
import pytest

from synth_tasks.release.bundle import write_json
from synth_tasks.release.formats import write_data
from synth_tasks.release.integrity import checksums
from tests.release.stores.publishing import build

# --- content --------------------------------------------------------------------------------------


def make_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": [0.1 + 0.2, -1e-300, math.pi],
            "n": pd.array([1, 2, 3], dtype="Int64"),
            "s": pd.Categorical(["b", "a", "b"], categories=["b", "a", "never"], ordered=True),
            "t": ["plain", 'quoted "ü"', "with, comma"],
            "b": pd.array([True, False, True], dtype="boolean"),
            "d": pd.to_datetime(["2024-01-31", "2024-02-01", "1969-12-31"]),
        }
    )


def test_parquet_gives_the_table_with_its_types(tmp_path):
    files = write_data(tmp_path, "people", [make_frame(), make_frame().iloc[::-1]], ["parquet"])
    assert files == ["data/people-1.parquet", "data/people-2.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / files[0]), make_frame())
    second = pd.read_parquet(tmp_path / files[1])
    pd.testing.assert_frame_equal(second, make_frame().iloc[::-1].reset_index(drop=True))


def test_csv_gives_every_value_exactly(tmp_path):
    (path,) = write_data(tmp_path, "people", [make_frame()], ["csv"])
    found = pd.read_csv(tmp_path / path, parse_dates=["d"])
    expected = make_frame()
    assert found.columns.tolist() == expected.columns.tolist()
    for name in expected:
        assert found[name].tolist() == expected[name].tolist(), name
    assert b"\r" not in (tmp_path / path).read_bytes()


def test_sets_are_numbered_so_that_their_names_sort(tmp_path):
    files = write_data(tmp_path, "people", [make_frame()] * 10, ["csv", "parquet"])
    assert files[:2] == ["data/people-01.csv", "data/people-01.parquet"]
    assert files == sorted(files)
    assert len(files) == 20


def test_equal_tables_give_equal_bytes(tmp_path):
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_data(tmp_path / name, "people", [make_frame()], ["csv", "parquet"])
        found.append(checksums(tmp_path / name))
    assert found[0] == found[1]


def test_json_does_not_depend_on_the_order_of_keys_and_is_readable(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": {"d": "é", "c": 2.5}})
    write_json(tmp_path / "b.json", {"a": {"c": 2.5, "d": "é"}, "b": 1})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.json").read_text(encoding="utf-8")
    assert "é" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float64("nan")])
def test_json_that_others_cannot_read_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"a": value})
    assert os.listdir(tmp_path) == []


def test_the_manifest_lists_every_file_but_itself(tmp_path):
    build(tmp_path)
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert sorted(files) == ["README.md", "data/people-1.csv"]
    assert files["data/people-1.csv"]["bytes"] == 1
