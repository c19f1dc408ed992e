"""How large a file is before it is read: from its header or footer, estimated for CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

from synth_tasks.errors import SynthError
from synth_tasks.release.locations import is_url, readable_store
from synth_tasks.release.sections import SourceSpec
from synth_tasks.release.sources.files import (
    Place,
    check_folder,
    explain_failure,
    find_place,
    is_old_feather,
)
from synth_tasks.release.sources.readstat import READERS, read_readstat
from synth_tasks.release.spec import ReleaseSpec

SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True)
class Extent:
    """The size of a source.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_columns : int
        Number of columns that are not dropped.
    estimated : bool
        Whether the rows are estimated from the size of the file.
    """

    n_rows: int
    n_columns: int
    estimated: bool = False

    def __str__(self) -> str:
        rows = f"{self.n_rows} rows"
        if self.estimated:
            rows = f"about {rows} (estimated from the size of the file)"
        return f"{rows} and {self.n_columns} columns"


def find_extent(spec: ReleaseSpec) -> Extent | None:
    """Return the size of a source without reading its rows.

    Parameters
    ----------
    spec : ReleaseSpec
        Names the source.

    Returns
    -------
    Extent or None
        None for a source that does not tell it: a database, a data set of this package, a transport
        file of SAS, Feather of the first version.

    Raises
    ------
    DataError, SpecError, StorageError
        If the file is not there or damaged.
    """
    source = spec.dataset.source
    if source.kind in READERS:
        return _ask_readstat(spec)
    if source.kind not in ("csv", "parquet", "arrow"):
        return None
    location = str(source.path)
    place = find_place(spec, location)
    with readable_store("read", location if is_url(location) else place.path):
        try:
            return _find(place, source, set(spec.dataset.drop))
        except SynthError:
            raise
        except Exception as error:  # a damaged file may raise anything
            raise explain_failure(error, place, source) from None


def _ask_readstat(spec: ReleaseSpec) -> Extent | None:
    source = spec.dataset.source
    path = spec.find(str(source.path))
    frame, facts = read_readstat(path, source.kind, facts_only=True)
    if facts.number_rows is None:
        return None
    return _extent(facts.number_rows, list(frame.columns), set(spec.dataset.drop))


def _find(place: Place, source: SourceSpec, dropped: set[str]) -> Extent | None:
    if source.csv is not None:
        return _estimate(place, source, dropped)
    if source.arrow is not None:
        return _count_arrow(place, dropped)
    if place.files.isdir(place.path):
        whole = check_folder(place)
        return _extent(whole.count_rows(), whole.schema.names, dropped)
    with place.open() as file:
        footer = pq.ParquetFile(file)
        return _extent(footer.metadata.num_rows, footer.schema_arrow.names, dropped)


def _count_arrow(place: Place, dropped: set[str]) -> Extent | None:
    with place.open() as file:
        if is_old_feather(file):
            return None
    whole = pa.dataset.dataset(place.path, format="ipc", filesystem=place.files)
    return _extent(whole.count_rows(), whole.schema.names, dropped)


def _estimate(place: Place, source: SourceSpec, dropped: set[str]) -> Extent:
    """Divide the bytes of a CSV file by those of a row, of the first that are there.

    Line breaks within quotation marks count as rows, which errs to the side of caution.
    """
    with place.open() as file:
        sample = file.read(SAMPLE_BYTES)
    header, _, rows = sample.partition(b"\n")
    text = io.StringIO(header.decode("utf-8-sig", errors="replace"))
    names = next(csv.reader(text, delimiter=source.delimiter), [])
    n_bytes = place.files.size(place.path) - len(header)
    n_lines = max(rows.count(b"\n"), 1)
    return _extent(round(n_bytes * n_lines / max(len(rows), 1)), names, dropped, estimated=True)


def _extent(n_rows: int, names: list[str], dropped: set[str], estimated: bool = False) -> Extent:
    return Extent(n_rows, sum(name not in dropped for name in names), estimated)
