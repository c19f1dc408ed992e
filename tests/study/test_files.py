"""Files that appear all together or not at all."""

from pathlib import Path

import pandas as pd
import pytest

from synth_tasks.errors import StorageError
from synth_tasks.study.files import check_target, write_files

TABLE = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})


def test_tables_and_texts_can_be_read_back(tmp_path: Path) -> None:
    write_files(tmp_path / "new" / "folder", {"t.parquet": TABLE}, {"t.txt": "hello"})
    folder = tmp_path / "new" / "folder"
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "t.parquet"), TABLE, check_dtype=False)
    assert (folder / "t.txt").read_text() == "hello"
    assert {path.name for path in folder.iterdir()} == {"t.parquet", "t.txt"}


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    write_files(tmp_path, {"t.parquet": TABLE}, {"t.txt": "hello"})
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"t.parquet": TABLE}, {"t.txt": "hello"})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synth_tasks.study.files._write_text", fail)
    with pytest.raises(StorageError, match="No space left"):
        write_files(tmp_path, {"t.parquet": TABLE.head(1)}, {"t.txt": "bye"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_target_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="not writable"):
        check_target(tmp_path / "file" / "results")


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="is a file"):
        check_target(tmp_path / "file")
