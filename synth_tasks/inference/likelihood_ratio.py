"""Likelihood-ratio tests of nested models.

Let d_l(A) be twice the log likelihood of set l at A for the larger model, minus the same for the
smaller one, and let its average over sets be taken

- at the estimates of each set: L_own;
- at their averages over all sets: L_all;
- in nested sets also at their averages within each imputation: L_nest.

For normal data these averages are quadratic forms, and their differences are traces of the covariance
between sets relative to that within them: L_own - L_all = (m - 1) / m tr(B U⁻¹), and in nested sets
L_own - L_nest = (r - 1) / r tr(W U⁻¹), L_nest - L_all = (m - 1) / m tr(B U⁻¹). They thus give the
average components that `synth_tasks.inference.inflation` needs, and L_all / (k inflation) is the
statistic. Unlike `wald_test` it does not depend on how terms are coded, and needs no covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synth_tasks.errors import PoolingError
from synth_tasks.inference.choice import Origin
from synth_tasks.inference.fit import ModelFit
from synth_tasks.inference.inflation import JointTest, inflate, refer
from synth_tasks.inference.likelihood import Likelihood
from synth_tasks.inference.rules import RULES
from synth_tasks.inference.settle import settle


def likelihood_ratio_test(
    fits: Sequence[ModelFit],
    smaller_fits: Sequence[ModelFit],
    rule: str = "reiter2003",
    r: int = 1,
    n: int | None = None,
    origin: Origin | None = None,
) -> JointTest:
    """Test that a smaller model is enough.

    Parameters
    ----------
    fits : sequence of ModelFit, length m
        The larger model on every set; one with a likelihood: a regression.
    smaller_fits : sequence of ModelFit, length m
        The smaller model, whose predictors are among those of the larger one or combinations of them,
        on the same sets in the same order.
    rule, r, n, origin
        As in `synth_tasks.pool`. Not for populations, whose likelihood says nothing about the
        synthesis.

    Returns
    -------
    JointTest
        Where rounding or few sets would make the statistic or an average component negative, it is 0.

    Raises
    ------
    PoolingError
        If the models are not nested, do not belong to the same sets, have no likelihood or did not
        converge, or if the test is not defined for these sets.

    Notes
    -----
    Averages of estimates need terms that mean the same in every set: write ``I(x^2)`` rather than
    ``poly(x, 2)``, which is orthogonal in each set in its own way. The likelihood is that of the model:
    the option ``covariance`` does not matter here; with robust covariances use `wald_test`.

    References
    ----------
    Meng & Rubin (1992). Performing likelihood ratio tests with multiply-imputed data sets. Biometrika
    79, 103-111 (rubin1987, "D3").
    Reiter (2005). Significance tests for multi-component estimands from multiply imputed, synthetic
    microdata. Journal of Statistical Planning and Inference 131, 365-377 (reiter2003, rrr2003).
    For nested sets (compare Kinney & Reiter 2010, Journal of Official Statistics 26, 301-315) and the
    rules of Raab it is the form that agrees with `wald_test` for normal data.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from synth_tasks.inference import fit_model, likelihood_ratio_test
    >>> rng = np.random.default_rng(1)
    >>> sets = [pd.DataFrame(rng.normal(size=(50, 3)), columns=list("xyz")) for _ in range(3)]
    >>> larger, smaller = ([fit_model(s, "ols", f) for s in sets] for f in ("y ~ x + z", "y ~ 1"))
    >>> likelihood_ratio_test(larger, smaller).df1
    2
    """
    _check_nested(fits, smaller_fits)
    settled = settle(fits, rule, r, n, origin)
    settle(smaller_fits, rule, r, n, origin)
    if settled.rule in ("population_imputed", "population_synthetic"):
        raise PoolingError(
            f"the rule {settled.rule} has no likelihood-ratio test: a likelihood tells what a sample "
            "leaves open, and a population leaves nothing open; use wald_test"
        )
    k = len(fits[0].terms) - len(smaller_fits[0].terms)
    # Rows of a set tell no more than those of the sample did.
    size = settled.size_ratio if RULES[settled.rule].uses_sample_size else 1.0

    def average(values: Callable[[Sequence[ModelFit]], np.ndarray]) -> float:
        pairs = zip(fits, smaller_fits, values(fits), values(smaller_fits), strict=True)
        ratios = [2.0 * (a.log_likelihood(x) - b.log_likelihood(y)) for a, b, x, y in pairs]
        return float(np.mean(ratios)) / size

    m, r = len(fits) // settled.r, settled.r
    own, overall = average(_estimates), average(_overall_means)
    if not np.isfinite([own, overall]).all():
        raise PoolingError(
            f"{fits[0].label} or {smaller_fits[0].label} fits a set perfectly, so that there is no "
            "likelihood: leave terms out"
        )
    nest = average(lambda sets: _nest_means(sets, r)) if r > 1 else own
    between = max(0.0, (nest - overall) * m / (k * (m - 1))) if m > 1 else 0.0
    within = max(0.0, (own - nest) * r / (k * (r - 1))) if r > 1 else 0.0
    inflation, df2 = inflate(settled.rule, k, m, r, settled.size_ratio, between, within)
    return refer(max(0.0, overall) / (k * inflation), k, df2)


def _estimates(fits: Sequence[ModelFit]) -> np.ndarray:
    return np.array([fit.estimates for fit in fits])


def _overall_means(fits: Sequence[ModelFit]) -> np.ndarray:
    return np.tile(_estimates(fits).mean(axis=0), (len(fits), 1))


def _nest_means(fits: Sequence[ModelFit], r: int) -> np.ndarray:
    estimates = _estimates(fits)
    return np.repeat(estimates.reshape(-1, r, estimates.shape[1]).mean(axis=1), r, axis=0)


def _check_nested(fits: Sequence[ModelFit], smaller_fits: Sequence[ModelFit]) -> None:
    if len(fits) != len(smaller_fits):
        raise PoolingError(
            f"there are {len(fits)} fits of the larger model and {len(smaller_fits)} of the smaller: "
            "fit both to every set"
        )
    pairs = zip(fits, smaller_fits, strict=True)
    for number, (larger, smaller) in enumerate(pairs, start=1):
        for fit in (larger, smaller):
            if not fit.converged:
                raise PoolingError(f"fit {number} did not converge: {fit.message}")
        fewer = len(smaller.terms) < len(larger.terms)
        if not (fewer and _likelihood(larger).contains(_likelihood(smaller))):
            raise PoolingError(
                f"{smaller.label} is not {larger.label} with terms left out, or set {number} of the "
                "two is not the same: give two formulas of one response, fitted to the same sets in "
                "the same order"
            )


def _likelihood(fit: ModelFit) -> Likelihood:
    if fit.likelihood is None:
        raise PoolingError(
            f"the model '{fit.model}' has no likelihood: use wald_test, or a regression"
        )
    return fit.likelihood
