"""Reading CSV, Parquet and Arrow sources piece by piece, as often as need be.

The pieces hold the rows in the order of the source. CSV files say nothing of types: they are found by
reading the file once, as the reader of whole files finds them: the first type that fits all values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet as pq

from synth_tasks.errors import DataError, SpecError, SynthError
from synth_tasks.release.limits import check_header
from synth_tasks.release.locations import is_url, readable_store
from synth_tasks.release.sections import SourceSpec
from synth_tasks.release.sources.files import (
    Place,
    all_decimal_commas,
    check_folder,
    columns_to_read,
    csv_options,
    decimal_comma,
    explain_failure,
    find_place,
    is_old_feather,
    must_not_hold_commas,
    read_csv_header,
)
from synth_tasks.release.sources.table import to_frame
from synth_tasks.release.spec import ReleaseSpec

BATCH_ROWS = 131_072
CSV_BLOCK = 16 << 20  # bytes
STREAMED = ("csv", "parquet", "arrow")
# In the order in which the reader of whole files tries them; what fits none is text.
CSV_TYPES = (
    pa.int64(),
    pa.bool_(),
    pa.date32(),
    pa.time32("s"),
    pa.timestamp("s"),
    pa.timestamp("s", "UTC"),
    pa.timestamp("ns"),
    pa.timestamp("ns", "UTC"),
    pa.float64(),
)
BLANKS = " \t"  # around values other than texts and truth values, which the reader leaves out
TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


@dataclass(frozen=True)
class SourceStream:
    """A source that is read in pieces.

    Parameters
    ----------
    spec : ReleaseSpec
        Names the source.
    batch_rows : int, default 131,072
        Most rows of a piece.
    types : mapping of str to DataType
        Of the columns of a CSV file that are not declared.
    """

    spec: ReleaseSpec
    batch_rows: int = BATCH_ROWS
    types: Mapping[str, pa.DataType] = field(default_factory=dict)

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in pieces, typed as `read_file` types the whole.

        Raises
        ------
        DataError
            Naming file, and column or row where they are known.
        """
        source = self.spec.dataset.source
        location = str(source.path)
        place = find_place(self.spec, location)
        names = read_csv_header(place, self.spec) if source.csv is not None else []
        with readable_store("read", location if is_url(location) else place.path):
            try:
                for table in _read(place, self):
                    yield to_frame(table, self.spec)
            except SynthError:
                raise
            except Exception as error:
                raise explain_failure(error, place, source, names) from None


def open_stream(spec: ReleaseSpec, batch_rows: int = BATCH_ROWS) -> SourceStream:
    """Open a source to read it in pieces.

    Parameters
    ----------
    spec : ReleaseSpec
        Its source is one of `csv`, `parquet` and `arrow`.
    batch_rows : int, default 131,072
        Most rows of a piece; it changes no result.

    Returns
    -------
    SourceStream

    Raises
    ------
    SpecError
        If the source is of another kind.
    """
    source = spec.dataset.source
    if source.kind not in STREAMED:
        raise SpecError(
            f"partition: a source of the kind {source.kind} cannot be read in pieces: export it to "
            "Parquet, or leave out partition"
        )
    stream = SourceStream(spec, batch_rows)
    if source.csv is None:
        return stream
    return SourceStream(spec, batch_rows, _find_types(stream))


def _read(place: Place, stream: SourceStream) -> Iterator[pa.Table]:
    source = stream.spec.dataset.source
    if source.csv is not None:
        return _read_csv(place, stream, stream.types)
    if source.arrow is not None:
        return _read_arrow(place, stream)
    if place.files.isdir(place.path):
        return _read_folder(place, stream)
    return _read_parquet(place, stream)


def _read_parquet(place: Place, stream: SourceStream) -> Iterator[pa.Table]:
    with place.open() as file:
        # Buffered beforehand, a file of any size would be held as it is read.
        parquet = pq.ParquetFile(file, pre_buffer=False)
        columns = columns_to_read(parquet.schema_arrow.names, stream.spec.dataset)
        for batch in parquet.iter_batches(stream.batch_rows, columns=columns):
            yield pa.Table.from_batches([batch])


