"""Covariances of regression estimates that hold for unequal residual variances."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from synth_tasks.errors import ModelError

Covariance = Literal["model", "HC0", "HC1", "HC2", "HC3"]
COVARIANCES: tuple[str, ...] = get_args(Covariance)
LARGEST_LEVERAGE = 1.0 - 1e-8


def sandwich(x: np.ndarray, residuals: np.ndarray, weights: np.ndarray, kind: str) -> np.ndarray:
    """Estimate the covariance of regression estimates without a model of the variances.

    It is ``A M A`` with ``A = (X'WX)⁻¹`` and ``M = sum c_i e_i² x_i x_i'``. The factor c_i is 1 for
    HC0, n / (n - k) for HC1, 1 / (1 - h_i) for HC2 and 1 / (1 - h_i)² for HC3, with h_i the leverage
    of a row. HC3 is the one for small samples.

    Parameters
    ----------
    x : ndarray of shape (n, k)
        Predictors, of full rank.
    residuals : ndarray of shape (n,)
        e_i: what makes ``e_i x_i`` the score of a row; y - mu for a linear model.
    weights : ndarray of shape (n,)
        W: the expected information of a row; 1 for a linear model.
    kind : {"HC0", "HC1", "HC2", "HC3"}
        Which factor.

    Returns
    -------
    ndarray of shape (k, k)

    Raises
    ------
    ModelError
        If a row has a leverage of 1, for HC2 and HC3.

    References
    ----------
    White (1980). A heteroskedasticity-consistent covariance matrix estimator and a direct test for
    heteroskedasticity. Econometrica 48, 817-838.
    MacKinnon & White (1985). Some heteroskedasticity-consistent covariance matrix estimators with
    improved finite sample properties. Journal of Econometrics 29, 305-325.
    Zeileis (2006). Object-oriented computation of sandwich estimators. Journal of Statistical Software
    16(9), for generalised linear models.
    """
    n, k = x.shape
    q, r = np.linalg.qr(np.sqrt(weights)[:, None] * x)
    leverages = (q**2).sum(axis=1)
    factors = np.ones(n)
    if kind == "HC1":
        factors *= n / (n - k)
    elif kind in ("HC2", "HC3"):
        n_alone = int((leverages > LARGEST_LEVERAGE).sum())
        if n_alone:
            raise ModelError(
                f"{n_alone} row(s) alone decide a term (leverage 1), so that {kind} is not defined: "
                "leave the term out, merge its level with another, or use covariance HC1"
            )
        factors /= (1.0 - leverages) ** (1 if kind == "HC2" else 2)
    scores = x * (np.sqrt(factors) * residuals)[:, None]
    half = np.linalg.solve(r, np.linalg.solve(r.T, scores.T))
    return half @ half.T
