"""Reading the confidential data set.

Errors name columns and counts; the texts of the readers' own errors may quote values and are dropped.
"""

from __future__ import annotations

import pandas as pd
from pydantic import SecretStr

from synth_tasks.data import check_table, check_varying
from synth_tasks.datasets import BUILTIN
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.limits import check_header
from synth_tasks.release.sources.database import read_query, url_from_environment
from synth_tasks.release.sources.files import read_file
from synth_tasks.release.sources.labelled import read_labelled
from synth_tasks.release.sources.table import to_frame
from synth_tasks.release.spec import ReleaseSpec


def read_source(spec: ReleaseSpec, database_url: SecretStr | None = None) -> pd.DataFrame:
    """Read the data set that a specification names; see `read_documented`."""
    return read_documented(spec, database_url)[0]


def read_documented(
    spec: ReleaseSpec, database_url: SecretStr | None = None
) -> tuple[pd.DataFrame, Codebook]:
    """Read the data set that a specification names, and what its file says about the columns.

    Parameters
    ----------
    spec : ReleaseSpec
        Names source, columns to drop and variables.
    database_url : SecretStr, optional
        Address of the database, for a query; found in `url_env` if not given.

    Returns
    -------
    frame : DataFrame
        Whole numbers and booleans with holes have nullable dtypes, so that nothing becomes a fraction.
    codebook : Codebook
        Labels and codes; labels of the specification count more.

    Raises
    ------
    DataError, SpecError
        Naming what is wrong and how to mend it.
    """
    frame, codebook = read_columns(spec, database_url)
    check_table(frame)
    check_varying(frame, [n for n, variable in spec.variables.items() if variable.keep_missing])
    labels = {name: variable.label for name, variable in spec.variables.items() if variable.label}
    codebook = codebook.with_labels(labels).restrict(list(frame.columns))
    return frame.reset_index(drop=True), codebook


def read_columns(
    spec: ReleaseSpec, database_url: SecretStr | None = None
) -> tuple[pd.DataFrame, Codebook]:
    """Read the columns that are not dropped, usable or not; see `read_documented`."""
    frame, codebook = _read(spec, database_url)
    return frame.drop(columns=spec.dataset.drop, errors="ignore"), codebook


def _read(spec: ReleaseSpec, database_url: SecretStr | None) -> tuple[pd.DataFrame, Codebook]:
    source = spec.dataset.source
    if source.builtin is not None:
        frame = BUILTIN[source.builtin]()
        check_header(list(frame.columns), spec.dataset)
        return frame, Codebook()
    if source.kind in ("spss", "stata", "sas"):
        return read_labelled(spec)
    if source.sql is not None:
        table = read_query(source.sql, database_url or url_from_environment(source))
        check_header(table.column_names, spec.dataset)
        return to_frame(table, spec), Codebook()
    return read_file(spec), Codebook()
