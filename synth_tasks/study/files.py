"""Writing the files of a study."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synth_tasks.errors import StorageError
from synth_tasks.files import readable_errors, write_atomically


def write_files(folder: Path, tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str]) -> None:
    """Write tables as Parquet, and texts; each file appears when all of them are written.

    Parameters
    ----------
    folder : Path
        Where they are to be, readable by the owner only; files of the same names are replaced.
    tables : mapping of str to DataFrame
        By file name.
    texts : mapping of str to str
        By file name.

    Raises
    ------
    StorageError
        Then the files that were there are as they were.
    """
    with readable_errors("write the study to", folder):
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".draft-{secrets.token_hex(6)}"
        draft.mkdir(mode=0o700)
        try:
            for name, table in tables.items():
                _write_table(draft / name, table)
            for name, text in texts.items():
                _write_text(draft / name, text)
            for name in (*tables, *texts):
                os.replace(draft / name, folder / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def check_target(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before long work starts."""
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file: name a folder for the results")
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise StorageError(f"the folder {folder} cannot be made: {existing} is not writable")


def _write_table(path: Path, frame: pd.DataFrame) -> None:
    # pandas' own metadata would tell its version.
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd"))


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))
