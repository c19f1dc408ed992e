"""pMSE of a classification tree against labels given at random.

A tree is grown that tells synthetic from real rows, and again with permuted labels. With v1 and v2 the
variances of a difference of means under a plug-in synthesis and between random samples (`sampling`),

``pmse_cart``   pMSE / (mean pMSE with permuted labels * v1 / v2): about 1 for a plug-in synthesis, 2
                for a proper synthesis or another real sample with k = n; far below 1 if rows were
                copied. For all rows v1 / v2 is 1 - c; with k = n the denominator is half the mean, as
                in the R package synthpop.
``specks_cart`` SPECKS of the scores; its null is the mean with permuted labels.

It ranks syntheses by relations of any form. For a test use `pmse_logit`, whose null is known: trees
adapt to the labels, the factor v1 / v2 holds for them only nearly, and they see no relation between
variables whose margins agree exactly, for then no first split helps.

References
----------
Snoke, Raab, Nowok, Dibben & Slavkovic (2018). General and specific utility measures for synthetic data.
Journal of the Royal Statistical Society A 181, 663-688, section 2.3.
Breiman, Friedman, Olshen & Stone (1984). Classification and Regression Trees.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from synth_tasks.engine.tree import Sample, grow_tree
from synth_tasks.ledger import NOT_GIVEN, Goal, Measurement, Metric
from synth_tasks.utility.features import pool_rows
from synth_tasks.utility.intervals import Interval
from synth_tasks.utility.propensity import pmse, specks
from synth_tasks.utility.sampling import SampledPair

PMSE_CART = Metric(
    family="utility",
    name="pmse_cart",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=math.inf,
    null=1.0,
    reference="Snoke, Raab, Nowok, Dibben & Slavkovic (2018), JRSS A 181, 663-688",
)
SPECKS_CART = replace(
    PMSE_CART,
    name="specks_cart",
    maximum=1.0,
    null=NOT_GIVEN,
    reference="Bowen, Liu & Su (2021), METRON 79, 1-31",
)
METRICS = (PMSE_CART, SPECKS_CART)

LEAST_PERMUTATIONS = 10
MOST_PERMUTATIONS = 50
# Permutations end when the standard error of their mean is below this share of it.
PRECISION = 0.01
# Larger leaves than those of a tree that predicts: fewer of them are noise.
MINBUCKET = 5
LEAF_SHARE = 0.02
DEPTH = 12


def measure_pmse_cart(sampled: SampledPair, rng: np.random.Generator) -> list[Measurement]:
    """Measure a synthetic set.

    Parameters
    ----------
    sampled : SampledPair
        The tables, or a sample of their rows.
    rng : Generator
        Permutes labels.

    Returns
    -------
    list of Measurement
        ``pmse_cart``, whose interval holds the Monte Carlo error of the null alone, and
        ``specks_cart``; n = rows compared.
    """
    rows = pool_rows(sampled.pair)
    sample = Sample.of(rows.x, rows.variables)
    share, labels = rows.synthetic_share, rows.is_synthetic.astype(float)
    minbucket = max(MINBUCKET, int(LEAF_SHARE * len(labels)))

    def grow(y: np.ndarray) -> np.ndarray:
        """Return the share of synthetic training rows in the leaf of each row."""
        return _leaf_shares(sample, rows.x, y, minbucket)

    scores = grow(labels)
    errors: list[float] = []
    distances: list[float] = []
    while len(errors) < LEAST_PERMUTATIONS or (
        len(errors) < MOST_PERMUTATIONS and _relative_error(errors) > PRECISION
    ):
        permuted = rng.permutation(labels)
        random_scores = grow(permuted)
        errors.append(pmse(random_scores, share))
        distances.append(specks(random_scores, permuted > 0))
    factor = sampled.plug_in_variance / sampled.two_sample_variance
    ratio, interval = _ratio(pmse(scores, share), np.array(errors) * factor)
    number, n = sampled.pair.set_number, len(labels)
    return [
        PMSE_CART.measure(ratio, set_number=number, interval=interval, n=n),
        SPECKS_CART.measure(
            specks(scores, rows.is_synthetic),
            set_number=number,
            null=float(np.mean(distances)),
            n=n,
        ),
    ]


def _leaf_shares(sample: Sample, x: np.ndarray, labels: np.ndarray, minbucket: int) -> np.ndarray:
    tree = grow_tree(
        labels,
        sample,
        categorical=True,
        minbucket=minbucket,
        minsplit=2 * minbucket,
        maxdepth=DEPTH,
        cp=0.0,
    )
    leaves = tree.leaves(x)
    size = np.bincount(leaves)
    return (np.bincount(leaves, labels) / np.maximum(size, 1))[leaves]


def _relative_error(values: list[float]) -> float:
    mean = float(np.mean(values))
    return float(np.std(values, ddof=1)) / math.sqrt(len(values)) / mean if mean > 0 else 0.0


def _ratio(error: float, null_errors: np.ndarray) -> tuple[float, Interval]:
    """Divide by the mean of the null; without a split under the null nothing can be told."""
    mean = float(null_errors.mean())
    if mean == 0:
        return 1.0, (NOT_GIVEN, NOT_GIVEN)
    # Where hardly any permutation gives a split, the lower limit of their mean would fall below 0.
    half = 1.96 * float(null_errors.std(ddof=1)) / math.sqrt(len(null_errors))
    return error / mean, (error / (mean + half), error / max(mean - half, mean / 2))
