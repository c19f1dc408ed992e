"""A table in parts: one encoded Parquet file for each stratum, written while the rows come in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth_tasks.data import Schema
from synth_tasks.files import PRIVATE_FILE, sync
from synth_tasks.release.workspace import DatasetRef

# Rows are written in groups of so many, whatever the pieces that they come in: a file has the same
# bytes for the same rows. A group of each stratum is held in memory.
GROUP_ROWS = 16_384


@dataclass(frozen=True)
class Stratum:
    """A part of the data that is worked on by itself.

    Parameters
    ----------
    number : int
        0, 1, ...
    label : str
        Its categories, for the private report.
    ref : DatasetRef
        Its rows, as they arrived.
    holes : int
        Number of cells that wait for a value.
    """

    number: int
    label: str
    ref: DatasetRef
    holes: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.ref.rows

    @property
    def name(self) -> str:
        """What it is called in public; labels are values of the data."""
        return f"stratum {self.number + 1}"


@dataclass
class PartWriter:
    """Writes the rows of each stratum to a file of its own; a context manager.

    Parameters
    ----------
    paths : sequence of Path
        File of each stratum.
    schema : Schema
        The variables.
    """

    paths: list[Path]
    schema: Schema
    rows: list[int] = field(init=False)
    holes: list[int] = field(init=False)

    def __post_init__(self) -> None:
        metadata = {"schema": json.dumps(self.schema.to_dict())}
        fields = [pa.field(name, pa.float64()) for name in self.schema.names]
        self._schema = pa.schema(fields, metadata)
        self.rows, self.holes = [0] * len(self.paths), [0] * len(self.paths)
        self._waiting: list[list[np.ndarray]] = [[] for _ in self.paths]
        self._writers: list[pq.ParquetWriter] = []

    def __enter__(self) -> PartWriter:
        for path in self.paths:
            path.touch(PRIVATE_FILE)
            self._writers.append(pq.ParquetWriter(path, self._schema, compression="zstd"))
        return self

    def append(self, matrix: np.ndarray, numbers: np.ndarray) -> None:
        """Take the next rows.

        Parameters
        ----------
        matrix : ndarray of shape (n_rows, n_variables)
            Encoded.
        numbers : ndarray of shape (n_rows,), int
            Stratum of each.
        """
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(len(self.paths) + 1))
        for number in np.unique(numbers):
            rows = order[ends[number] : ends[number + 1]]
            self._waiting[number].append(matrix[rows])
            self.holes[number] += int(self.schema.holes(matrix[rows]).sum())
            self._write(int(number), GROUP_ROWS)

    def _write(self, number: int, least: int) -> None:
        """Write whole groups of the rows that wait, and what is left where fewer are enough."""
        n_waiting = sum(map(len, self._waiting[number]))
        if n_waiting < least or not n_waiting:
            return
        rows = np.concatenate(self._waiting[number])
        whole = n_waiting - n_waiting % GROUP_ROWS if least == GROUP_ROWS else n_waiting
        for start in range(0, whole, GROUP_ROWS):
            group = rows[start : min(start + GROUP_ROWS, whole)]
            columns = [pa.array(np.ascontiguousarray(group[:, i])) for i in range(group.shape[1])]
            self._writers[number].write_table(pa.table(columns, schema=self._schema))
        self._waiting[number] = [rows[whole:].copy()] if whole < n_waiting else []
        self.rows[number] += whole

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, writer in enumerate(self._writers):
            if error is None:
                self._write(number, 1)
            writer.close()
            if error is None:
                sync(self.paths[number])


class StreamedFingerprint:
    """A hash of a table that comes in pieces, which does not depend on them.

    Parameters
    ----------
    schema : Schema
        The variables.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema, self._n_rows = schema, 0
        self._columns = [sha256() for _ in schema]

    def add(self, matrix: np.ndarray) -> None:
        """Take the next rows, encoded."""
        self._n_rows += len(matrix)
        for hashed, column in zip(self._columns, matrix.T, strict=True):
            hashed.update(np.ascontiguousarray(column, dtype="<f8").data)

    def parts(self) -> Iterable[str]:
        """Return what stands for content, size and description of the table."""
        yield from (hashed.hexdigest() for hashed in self._columns)
        yield json.dumps([self._n_rows, self._schema.to_dict()])
