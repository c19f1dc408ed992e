"""Classifier two-sample test: telling synthetic from real rows by boosted trees that did not see them.

``classifier_auc`` is the area under the curve of scores from cross-validation: 0.5 for two samples from
one population, as after a proper synthesis, and 1 if the tables can be told apart without error. After
a plug-in synthesis of a small table it is below 0.5, for both tables share the accidents of the sample,
and what distinguishes the training rows is turned round in the others. It is near 0 for a copy.

References
----------
Lopez-Paz & Oquab (2017). Revisiting classifier two-sample tests. ICLR. arXiv:1610.06545.
Friedman (2003). On multivariate goodness-of-fit and two-sample testing. PHYSTAT.
"""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from synth_tasks.data import Kind
from synth_tasks.ledger import Goal, Measurement, Metric
from synth_tasks.utility.features import PooledRows, pool_rows
from synth_tasks.utility.propensity import area_under_curve
from synth_tasks.utility.sampling import SampledPair

CLASSIFIER_AUC = Metric(
    family="utility",
    name="classifier_auc",
    goal=Goal.NEAR_NULL,
    minimum=0.0,
    maximum=1.0,
    null=0.5,
    reference="Lopez-Paz & Oquab (2017), arXiv:1610.06545; interval: DeLong et al. (1988)",
)
METRICS = (CLASSIFIER_AUC,)

FOLDS = 5
# scikit-learn bins every predictor into 255 values at most.
MOST_CATEGORIES = 255


def measure_classifier(
    sampled: SampledPair, rng: np.random.Generator, folds: int = FOLDS
) -> list[Measurement]:
    """Measure a synthetic set.

    Parameters
    ----------
    sampled : SampledPair
        The tables, or a sample of their rows.
    rng : Generator
        Puts rows into folds.
    folds : int, default 5
        Number of folds; fewer if a table has fewer rows.

    Returns
    -------
    list of Measurement
        ``classifier_auc`` with its 95 % interval, n = rows compared. A table with a single row cannot
        be learnt from and tested on: its value is the null value.
    """
    rows = pool_rows(sampled.pair)
    smallest = min(len(sampled.pair.real), len(sampled.pair.synthetic))
    number, n = sampled.pair.set_number, len(rows.x)
    if smallest < 2:
        return [CLASSIFIER_AUC.measure(0.5, set_number=number, interval=(0.0, 1.0), n=n)]
    scores = cross_validate(rows, min(folds, smallest), rng)
    auc, interval = area_under_curve(scores, rows.is_synthetic)
    return [CLASSIFIER_AUC.measure(auc, set_number=number, interval=interval, n=n)]


def cross_validate(rows: PooledRows, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Score every row by a model fitted to the other folds.

    Parameters
    ----------
    rows : PooledRows
        Real and synthetic rows.
    folds : int
        2 or more, and no more than either table has rows.
    rng : Generator
        Puts rows into folds, of equal shares of both tables.

    Returns
    -------
    ndarray of shape (n_rows,)
        Probability of being synthetic.
    """
    categorical = [
        v.kind is Kind.NOMINAL and len(v.categories) <= MOST_CATEGORIES for v in rows.variables
    ]
    seed = int(rng.integers(2**31))
    scores = np.empty(len(rows.x))
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fitted, tested in splits.split(rows.x, rows.is_synthetic):
        model = HistGradientBoostingClassifier(
            max_iter=60,
            max_leaf_nodes=15,
            early_stopping=False,
            categorical_features=categorical,
            random_state=seed,
        )
        model.fit(rows.x[fitted], rows.is_synthetic[fitted])
        scores[tested] = model.predict_proba(rows.x[tested])[:, 1]
    return scores