def _read_folder(place: Place, stream: SourceStream) -> Iterator[pa.Table]:
    whole = check_folder(place)
    columns = columns_to_read(whole.schema.names, stream.spec.dataset)
    for fragment in sorted(whole.get_fragments(), key=lambda f: f.path):
        # One piece ahead: what is read beforehand is memory.
        scanned = fragment.to_batches(
            schema=whole.schema,
            columns=columns,
            batch_size=stream.batch_rows,
            batch_readahead=1,
            fragment_readahead=1,
        )
        for batch in scanned:
            if batch.num_rows:
                yield pa.Table.from_batches([batch])


def _read_arrow(place: Place, stream: SourceStream) -> Iterator[pa.Table]:
    with place.open() as file:
        if is_old_feather(file):
            raise DataError(
                f"{place.name} is Feather of the first version, which cannot be read in pieces: write "
                "it anew, or leave out partition"
            )
        reader = pa.ipc.open_file(file)
        check_header(reader.schema.names, stream.spec.dataset)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            for start in range(0, batch.num_rows, stream.batch_rows):
                yield pa.Table.from_batches([batch.slice(start, stream.batch_rows)])


# --- CSV ------------------------------------------------------------------------------------------


def _read_csv(
    place: Place, stream: SourceStream, types: Mapping[str, pa.DataType]
) -> Iterator[pa.Table]:
    source = stream.spec.dataset.source
    parse, convert = csv_options(source, stream.spec.variables)
    convert.column_types = {**types, **_as_mapping(convert.column_types)}
    read = pa.csv.ReadOptions(block_size=CSV_BLOCK)
    with place.open() as file:
        reader = pa.csv.open_csv(file, read, parse, convert)
        try:
            for batch in reader:
                for start in range(0, batch.num_rows, stream.batch_rows):
                    yield pa.Table.from_batches([batch.slice(start, stream.batch_rows)])
        finally:
            # Kept by the traceback of an error, its thread reads on, and aborts the process at its end.
            del reader


@dataclass
class _Texts:
    """What the texts of a column can be taken for, as far as they were read."""

    decimal_commas: bool  # only asked for where they must not be
    possible: list[pa.DataType] = field(default_factory=lambda: list(CSV_TYPES))
    observed: bool = False

    def look_at(self, column: pa.ChunkedArray, source: SourceSpec) -> None:
        """Read on."""
        if column.null_count == len(column):
            return
        self.observed = True
        if pa.types.is_string(column.type):
            self.possible = [kind for kind in self.possible if _fits(column, kind, source)]
            self.decimal_commas = self.decimal_commas and all_decimal_commas(column)

    @property
    def type(self) -> pa.DataType:
        """The first type that fits all values."""
        return next(iter(self.possible), pa.string()) if self.observed else pa.null()


def _find_types(stream: SourceStream) -> dict[str, pa.DataType]:
    """Read a CSV file as text, and find the first type that fits all values of each column."""
    source = stream.spec.dataset.source
    place = find_place(stream.spec, str(source.path))
    names = read_csv_header(place, stream.spec)
    columns = {name: _Texts(must_not_hold_commas(name, stream.spec)) for name in names}
    location = str(source.path)
    with readable_store("read", location if is_url(location) else place.path):
        try:
            texts = dict.fromkeys(names, pa.string())
            for table in _read_csv(place, SourceStream(stream.spec), texts):
                for name in names:
                    columns[name].look_at(table.column(name), source)
        except SynthError:
            raise
        except Exception as error:
            raise explain_failure(error, place, source, names) from None
    for name, column in columns.items():
        if column.decimal_commas and column.type == pa.string():
            raise decimal_comma(name)
    return {name: column.type for name, column in columns.items()}


def _fits(column: pa.ChunkedArray, kind: pa.DataType, source: SourceSpec) -> bool:
    if not pa.types.is_boolean(kind):
        column = pc.ascii_trim(column, BLANKS)
    if pa.types.is_time(kind):  # hours and minutes alone are no time to `cast`
        return bool(pc.all(pc.match_substring_regex(column, TIME)).as_py())
    if source.decimal != "." and pa.types.is_floating(kind):
        if pc.any(pc.match_substring(column, ".")).as_py():
            return False
        column = pc.replace_substring(column, source.decimal, ".")
    try:
        pc.cast(column, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _as_mapping(types: Any) -> dict[str, pa.DataType]:
    return dict(types or {})
