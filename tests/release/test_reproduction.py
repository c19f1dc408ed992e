import json

import numpy as np
import pandas as pd
import pytest

from synth_tasks.release.bundle import write_json, write_manifest, write_public
from synth_tasks.release.formats import write_data
from synth_tasks.release.reproduction import compare_files

PUBLISHED = pd.DataFrame(
    {"x": [1.0, np.nan, 3.0], "c": pd.Categorical(["a", "b", "a"]), "n": [1, 2, 3]}
)


def write(folder, frame=PUBLISHED, readme="# People", results=(1,), **manifest):
    folder.mkdir()
    write_data(folder, "people", [frame], ["csv", "parquet"])
    write_public(folder / "README.md", readme)
    write_json(folder / "results.json", list(results))
    write_manifest(folder, {"digest": "d"} | manifest)
    return folder


@pytest.fixture
def published(tmp_path):
    return write(tmp_path / "published")


def test_equal_releases_do_not_differ(published, tmp_path):
    assert compare_files(published, write(tmp_path / "again")) == []


def test_a_signature_and_its_key_do_not_count(published, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    write_public(again / "signing-key.pem", "key")
    again = write_over(again)
    write_public(again / "manifest.json.sig", "x")
    assert compare_files(published, again) == []


def write_over(folder):
    write_data(folder, "people", [PUBLISHED], ["csv", "parquet"])
    write_public(folder / "README.md", "# People")
    write_json(folder / "results.json", [1])
    write_manifest(folder, {"digest": "d"})
    return folder


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"x": [1.0, 2.0, 3.0]}, "column 'x' (1 of 3 rows)"),
        ({"x": [1.0, np.nan, 4.0], "n": [3, 2, 1]}, "column 'x' (1 of 3 rows), 'n' (2 of 3 rows)"),
        ({"c": pd.Categorical(["a", "b", "b"])}, "column 'c' (1 of 3 rows)"),
        ({"n": [1.0, 2.0, 3.0]}, "column 'n' (another type)"),
        ({"extra": [1, 2, 3]}, "columns extra"),
    ],
)
def test_a_table_is_compared_by_column_and_row(published, tmp_path, change, expected):
    lines = compare_files(published, write(tmp_path / "again", PUBLISHED.assign(**change)))
    assert f"data/people-1.parquet: {expected}" in lines
    assert all(line.startswith("data/people-1") for line in lines)


def test_another_number_of_rows_and_order_of_columns_is_told(published, tmp_path):
    lines = compare_files(published, write(tmp_path / "a", PUBLISHED.head(2)))
    assert "data/people-1.csv: 2 rows instead of 3" in lines
    lines = compare_files(published, write(tmp_path / "b", PUBLISHED[["n", "x", "c"]]))
    assert "data/people-1.csv: columns in another order" in lines


def test_a_csv_with_the_same_content_in_other_bytes_is_told(published, tmp_path):
    again = write(tmp_path / "again")
    text = (again / "data" / "people-1.csv").read_text().replace("a,1", '"a",1')
    (again / "data" / "people-1.csv").write_text(text)
    write_manifest(again, {"digest": "d"})
    assert compare_files(published, again) == ["data/people-1.csv: other bytes, the same content"]


def test_files_settings_and_texts_that_differ_are_named(published, tmp_path):
    again = write(tmp_path / "again", readme="other", results=(2,), seed={"value": 1}, digest="e")
    write_public(again / "more.txt", "x")
    (again / "data" / "people-1.parquet").unlink()
    manifest = json.loads((again / "manifest.json").read_text())
    write_manifest(again, {k: manifest[k] for k in ("digest", "seed")})
    assert compare_files(published, again) == [
        "README.md: differs",
        "data/people-1.parquet: only in the published release",
        "more.txt: only in the release made again",
        "results.json: 1 published 1, again 2",
        'manifest.json: digest published "d", again "e", seed published absent, again {"value": 1}',
    ]
