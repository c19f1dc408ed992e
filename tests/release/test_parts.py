import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import encode, infer_schema
from synth_tasks.release import parts
from synth_tasks.release.parts import PartWriter, StreamedFingerprint
from synth_tasks.release.workspace import Workspace


@pytest.fixture
def table():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=500), "a": rng.choice(["p", "q", "r"], 500)})
    frame.loc[::9, "x"] = np.nan
    schema = infer_schema(frame)
    return encode(frame, schema), schema


def write(folder, table, size):
    matrix, schema = table
    paths = [folder / f"{size}-{i}.parquet" for i in range(3)]
    with PartWriter(paths, schema) as writer:
        for start in range(0, len(matrix), size):
            rows = matrix[start : start + size]
            writer.append(rows, rows[:, 1].astype(int))
    return paths, writer


@pytest.mark.parametrize("size", [1, 7, 64, 499, 500])
def test_pieces_change_no_byte_of_a_part(tmp_path, monkeypatch, table, size):
    monkeypatch.setattr(parts, "GROUP_ROWS", 32)
    found, _ = write(tmp_path, table, size)
    expected, _ = write(tmp_path, table, 100)
    assert [p.read_bytes() for p in found] == [p.read_bytes() for p in expected]


def test_a_part_holds_the_rows_of_its_stratum_in_order(tmp_path, monkeypatch, table):
    monkeypatch.setattr(parts, "GROUP_ROWS", 32)
    matrix, schema = table
    workspace = Workspace(tmp_path, "people", b"k" * 32)
    paths, writer = write(workspace.folder, table, 45)
    for number, path in enumerate(paths):
        own = matrix[matrix[:, 1] == number]
        read, described = workspace.read_table(workspace.refer(path, *own.shape))
        np.testing.assert_array_equal(read, own)
        assert described == schema
        assert writer.rows[number] == len(own)
        assert writer.holes[number] == np.isnan(own).sum()
        assert path.stat().st_mode & 0o777 == 0o600


def fingerprint(table, size):
    matrix, schema = table
    content = StreamedFingerprint(schema)
    for start in range(0, len(matrix), size):
        content.add(matrix[start : start + size])
    return list(content.parts())


def test_the_fingerprint_tells_tables_apart_and_not_their_pieces(table):
    matrix, schema = table
    assert fingerprint(table, 13) == fingerprint(table, 500)
    other = matrix.copy()
    other[[3, 4]] = other[[4, 3]]
    assert fingerprint((other, schema), 500) != fingerprint(table, 500)
