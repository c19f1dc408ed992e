"""Reading CSV, Parquet and Arrow files, here or at a URL, and folders of Parquet files.

The texts of the readers' own errors may quote values and are dropped.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

from synth_tasks.data import Kind
from synth_tasks.errors import DataError, SynthError
from synth_tasks.release.limits import check_header
from synth_tasks.release.locations import (
    is_of_a_transport,
    is_url,
    open_location,
    readable_store,
)
from synth_tasks.release.sections import DatasetSpec, SourceSpec, VariableSpec
from synth_tasks.release.sources.table import to_frame
from synth_tasks.release.spec import ReleaseSpec

OLD_FEATHER = b"FEA1"  # the first version, which has no footer that Arrow reads by itself


# Numbers and dates that name no column; years and small numbers may.
LIKE_A_VALUE = re.compile(
    r"[-+]?\d*[.,]\d+([eE][-+]?\d+)?|[-+]\d+|\d{5,}|\d{4}-\d\d-\d\d.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
)


@dataclass(frozen=True)
class Place:
    """A file, or a folder of Parquet files, and how to get at it.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
        The file system.
    path : str
        Path in it.
    name : str
        What it is called in errors.
    """

    files: Any
    path: str
    name: str

    def open(self) -> IO[bytes]:
        """Open the file for reading."""
        return self.files.open(self.path, "rb")


def find_place(spec: ReleaseSpec, location: str) -> Place:
    """Find a path of the specification or a URL."""
    if not is_url(location):
        path = spec.find(location, or_folder=spec.dataset.source.parquet is not None)
        return Place(fsspec.filesystem("file"), str(path), path.name)
    files, remote = open_location(location, "dataset.source")
    return Place(files, remote, location.rstrip("/").rpartition("/")[2])


def read_file(spec: ReleaseSpec) -> pd.DataFrame:
    """Read the file that a specification names.

    Parameters
    ----------
    spec : ReleaseSpec
        Its source is one of `csv`, `parquet` and `arrow`.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataError
        Naming file, and column or row where they are known.
    """
    source = spec.dataset.source
    location = str(source.path)
    place = find_place(spec, location)
    with readable_store("read", location if is_url(location) else place.path):
        names = read_csv_header(place, spec) if source.csv is not None else []
        try:
            table = _read(place, spec)
            if source.csv is not None:
                refuse_decimal_commas(table, spec)
            return to_frame(table, spec)
        except SynthError:
            raise
        except Exception as error:  # a damaged file may raise anything
            raise explain_failure(error, place, source, names) from None


def explain_failure(
    error: Exception, place: Place, source: SourceSpec, names: Sequence[str] = ()
) -> Exception:
    """Return what to raise for an error of a reader: without the values that it quotes.

    Parameters
    ----------
    error : Exception
        Of a reader, or of the system or store.
    place, source
        What was read.
    names : sequence of str
        Columns of a CSV file.

    Returns
    -------
    Exception
        A `DataError`; an error of the system or store as it is.
    """
    if _is_of_the_store(error):
        return error
    kind = "CSV" if source.csv else "Parquet" if source.parquet else "Arrow"
    return DataError(
        f"{place.name} cannot be read as {kind}{_reason(error, table_names=names)}: check the "
        "file and the settings of dataset.source and variables"
    )


def _is_of_the_store(error: Exception) -> bool:
    """Tell errors of system or store from those that a reader has with the content."""
    if isinstance(error, OSError):
        return error.errno is not None or type(error) is not OSError
    return is_of_a_transport(error)


def _read(place: Place, spec: ReleaseSpec) -> pa.Table:
    dataset = spec.dataset
    if dataset.source.csv is not None:
        return _read_csv(place, spec)
    if dataset.source.arrow is not None:
        return _read_arrow(place, dataset)
    if place.files.isdir(place.path):
        whole = check_folder(place)
        return whole.to_table(columns=columns_to_read(whole.schema.names, dataset))
    with place.open() as file:
        columns = columns_to_read(pq.read_schema(file).names, dataset)
        return pq.read_table(file, columns=columns)


def _read_arrow(place: Place, dataset: DatasetSpec) -> pa.Table:
    with place.open() as file:
        if is_old_feather(file):
            table = pa.feather.read_table(file)
            check_header(table.column_names, dataset)
            return table
        columns = columns_to_read(pa.ipc.open_file(file).schema.names, dataset)
        file.seek(0)
        return pa.feather.read_table(file, columns)


def is_old_feather(file: IO[bytes]) -> bool:
    """Tell whether a file is Feather of the first version; it is left at its beginning."""
    old = file.read(len(OLD_FEATHER)) == OLD_FEATHER
    file.seek(0)
    return old


def columns_to_read(names: Sequence[str], dataset: DatasetSpec) -> list[str] | None:
    """Check the names of a file, and return those that are not dropped; None for all."""
    check_header(names, dataset)
    dropped = set(dataset.drop)
    return [name for name in names if name not in dropped] if dropped else None


def check_folder(place: Place) -> Any:
    """Return the Parquet files below a folder as one data set, if they have one schema.

    Names of folders like ``year=2020`` become columns.
    """
    whole = pa.dataset.dataset(
        place.path, format="parquet", filesystem=place.files, partitioning="hive"
    )
    fragments = list(whole.get_fragments())
    if not fragments:
        raise DataError(f"{place.name} holds no Parquet file: check dataset.source.parquet")
    # Arrow takes the columns of the first file, and would silently leave out those of others.
    schemas = [fragment.physical_schema.remove_metadata() for fragment in fragments]
    if any(not schema.equals(schemas[0]) for schema in schemas):
        raise DataError(
            f"the Parquet files of {place.name} differ in their columns or types: write them with one "
            "schema"
        )
    return whole


def refuse_other_delimiter(header: Sequence[str]) -> None:
    """Refuse a CSV file that is to be read with the wrong separator."""
    others = [sign for sign in ";,\t|" if sign in header[0]] if len(header) == 1 else []
    if others:
        raise DataError(
            f"the header is one name that holds {others[0]!r}: set dataset.source.delimiter"
        )


def refuse_decimal_commas(table: pa.Table, spec: ReleaseSpec) -> None:
    """Refuse a CSV file that was read with the wrong decimal sign."""
    for field, column in zip(table.schema, table.columns, strict=True):
        if (
            pa.types.is_string(field.type)
            and must_not_hold_commas(field.name, spec)
            and all_decimal_commas(column)
        ):
            raise decimal_comma(field.name)


def must_not_hold_commas(name: str, spec: ReleaseSpec) -> bool:
    """Tell whether texts like 1,2 would be misread: not if dropped, or declared as categories."""
    if name in spec.dataset.drop or spec.dataset.source.decimal != ".":
        return False
    return name not in spec.variables or not spec.variables[name].categories


def all_decimal_commas(column: pa.ChunkedArray) -> bool:
    """Tell whether there are texts in a column, and all are numbers with a decimal comma."""
    like_numbers = pc.match_substring_regex(column, r"^\s*[-+]?\d+,\d+\s*$")
    return bool(pc.all(like_numbers, min_count=1).as_py())


def decimal_comma(name: str) -> DataError:
    """Return the error of a column that was read with the wrong decimal sign."""
    return DataError(
        f"column '{name}' holds numbers with a decimal comma: set dataset.source.decimal: ',', or list "
        f"variables.{name}.categories"
    )


def _reason(error: Exception, table_names: Sequence[str]) -> str:
    """Say where a reader failed, without the value that it quotes."""
    text = str(error)
    if found := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", text):
        return f" (row {found[1]} has {found[3]} fields instead of {found[2]})"
    if found := re.search(r"In CSV column #(\d+)", text):
        return f" (column '{table_names[int(found[1])]}' has values that do not fit its kind)"
    return ""


def csv_options(
    source: SourceSpec, variables: Mapping[str, VariableSpec]
) -> tuple[pa.csv.ParseOptions, pa.csv.ConvertOptions]:
    """Return how a CSV file is to be parsed and converted, as the specification says."""
    as_text = {
        name: pa.string()
        for name, variable in variables.items()
        if variable.categories and all(isinstance(label, str) for label in variable.categories)
    }
    as_text |= {
        name: pa.timestamp("us")
        for name, variable in variables.items()
        if variable.kind is Kind.DATETIME
    }
    parse = pa.csv.ParseOptions(delimiter=source.delimiter, newlines_in_values=True)
    convert = pa.csv.ConvertOptions(
        null_values=source.missing,
        decimal_point=source.decimal,
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        column_types=as_text,
    )
    return parse, convert


def _read_csv(place: Place, spec: ReleaseSpec) -> pa.Table:
    parse, convert = csv_options(spec.dataset.source, spec.variables)
    try:
        with place.open() as file:
            return pa.csv.read_csv(file, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid:
        # With one thread the reader knows in which row it failed.
        single = pa.csv.ReadOptions(use_threads=False)
        with place.open() as file:
            return pa.csv.read_csv(file, single, parse, convert)


def read_csv_header(place: Place, spec: ReleaseSpec) -> list[str]:
    """Return the column names of a CSV file, after making sure that it is text and can be released."""
    dataset = spec.dataset
    _check_utf8(place)
    with place.open() as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        try:
            header = next(csv.reader(text, delimiter=dataset.source.delimiter), None)
        except csv.Error:
            raise DataError(
                f"{place.name} has a header row that is no CSV: check file and delimiter"
            ) from None
    if not header:
        raise DataError(f"{place.name} is empty: expected a header row and data")
    refuse_other_delimiter(header)
    check_header(header, dataset)
    _refuse_data_as_header(header, spec)
    return header


def _refuse_data_as_header(header: Sequence[str], spec: ReleaseSpec) -> None:
    """Refuse a file without a header: the names of columns, which are published, would be a person."""
    seen = {*spec.variables, *spec.dataset.drop}
    for number, name in enumerate(header, start=1):
        if name not in seen and LIKE_A_VALUE.fullmatch(name.strip()):
            raise DataError(
                f"column {number} has a number or a date for a name: put the names of the columns into "
                "the first row, or declare it in variables"
            )


def _check_utf8(place: Place) -> None:
    position = 0
    with place.open() as file:
        for line in file:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{place.name} is not UTF-8 (byte {position + error.start}): save it as UTF-8, "
                    "e.g. iconv -f latin1 -t utf-8"
                ) from None
            position += len(line)
