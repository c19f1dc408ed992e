"""The files that the synthetic sets are published in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from synth_tasks.data import Schema, infer_schema
from synth_tasks.errors import DataError
from synth_tasks.files import make_folder
from synth_tasks.release.bundle import PUBLIC_FOLDER, write_public
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.formats.labelled import check_labelled, write_labelled
from synth_tasks.release.formats.long import IMPUTATION, MISSING, ROW, write_long
from synth_tasks.release.formats.plain import write_csv, write_parquet

SUFFIXES = {"parquet": "parquet", "csv": "csv", "spss": "sav", "stata": "dta"}
LONG = "long_csv"


def check_formats(formats: Sequence[str], schema: Schema) -> None:
    """Refuse columns that a format cannot hold, before any work is done.

    Parameters
    ----------
    formats : sequence of str
        What `publish.formats` asks for.
    schema : Schema
        The variables.

    Raises
    ------
    DataError, SpecError
        Naming column, format and remedy.
    """
    for kind in ("spss", "stata"):
        if kind in formats:
            check_labelled(kind, schema)
    for variable in schema:
        if "csv" in formats and variable.keep_missing and "" in variable.categories:
            raise DataError(
                f"column '{variable.name}' keeps missing values and has the empty text as a category, "
                "which a CSV file cannot tell apart: name the category, or publish no csv"
            )
        if LONG in formats and MISSING in variable.categories:
            raise DataError(
                f"column '{variable.name}' has {MISSING} as a category, which stands for a missing "
                f"value in R: name the category, or publish no {LONG}"
            )
        if LONG in formats and variable.name in (IMPUTATION, ROW):
            raise DataError(
                f"column '{variable.name}' has a name that {LONG} needs itself: rename it, or publish "
                f"no {LONG}"
            )


def write_data(
    folder: Path,
    name: str,
    sets: Sequence[pd.DataFrame],
    formats: Sequence[str],
    schema: Schema | None = None,
    codebook: Codebook | None = None,
) -> list[str]:
    """Write every set in every format.

    Parameters
    ----------
    folder : Path
        Folder of the release.
    name : str
        Name of the data set.
    sets : sequence of DataFrame
        The synthetic sets.
    formats : sequence of str
        See `PublishSpec.formats`.
    schema : Schema, optional
        The variables; inferred from the first set if not given.
    codebook : Codebook, optional
        Labels and codes, for SPSS and Stata.

    Returns
    -------
    list of str
        Paths relative to `folder`.
    """
    schema = schema or infer_schema(sets[0])
    written = []
    make_folder(folder / "data", PUBLIC_FOLDER)
    for number, frame in enumerate(sets, start=1):
        for kind in formats:
            if kind == LONG:
                continue
            stem = f"{name}-{number:0{len(str(len(sets)))}d}"
            path = Path("data") / f"{stem}.{SUFFIXES[kind]}"
            if kind == "parquet":
                write_parquet(frame, folder / path)
            elif kind == "csv":
                write_csv(frame, folder / path)
            else:
                write_labelled(kind, frame, schema, codebook or Codebook(), folder / path)
            written.append(path.as_posix())
    if LONG in formats:
        path = Path(long_file(name))
        write_public(folder / path, write_long(sets))
        written.append(path.as_posix())
    return written


def long_file(name: str) -> str:
    """Return the path of the file with all sets, relative to the release."""
    return f"data/{name}-long.csv"
