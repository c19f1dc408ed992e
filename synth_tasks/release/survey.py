"""Looking through a source that is read in pieces: what a release needs to know before it begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synth_tasks.data import Kind, Schema, check_table, check_varying, encode
from synth_tasks.data.digests import MOST_DISTINCT, ColumnDigest, TableDigest, digest_table
from synth_tasks.data.schema import CATEGORICAL_KINDS
from synth_tasks.engine.resolving import resolve_strata
from synth_tasks.errors import DataError, SpecError
from synth_tasks.release.codebook import Codebook
from synth_tasks.release.division import Division, divide_cells, encode_cells
from synth_tasks.release.identifiers import WholeNumbers
from synth_tasks.release.limits import (
    check_categories,
    check_columns,
)
from synth_tasks.release.plans import formulas, require_columns
from synth_tasks.release.sources.streams import BATCH_ROWS, SourceStream, open_stream
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import (
    SourceTable,
    check_models,
    refuse_identifier,
    refuse_rare_categories,
)

SAMPLE_ROWS = 50_000
MOST_CELLS = 20_000
Cell = tuple[object, ...]


@dataclass(frozen=True)
class Survey:
    """What one pass over a source has told.

    Parameters
    ----------
    stream : SourceStream
        The source, to be read again.
    digest : TableDigest
        Description of every column.
    schema : Schema
        The variables.
    codebook : Codebook
        Labels of the columns.
    division : Division
        Which stratum a row belongs to.
    sample : ndarray of shape (n_sample, n_variables)
        Encoded rows at equal distances, at most 50,000.
    """

    stream: SourceStream
    digest: TableDigest
    schema: Schema
    codebook: Codebook
    division: Division
    sample: np.ndarray

    @property
    def n_rows(self) -> int:
        """Number of rows of the source."""
        return self.digest.n_rows

    @property
    def missing_values(self) -> dict[str, int]:
        """Number of missing values of each variable that wait to be filled."""
        return {
            v.name: 0 if v.keep_missing else self.digest.columns[v.name].n_missing
            for v in self.schema
        }

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in pieces, without the columns that are dropped."""
        return self.stream.frames()


def survey_source(spec: ReleaseSpec, batch_rows: int = BATCH_ROWS) -> Survey:
    """Read a source once in pieces, describe it, and check what can be checked before long work.

    Parameters
    ----------
    spec : ReleaseSpec
        The release; it has a `partition`.
    batch_rows : int, default 131,072
        Most rows of a piece; it changes no result.

    Returns
    -------
    Survey

    Raises
    ------
    DataError, SpecError, PlanError, ExpressionError
        One line that names the column or setting and the remedy.
    """
    stream = open_stream(spec, batch_rows)
    strata = spec.synthesis.strata
    digest, cells, observed, sample = _read_through(stream, strata)
    frame = digest.represent()
    check_table(frame)
    check_varying(frame, [n for n, variable in spec.variables.items() if variable.keep_missing])
    labels = {name: variable.label for name, variable in spec.variables.items() if variable.label}
    codebook = Codebook().with_labels(labels).restrict(list(frame.columns))
    overrides = {name: variable.as_override() for name, variable in spec.variables.items()}
    schema = digest.infer_schema(overrides)
    check_categories(schema)
    check_columns(spec, schema)
    _check_publishable(spec, schema, digest)
    names, min_size = resolve_strata(strata, spec.synthesis.min_stratum_size, schema)
    division = divide_cells(cells, schema, names, min_size)
    which = division.find(encode_cells(observed, schema, names))
    _check_observed(spec, schema, division.count, which, np.array(list(observed.values())))
    encoded = encode(sample, schema)
    check_models(spec, SourceTable(encoded, schema, codebook))
    return Survey(stream, digest, schema, codebook, division, encoded)


