"""Membership inference: whether an intruder can tell whose records were used.

Two attacks score every real record; members are those that the sets were made from, the others those of
the other half (`cross_fitting`):

    distance  minus the distance of Gower to the nearest row of all published sets
    density   log of the distance to the nearest of the other half's records, over that to the nearest
              published row: where the sets are denser than the population, they were fitted too
              closely. It needs an intruder with records of the population at hand.

    membership_distance_auc, membership_density_auc   area under the ROC curve; null value 0.5
    membership_distance_tpr, membership_density_tpr   members found where 1 % of the others are taken
                                                      for members; null value 0.01

All lie in [0, 1]. The area tells of the average record; a few verbatim copies show in the rate only.

Notes
-----
The density attack is DOMIAS with nearest-neighbour densities: to the power of the dimension, the ratio
of the distances is the ratio of the density estimates with one neighbour each, and the power does not
change an order.

References
----------
van Breugel, Sun, Qian & van der Schaar (2023). Membership inference attacks against synthetic data
through overfitting detection. AISTATS 2023, PMLR 206, 3493-3514 (DOMIAS).
Carlini, Chien, Nasr, Song, Terzis & Tramer (2022). Membership inference attacks from first principles.
IEEE Symposium on Security and Privacy, 1897-1914 (rate at a low rate of false positives).
El Emam, Mosquera & Fang (2022). Validating a membership disclosure metric for synthetic health data.
JAMIA Open 5, ooac083.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from synth_tasks.disclosure.cross_fitting import CrossFit
from synth_tasks.disclosure.gower import scale_pair
from synth_tasks.disclosure.neighbours import NOBODY, TIE, find_neighbours
from synth_tasks.disclosure.roc import (
    FALSE_POSITIVES,
    CrossedScores,
    area_under_curve,
    true_positive_rate,
)
from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.pair import TablePair

MAX_ROWS = 3000

DISTANCE_AUC = Metric(
    family="disclosure",
    name="membership_distance_auc",
    goal=Goal.LOW,
    minimum=0.0,
    maximum=1.0,
    null=0.5,
    reference="El Emam et al. (2022); interval: DeLong et al. (1988)",
)
DENSITY_AUC = replace(
    DISTANCE_AUC,
    name="membership_density_auc",
    reference="van Breugel et al. (2023); interval: DeLong et al. (1988)",
)
DISTANCE_TPR = replace(
    DISTANCE_AUC,
    name="membership_distance_tpr",
    null=FALSE_POSITIVES,
    reference="Carlini et al. (2022); interval: Efron & Tibshirani (1993)",
)
DENSITY_TPR = replace(
    DISTANCE_TPR,
    name="membership_density_tpr",
    reference="van Breugel et al. (2023); interval: Efron & Tibshirani (1993)",
)
METRICS = (DISTANCE_AUC, DISTANCE_TPR, DENSITY_AUC, DENSITY_TPR)


@dataclass(frozen=True, slots=True)
class Attacks:
    """Scores of the records that were attacked.

    Parameters
    ----------
    distance, density : CrossedScores
        Scores of either attack.
    """

    distance: CrossedScores
    density: CrossedScores


def attack(
    cross: CrossFit, rng: np.random.Generator, max_rows: int = MAX_ROWS, workers: int = 1
) -> Attacks:
    """Score real records.

    Parameters
    ----------
    cross : CrossFit
        The halves and their sets, with the variables an intruder compares.
    rng : Generator
        Chooses the records when there are too many; not used otherwise.
    max_rows : int, default 3000
        Attack a random sample of so many records of each half at most, the same in both experiments.
        Rows of the sets and of the population are never sampled.
    workers : int, default 1
        Threads.

    Returns
    -------
    Attacks
    """
    chosen = np.concatenate([_choose(half, rng, max_rows) for half in cross.trained])
    in_first = cross.in_first[chosen]
    to_sets = np.full((2, len(chosen)), np.inf)
    for half, pair in cross.pairs():
        real, synthetic = scale_pair(pair)
        found = find_neighbours(real[:, chosen], synthetic, workers=workers)
        np.minimum(to_sets[half], found.first, out=to_sets[half])
    first, second = (
        _to_population(cross, others, chosen, workers) for others in cross.trained[::-1]
    )
    density = [
        np.log(population + TIE) - np.log(sets + TIE)
        for population, sets in zip((first, second), to_sets, strict=True)
    ]
    return Attacks(
        CrossedScores(-to_sets[0], -to_sets[1], in_first),
        CrossedScores(density[0], density[1], in_first),
    )


def _choose(half: np.ndarray, rng: np.random.Generator, max_rows: int) -> np.ndarray:
    rows = np.flatnonzero(half)
    if len(rows) <= max_rows:
        return rows
    return np.sort(rng.choice(rows, size=max_rows, replace=False))


def _to_population(
    cross: CrossFit, others: np.ndarray, chosen: np.ndarray, workers: int
) -> np.ndarray:
    """Compute the distance to the nearest of some real records other than the record itself."""
    real, _ = scale_pair(TablePair(cross.schema, cross.real, cross.real[:0]))
    place = np.where(others, np.cumsum(others) - 1, NOBODY)
    found = find_neighbours(
        real[:, chosen], real[:, others], left_out=place[chosen], workers=workers
    )
    return found.first


def measure_membership(attacks: Attacks, rng: np.random.Generator) -> list[Measurement]:
    """Measure how well the attacks tell members from others.

    Parameters
    ----------
    attacks : Attacks
        The scores.
    rng : Generator
        Resamples records for the interval of the rates.

    Returns
    -------
    list of Measurement
        `METRICS` with 95 % interval, set 0; n = records attacked.
    """
    measurements = []
    for scores, auc, tpr in (
        (attacks.distance, DISTANCE_AUC, DISTANCE_TPR),
        (attacks.density, DENSITY_AUC, DENSITY_TPR),
    ):
        n = len(scores.in_first)
        area, area_interval = area_under_curve(scores)
        rate, rate_interval = true_positive_rate(scores, rng)
        measurements += [
            auc.measure(area, interval=area_interval, n=n),
            tpr.measure(rate, interval=rate_interval, n=n),
        ]
    return measurements
