"""The test of independence of two categorical variables in several sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synth_tasks.errors import PoolingError
from synth_tasks.inference.choice import Origin, choose_rule
from synth_tasks.inference.inflation import JointTest
from synth_tasks.inference.joint import pool_statistics
from synth_tasks.inference.models import check_analysis
from synth_tasks.inference.tables import chi_squared


def chi_squared_test(
    sets: Sequence[pd.DataFrame],
    variables: Sequence[str],
    rule: str = "rubin1987",
    origin: Origin | None = None,
) -> JointTest:
    """Test that two categorical variables are independent, by pooling Pearson's statistics ("D2").

    It holds for imputed sets only. For synthetic ones test the regression of one variable on the other
    by `likelihood_ratio_test`: ``multinomial_logit`` with ``a ~ b`` against ``a ~ 1``.

    Parameters
    ----------
    sets : sequence of DataFrame, length m
        The imputed sets.
    variables : sequence of 2 str
        Categorical columns.
    rule : str, default "rubin1987"
        The rule that holds for the sets, or "auto" to choose by `origin`.
    origin : Origin, optional
        How the sets were made.

    Returns
    -------
    JointTest
        Levels that no set has do not count.

    Raises
    ------
    PoolingError
        If the sets are not imputed ones, or a variable has but one level.
    ModelError
        If a variable is not categorical, or has missing values.

    References
    ----------
    Li, Meng, Raghunathan & Rubin (1991). Significance levels from repeated p-values with multiply-
    imputed data. Statistica Sinica 1, 65-92.
    """
    chosen = rule if origin is None else choose_rule(origin, rule)[0]
    if chosen != "rubin1987":
        raise PoolingError(
            f"chi-squared statistics cannot be pooled by the rule {chosen}: that is for imputed sets "
            "only (rubin1987); fit multinomial_logit with 'a ~ b' and with 'a ~ 1', and use "
            "likelihood_ratio_test"
        )
    names = list(variables)
    if len(names) != 2:
        raise PoolingError("a test of independence is of two variables")
    for frame in sets:
        check_analysis("table", None, names, list(frame.columns))
    tables = [chi_squared(frame, names) for frame in sets]
    if len({counts.shape for _, counts in tables}) > 1:
        raise PoolingError(
            f"the sets have different categories of {' or '.join(names)}: give all the same categories"
        )
    total = np.sum([counts for _, counts in tables], axis=0) if tables else np.zeros((0, 0))
    k = int(np.prod([max(0, int((total.sum(axis=axis) > 0).sum()) - 1) for axis in (0, 1)]))
    if tables and k < 1:
        raise PoolingError(
            f"one of {', '.join(names)} has a single level: there is nothing to test"
        )
    return pool_statistics([statistic for statistic, _ in tables], k)
