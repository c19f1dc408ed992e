"""Smoothed quantile functions: what is kept of donors that are numbers.

The sorted donors of a group are divided into pieces of at least three people. A value that as many
people share as a piece is wide is a *flat* piece of its own and is kept as it is; fewer than three
other people beside such values are given the nearer one. Every other piece is known by its mean only,
rounded to four digits of the typical spread of the variable. The quantile function runs in straight
lines from the middle between two neighbouring means to the mean and on to the next middle. The mean is
put at the rank that leaves the mean of the piece, and so of the group, what it was: with the distances
L and R of the mean from the ends of its piece, the share R / (L + R) of the piece lies below it. The
variance within such a piece is L R / 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_ROWS = 3
PIECES_A_MARGIN = 200
TAIL_GROWTH = 1.25
STRETCH_BOUNDS = (0.5, 3.0)
DIGITS = 4
RANK_DECIMALS = 6


@dataclass(frozen=True)
class Quantiles:
    """Piecewise linear quantile functions of some groups.

    Parameters
    ----------
    start : ndarray of int of shape (n_groups + 1,)
        The knots of group j are ``start[j]``, ..., ``start[j + 1] - 1``, at least two.
    ranks : ndarray of shape (n_knots,)
        From 0 to 1 in each group, not descending.
    values : ndarray of shape (n_knots,)
        Value of the quantile function at each rank.
    """

    start: np.ndarray
    ranks: np.ndarray
    values: np.ndarray

    @classmethod
    def learn(cls, groups: Sequence[np.ndarray], spreads: np.ndarray, n_pieces: int) -> Quantiles:
        """Smooth the donors of some groups.

        The first and last piece of a group reach beyond their means by a multiple of what they reach
        inwards. It is the same for all groups and chosen so that the variance within groups stays, but
        for its bounds. No group reaches further than everyone together would, for whom the multiple is
        one; and if all donors have one sign, everyone reaches at most half way to zero.

        Parameters
        ----------
        groups : sequence of ndarray
            Donors of each group, at least three.
        spreads : ndarray of shape (n_groups,)
            Standard deviation for a group of one piece, whose own says too much about its people.
        n_pieces : int
            Most pieces of a group, not counting narrower ones in the tails.

        Returns
        -------
        Quantiles
        """
        everyone = np.concatenate(groups)
        decimals = decimals_for(_typical_spread(everyone), DIGITS)
        pieces = [_Pieces.of(np.sort(group), n_pieces, decimals) for group in groups]
        stretch = _stretch(groups, pieces)
        support = _support(everyone, decimals)
        knots = [
            piece.knots(stretch, float(spread), support, decimals + 1)
            for piece, spread in zip(pieces, spreads, strict=True)
        ]
        start = np.cumsum([0, *(len(ranks) for ranks, _ in knots)])
        ranks, values = (np.concatenate(column) for column in zip(*knots, strict=True))
        return cls(start, ranks, values)

    def draw(self, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one value from each group named, independently."""
        return self.at(groups, rng.random(len(groups)))

    def at(self, groups: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        """Return the values at some ranks between 0 and 1 in the groups named."""
        # The groups lie side by side on one line, with room between them.
        positions = self.ranks + 2.0 * np.repeat(
            np.arange(len(self.start) - 1), np.diff(self.start)
        )
        wanted = ranks + 2.0 * groups
        right = np.searchsorted(positions, wanted, side="right")
        right = np.clip(right, self.start[groups] + 1, self.start[groups + 1] - 1)
        left = right - 1
        width = positions[right] - positions[left]
        share = np.where(width > 0, (wanted - positions[left]) / np.where(width > 0, width, 1.0), 0)
        return self.values[left] + share * (self.values[right] - self.values[left])


def decimals_for(spread: float, digits: int) -> int:
    """Return the number of decimals, maybe negative, with which a spread has so many digits."""
    return digits - 1 - math.floor(math.log10(spread)) if spread > 0 else 15


@dataclass(frozen=True)
class _Pieces:
    """The pieces of one group in ascending order.

    Parameters
    ----------
    sizes : ndarray
        Number of donors in each.
    centres : ndarray
        Mean of a piece, or the common value of a flat one.
    flat : ndarray of bool
        Whether all donors share one value.
    below, above : ndarray
        How far a piece reaches down and up from its centre; NaN at the open ends of a group.
    """

    sizes: np.ndarray
    centres: np.ndarray
    flat: np.ndarray
    below: np.ndarray
    above: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, n_pieces: int, decimals: int) -> _Pieces:
        """Divide sorted donors."""
        width = max(LEAST_ROWS, math.ceil(len(values) / n_pieces))
        first, flat = _segments(values, width)
        values = _recode_few(values, first, flat)
        first, flat = _segments(values, width)
        ends = np.append(first[1:], len(values))
        begins, is_flat = [], []
        for begin, end, one_value in zip(first, ends, flat, strict=True):
            bounds = np.zeros(1, dtype=int) if one_value else _divide(int(end - begin), width)
            begins.append(begin + bounds)
            is_flat.append(np.full(len(bounds), one_value))
        first, flat = np.concatenate(begins), np.concatenate(is_flat)
        sizes = np.diff(np.append(first, len(values)))
        means = np.round(np.add.reduceat(values, first) / sizes, decimals)
        centres = np.where(flat, values[first], means)
        # Rounding must not carry a mean past the flat pieces beside it.
        floor = np.concatenate([[-np.inf], np.where(flat, centres, -np.inf)[:-1]])
        ceiling = np.concatenate([np.where(flat, centres, np.inf)[1:], [np.inf]])
        centres = np.where(flat, centres, np.clip(centres, floor, ceiling))
        gaps = np.diff(centres) * np.where(flat[:-1] | flat[1:], 1.0, 0.5)
        below = np.where(flat, 0.0, np.append(np.nan, gaps))
        above = np.where(flat, 0.0, np.append(gaps, np.nan))
        return cls(sizes, centres, flat, below, above)

    @property
    def single(self) -> bool:
        """Whether there is nothing to learn a spread from."""
        return len(self.sizes) == 1 and not self.flat[0]

    def stretched(self, stretch: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how far the pieces reach, the open ends by a multiple of what they reach inwards."""
        if self.single:
            return np.full(1, math.sqrt(3) * spread), np.full(1, math.sqrt(3) * spread)
        below = np.where(np.isnan(self.below), stretch * self.above, self.below)
        above = np.where(np.isnan(self.above), stretch * self.below, self.above)
        return below, above

    def knots(
        self, stretch: float, spread: float, support: tuple[float, float], decimals: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return ranks and values of the knots, those between pieces rounded."""
        below, above = self.stretched(stretch, spread)
        below[0] = min(below[0], max(self.centres[0] - support[0], 0.0))
        above[-1] = min(above[-1], max(support[1] - self.centres[-1], 0.0))
        reach = below + above
        lower_part = np.where(reach > 0, above / np.where(reach > 0, reach, 1.0), 0.5)
        ends = np.cumsum(self.sizes)
        begins = ends - self.sizes
        ranks = np.column_stack([begins, begins + lower_part * self.sizes, ends]).ravel() / ends[-1]
        lower = np.where(self.flat, self.centres, np.round(self.centres - below, decimals))
        upper = np.where(self.flat, self.centres, np.round(self.centres + above, decimals))
        values = np.column_stack([lower, self.centres, upper]).ravel()
        ranks = np.round(ranks, RANK_DECIMALS)
        keep = np.column_stack([np.ones(len(reach)), ~self.flat, np.ones(len(reach))]).ravel() > 0
        ranks, values = ranks[keep], values[keep]
        repeated = (np.diff(ranks, prepend=-1.0) == 0) & (np.diff(values, prepend=np.nan) == 0)
        return ranks[~repeated], values[~repeated]


def _segments(values: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where runs of one value shared by enough rows, or of other values, begin; and which."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    label = np.where(counts >= width, np.arange(len(counts)), -1)[number]
    first = np.flatnonzero(np.append(True, label[1:] != label[:-1]))
    return first, label[first] >= 0


def _recode_few(values: np.ndarray, first: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Give runs of fewer than three people the nearer of the shared values beside them."""
    ends = np.append(first[1:], len(values))
    recoded = values.copy()
    for number in np.flatnonzero(~flat & (ends - first < LEAST_ROWS)):
        run = slice(first[number], ends[number])
        beside = [values[first[i]] for i in (number - 1, number + 1) if 0 <= i < len(first)]
        recoded[run] = min(beside, key=lambda value: abs(value - values[run].mean()))
    return recoded


def _divide(size: int, width: int) -> np.ndarray:
    """Return where the pieces of a run begin: even ones, which narrow towards its ends."""
    tail = [LEAST_ROWS]
    while tail[-1] * TAIL_GROWTH < width:
        tail.append(math.ceil(tail[-1] * TAIL_GROWTH))
    middle = size - 2 * sum(tail)
    if len(tail) == 1 or middle < width:
        n_even = max(1, size // min(width, max(size, 1)))
        return np.arange(n_even) * size // n_even
    n_even = middle // width
    lower = np.cumsum([0, *tail])
    upper = size - lower[:0:-1]
    inner = lower[-1] + np.arange(1, n_even) * middle // n_even
    return np.concatenate([lower, inner, upper])


def _typical_spread(values: np.ndarray) -> float:
    """Return a standard deviation that a few very large values do not change."""
    lower, upper = np.quantile(values, [0.25, 0.75])
    return float((upper - lower) / 1.349 or values.std())


def _support(everyone: np.ndarray, decimals: int) -> tuple[float, float]:
    """Return the ends of the quantile function of everyone."""
    piece = _Pieces.of(np.sort(everyone), PIECES_A_MARGIN, decimals)
    below, above = piece.stretched(1.0, float(everyone.std()))
    lowest, highest = piece.centres[0] - below[0], piece.centres[-1] + above[-1]
    if everyone.min() > 0:
        lowest = max(lowest, piece.centres[0] / 2)
    if everyone.max() < 0:
        highest = min(highest, piece.centres[-1] / 2)
    return float(lowest), float(highest)


def _stretch(groups: Sequence[np.ndarray], pieces: Sequence[_Pieces]) -> float:
    """Return how far the outer pieces must reach for the variance within groups to stay."""
    missing = gained = 0.0
    for group, piece in zip(groups, pieces, strict=True):
        if piece.single:
            continue
        spread = np.where(
            np.isnan(piece.below),
            piece.above**2,
            np.where(np.isnan(piece.above), piece.below**2, 0),
        )
        inner = np.nan_to_num(piece.below * piece.above)
        between = (piece.centres - group.mean()) ** 2
        missing += group.var() * len(group) - float(piece.sizes @ (between + inner / 3))
        gained += float(piece.sizes @ spread) / 3
    return round(float(np.clip(missing / gained, *STRETCH_BOUNDS)), 2) if gained > 0 else 1.0
