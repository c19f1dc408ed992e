"""Nearest rows of another table: one pass over the distances of `gower` serves all who ask.

Rows are compared block by block, so memory does not grow with the number of pairs; the compiled loop
runs without the interpreter's lock, in as many threads as wanted. No number of threads or size of block
changes a result: the distance of two rows is always summed in the order of the variables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from synth_tasks.engine.tree.compiled import kernel, part
from synth_tasks.engine.workers import map_in_threads

# Sums of the same numbers in another order differ by this much at most, for up to 1000 variables.
TIE = 1e-12

# So many reference rows at a time stay in the cache of a processor, with up to about 100 variables.
BLOCK = 512

# So many queries are one piece of work for a thread.
PIECE = 128

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What lies near the rows that asked.

    Parameters
    ----------
    first, second : ndarray of shape (q,)
        Distance to the nearest and to the second nearest reference row, in [0, p]; infinite where
        there is none.
    tied : ndarray of shape (q,), int64
        Number of reference rows that are as near as the nearest one.
    nearer, not_further : ndarray of shape (q,), int64
        Number of reference rows nearer than, and not further than, the distance that was asked about.
    """

    first: np.ndarray
    second: np.ndarray
    tied: np.ndarray
    nearer: np.ndarray
    not_further: np.ndarray


def find_neighbours(
    queries: np.ndarray,
    references: np.ndarray,
    *,
    left_out: np.ndarray | None = None,
    asked: np.ndarray | None = None,
    workers: int = 1,
    block: int = BLOCK,
) -> Neighbours:
    """Find the two nearest reference rows of every query, and rank a distance among all.

    Parameters
    ----------
    queries : ndarray of shape (p, q), float64
        Rows that ask, one variable a row, as scaled by `gower.scale_pair`.
    references : ndarray of shape (p, n), float64
        Rows that are looked through, on the same scale.
    left_out : ndarray of int of shape (q,), optional
        Reference row that a query does not see, such as itself; `NOBODY` for none.
    asked : ndarray of shape (q,), optional
        A distance for each query; ``nearer`` and ``not_further`` count against it.
    workers : int, default 1
        Threads.
    block : int
        Reference rows compared at a time.

    Returns
    -------
    Neighbours
        Distances up to `TIE` apart count as equal.
    """
    q = queries.shape[1]
    by_query = np.ascontiguousarray(queries.T)
    columns = np.ascontiguousarray(references)
    hidden = np.full(q, NOBODY) if left_out is None else np.asarray(left_out, dtype=np.int64)
    limits = np.full(q, -1.0) if asked is None else np.asarray(asked, dtype=float)
    nearest = np.full((q, 2), np.inf)
    counts = np.zeros((q, 3), dtype=np.int64)
    search = partial(_search, by_query, columns, hidden, limits, nearest, counts, block)
    map_in_threads(search, range(0, q, PIECE), workers)
    return Neighbours(nearest[:, 0], nearest[:, 1], *counts.T)


def own_distances(queries: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Compute the distance of each query to the reference row in the same position.

    Parameters
    ----------
    queries, references : ndarray of shape (p, q)
        As in `find_neighbours`.

    Returns
    -------
    ndarray of shape (q,)
    """
    total = np.zeros(queries.shape[1])
    for query, reference in zip(queries, references, strict=True):
        total += np.minimum(np.abs(reference - query), 1.0)
    return total


def _search(
    queries: np.ndarray,
    references: np.ndarray,
    hidden: np.ndarray,
    limits: np.ndarray,
    nearest: np.ndarray,
    counts: np.ndarray,
    block: int,
    start: int,
) -> None:
    rows = slice(start, start + PIECE)
    _scan(queries[rows], references, hidden[rows], limits[rows], nearest[rows], counts[rows], block)


@kernel
def _scan(
    queries: np.ndarray,
    references: np.ndarray,
    hidden: np.ndarray,
    limits: np.ndarray,
    nearest: np.ndarray,
    counts: np.ndarray,
    block: int,
) -> None:
    p, n = references.shape
    total = np.empty(block)
    for low in range(0, n, block):
        size = min(block, n - low)
        for i in range(len(queries)):
            total[:size] = 0.0
            for v in range(p):
                x = queries[i, v]
                column = references[v, low : low + size]
                for j in range(size):
                    difference = abs(column[j] - x)
                    total[j] += difference if difference < 1.0 else 1.0
            skipped = hidden[i] - low
            if 0 <= skipped < size:
                total[skipped] = np.inf
            _update(total, size, limits[i], nearest[i], counts[i])


@part
def _update(
    total: np.ndarray, size: int, limit: float, nearest: np.ndarray, counts: np.ndarray
) -> None:
    first, second, tied = nearest[0], nearest[1], counts[0]
    nearer, not_further = 0, 0
    for j in range(size):
        distance = total[j]
        nearer += distance < limit - TIE
        not_further += distance <= limit + TIE
        if distance >= second and distance > first + TIE:
            continue
        if distance < first - TIE:
            tied = 1
        elif distance <= first + TIE and distance < np.inf:
            tied += 1
        if distance < first:
            first, second = distance, first
        elif distance < second:
            second = distance
    nearest[0], nearest[1] = first, second
    counts[0] = tied
    counts[1] += nearer
    counts[2] += not_further