def _read_through(
    stream: SourceStream, strata: list[str]
) -> tuple[TableDigest, Counter[Cell], dict[Cell, np.ndarray], pd.DataFrame]:
    """Describe the columns, and count rows and observed values of each combination of categories."""
    digest: TableDigest | None = None
    cells: Counter[Cell] = Counter()
    observed: dict[Cell, np.ndarray] = {}
    thinned = _Thinned()
    labelled = [n for n, v in stream.spec.variables.items() if v.categories or _is_label(v.kind)]
    for frame in stream.frames():
        piece = digest_table(frame, labelled)
        digest = piece if digest is None else digest.merge(piece)
        for name in strata:
            if name not in frame.columns:
                require_columns("synthesis.strata", [name], digest.infer_schema())
        groups = frame.notna().groupby(
            [frame[name] for name in strata], dropna=False, observed=True, sort=False
        )
        cells.update({_as_cell(key): int(n) for key, n in groups.size().items()})
        sums = groups.sum()
        for key, counts in zip(map(_as_cell, sums.index), sums.to_numpy(dtype=int), strict=True):
            observed[key] = observed.get(key, 0) + counts
        if len(cells) > MOST_CELLS:
            raise SpecError(
                f"synthesis.strata: {', '.join(strata)} have more than {MOST_CELLS} combinations of "
                "values: name columns with few categories"
            )
        thinned.add(frame)
    if digest is None:
        raise SpecError("dataset.source: the source holds no row: check it")
    return digest, cells, observed, thinned.frame()


def _check_observed(
    spec: ReleaseSpec, schema: Schema, n_strata: int, numbers: np.ndarray, observed: np.ndarray
) -> None:
    """Refuse columns that have holes and no value in a stratum: nothing there tells how to fill them.

    Parameters
    ----------
    spec : ReleaseSpec
        Tells formulas, which need no value.
    schema : Schema
        The variables.
    n_strata : int
        Number of strata.
    numbers : ndarray of shape (n_cells,), int
        The stratum of each combination of categories.
    observed : ndarray of shape (n_cells, n_variables)
        Number of values that are there.
    """
    computed = formulas(spec.imputation.method)
    for position, variable in enumerate(schema):
        counts = np.bincount(numbers, observed[:, position], n_strata)
        empty = int((counts == 0).sum())
        if empty and not variable.keep_missing and variable.name not in computed:
            raise DataError(
                f"column '{variable.name}' has no value in {empty} of {n_strata} strata to learn "
                f"from: keep its holes (variables.{variable.name}.keep_missing), drop it, or divide by "
                "other columns (synthesis.strata)"
            )


def _is_label(kind: Kind | None) -> bool:
    return kind in CATEGORICAL_KINDS


def _as_cell(key: object) -> Cell:
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(None if pd.isna(part) else part for part in parts)


def _check_publishable(spec: ReleaseSpec, schema: Schema, digest: TableDigest) -> None:
    for variable in schema:
        column = digest.columns[variable.name]
        if variable.is_categorical:
            counts = np.array([column.labels[label] for label in variable.categories])
            refuse_rare_categories(spec, variable, counts)
        elif column.distinct is not None and len(column.distinct):
            refuse_identifier(spec, variable, _count(column, column.distinct))


def _count(column: ColumnDigest, distinct: np.ndarray) -> WholeNumbers:
    numbers = np.array(column.witnesses, dtype=float)  # smallest and largest are among them
    return WholeNumbers(
        column.n_observed,
        len(distinct),
        float(numbers.min()),
        float(numbers.max()),
        column.repeated,
        more=len(distinct) == MOST_DISTINCT,
    )


class _Thinned:
    """Every row, every second, every fourth ...: rows at equal distances, whatever the pieces."""

    def __init__(self) -> None:
        self._step, self._n_rows, self._n_kept = 1, 0, 0
        self._kept: list[pd.DataFrame] = []

    def add(self, frame: pd.DataFrame) -> None:
        """Take the next rows."""
        numbers = np.arange(self._n_rows, self._n_rows + len(frame))
        self._n_rows += len(frame)
        self._keep([frame.set_axis(numbers, axis=0)])
        while self._n_kept > SAMPLE_ROWS:
            self._step *= 2
            kept, self._kept, self._n_kept = self._kept, [], 0
            self._keep(kept)

    def _keep(self, frames: Iterable[pd.DataFrame]) -> None:
        for frame in frames:
            some = frame[frame.index.to_numpy() % self._step == 0]
            self._kept.append(some)
            self._n_kept += len(some)

    def frame(self) -> pd.DataFrame:
        """Return the rows that are left."""
        return pd.concat(self._kept, ignore_index=True)
