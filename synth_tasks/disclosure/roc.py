"""How well scores tell members from others, with intervals.

Two experiments are judged together in which the same records change roles: members of one half score
against records of the other half, and the other way round. So the records, not the scores, are the
independent units, and every record is resampled, or has its influence, in both roles at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from synth_tasks.utility.intervals import CONFIDENCE, Interval, wilson

REPLICATES = 400
FALSE_POSITIVES = 0.01


@dataclass(frozen=True, slots=True)
class CrossedScores:
    """Scores of the same records in two experiments with opposite roles.

    Parameters
    ----------
    first, second : ndarray of shape (n,)
        Scores in the experiments of the first and of the second half; large values point to members.
    in_first : ndarray of bool of shape (n,)
        Records of the first half: members in the first experiment, others in the second.
    """

    first: np.ndarray
    second: np.ndarray
    in_first: np.ndarray

    @property
    def experiments(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Scores and marks of the members of both experiments."""
        return [(self.first, self.in_first), (self.second, ~self.in_first)]


def area_under_curve(scores: CrossedScores) -> tuple[float, Interval]:
    """Compute the mean area under both ROC curves.

    Parameters
    ----------
    scores : CrossedScores
        At least one record of each half.

    Returns
    -------
    area : float
        Probability that a member scores higher than another record, ties counted half.
    interval : tuple of float
        95 % normal interval, cut at 0 and 1. The influences of a record in both roles are added
        before their variance is taken.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845.
    """
    influence = np.zeros(len(scores.in_first))
    for values, members in scores.experiments:
        influence[members] += _placements(values[members], values[~members]) / 2
        influence[~members] += _placements(-values[~members], -values[members]) / 2
    area = variance = 0.0
    for half in (scores.in_first, ~scores.in_first):
        # Each half holds one half of the area of both experiments.
        area += float(influence[half].mean()) / 2
        variance += float(influence[half].var(ddof=min(1, half.sum() - 1))) / half.sum()
    reach = float(stats.norm.ppf(0.5 + CONFIDENCE / 2)) * math.sqrt(variance)
    return area, (max(area - reach, 0.0), min(area + reach, 1.0))


def _placements(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share of the others that each value exceeds, ties counted half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    return (below + not_above) / (2 * len(ordered))


def true_positive_rate(
    scores: CrossedScores,
    rng: np.random.Generator,
    false_positives: float = FALSE_POSITIVES,
    replicates: int = REPLICATES,
) -> tuple[float, Interval]:
    """Compute the mean rate of members found where so many others are mistaken for members.

    Parameters
    ----------
    scores : CrossedScores
        At least one record of each half.
    rng : Generator
        Resamples the records, within halves.
    false_positives : float, default 0.01
        Rate of others that are taken for members.
    replicates : int, default 400
        Bootstrap replicates.

    Returns
    -------
    rate : float
        Height of the ROC curve, interpolated where scores are tied: to guess among equals gives the
        straight line.
    interval : tuple of float
        95 % normal interval with the standard error of the bootstrap, cut at 0 and 1, and at least as
        wide as the score interval of a share of as many records, so that no rate is certain. It covers
        as often as it says from a few hundred records on; intervals centred elsewhere, from the
        bootstrap's quantiles or on the logit scale, reject chance too often near 0.

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis & Tramer (2022). Membership inference attacks from first
    principles. IEEE Symposium on Security and Privacy, 1897-1914.
    Efron & Tibshirani (1993). An introduction to the bootstrap. Chapter 13.
    """
    curves = [_Curve(values, members) for values, members in scores.experiments]
    plain = np.ones(len(scores.in_first))
    rate = float(np.mean([curve.height(plain, false_positives) for curve in curves]))
    halves = [np.flatnonzero(scores.in_first), np.flatnonzero(~scores.in_first)]
    rates = np.empty(replicates)
    for r in range(replicates):
        weights = np.zeros(len(plain))
        for half in halves:
            drawn = rng.integers(len(half), size=len(half))
            weights[half] = np.bincount(drawn, minlength=len(half))
        rates[r] = np.mean([curve.height(weights, false_positives) for curve in curves])
    z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))
    reach = z * float(rates.std(ddof=1))
    lower, upper = wilson(rate * len(plain), len(plain))
    return rate, (max(min(rate - reach, lower), 0.0), min(max(rate + reach, upper), 1.0))


class _Curve:
    """A ROC curve whose records can be weighted without sorting them again."""

    def __init__(self, values: np.ndarray, members: np.ndarray) -> None:
        self.order = np.argsort(-values, kind="stable")
        self.members = members[self.order]
        ordered = values[self.order]
        self.ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(values) - 1)

    def height(self, weights: np.ndarray, false_positives: float) -> float:
        """Return the rate of members found at a rate of others."""
        weights = weights[self.order]
        found = np.cumsum(np.where(self.members, weights, 0.0))[self.ends]
        mistaken = np.cumsum(np.where(self.members, 0.0, weights))[self.ends]
        allowed = false_positives * mistaken[-1]
        # The curve starts at no one found; of several points above `allowed` the last one counts.
        reached = int(np.searchsorted(mistaken, allowed, side="right"))
        low_x, low_y = (mistaken[reached - 1], found[reached - 1]) if reached else (0.0, 0.0)
        if reached == len(mistaken):
            return 1.0
        slope = (found[reached] - low_y) / (mistaken[reached] - low_x)
        return float((low_y + slope * (allowed - low_x)) / found[-1])
