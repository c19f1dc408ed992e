"""Reading a file of a statistics package in a process of its own.

The library that reads these files is written in C, and a damaged file can end the process it works in.
"""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from synth_tasks.errors import DataError, SpecError, SynthError
from synth_tasks.release.sources import readstat_process

NAMES = {"spss": "SPSS", "stata": "Stata", "sas": "SAS"}
READERS = {"spss": "read_sav", "stata": "read_dta", "sas": "read_sas7bdat"}


@dataclass(frozen=True)
class FileFacts:
    """What a file says about its rows, and by name about its columns; the fields are pyreadstat's."""

    column_names_to_labels: Mapping[str, str]
    missing_ranges: Mapping[str, list[dict[str, Any]]]
    original_variable_types: Mapping[str, str]
    readstat_variable_types: Mapping[str, str]
    variable_measure: Mapping[str, str]
    variable_value_labels: Mapping[str, dict[Any, str]]
    number_rows: int | None


def require_pyreadstat(setting: str) -> ModuleType:
    """Import the reader and writer of these files, or name the extra that brings it."""
    try:
        import pyreadstat
    except ImportError:
        raise SpecError(
            f"{setting} needs another package: pip install 'prefect-synth[formats]'"
        ) from None
    return pyreadstat


def read_readstat(
    path: Path, kind: str, facts_only: bool = False
) -> tuple[pd.DataFrame, FileFacts]:
    """Read a file of a statistics package.

    Parameters
    ----------
    path : Path
        The file.
    kind : {"spss", "stata", "sas"}
        What it is; SAS files that end with ``.xpt`` are transport files.
    facts_only : bool, default False
        Do not read the rows.

    Returns
    -------
    frame : DataFrame
        The columns; codes that mean missing values are kept where the format has them.
    facts : FileFacts
        Number of rows, if the file tells it; labels, types and missing codes.

    Raises
    ------
    DataError
        If the file is damaged or of another kind.
    SpecError
        If pyreadstat is not installed.
    SynthError
        If the system killed the process.
    """
    require_pyreadstat(f"dataset.source.{kind}")
    reader = READERS[kind]
    options = {"dates_as_pandas_datetime": True, "metadataonly": facts_only}
    if kind == "sas" and path.suffix.lower() == ".xpt":
        reader = "read_xport"
    else:
        options["user_missing"] = True
    command = [
        sys.executable, "-P", readstat_process.__file__, reader, str(path), json.dumps(options)
    ]  # fmt: skip
    with subprocess.Popen(  # noqa: S603  (this interpreter and a file of this package)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None  # noqa: S101  (tells the type checker)
        try:
            frame, facts = pickle.load(process.stdout)  # noqa: S301  (from our own program)
        except (EOFError, pickle.UnpicklingError):
            frame, facts = None, {}
        except BaseException:
            process.kill()
            raise
    if process.returncode == -signal.SIGKILL:
        raise SynthError(
            f"{path.name}: the process that read it was killed, as the system does when memory runs "
            "out: free memory, or convert the file to Parquet"
        )
    if process.returncode != 0:
        raise DataError(f"{path.name} cannot be read as {NAMES[kind]}: check the file")
    return frame, FileFacts(**facts)
