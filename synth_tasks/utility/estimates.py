"""Estimates of one model with what is known of their error, however they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from synth_tasks.errors import PoolingError
from synth_tasks.inference import ModelFit, PooledEstimates
from synth_tasks.utility.intervals import CONFIDENCE


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates, to be compared with others of the same model.

    Parameters
    ----------
    terms : tuple of str, length p
        Names of the estimates.
    estimates : ndarray of shape (p,)
        Values; correlations on Fisher's z scale.
    std_errors : ndarray of shape (p,)
        Standard errors, positive; of pooled estimates, of the total variance.
    df : ndarray of shape (p,)
        Degrees of freedom of the t distribution that intervals refer to; infinite for the normal one.
    covariance : ndarray of shape (p, p), optional
        Of the estimates of a single data set.
    between : ndarray of shape (p, p), optional
        Covariance of the estimates between sets, if there are several.
    """

    terms: tuple[str, ...]
    estimates: np.ndarray
    std_errors: np.ndarray
    df: np.ndarray
    covariance: np.ndarray | None = None
    between: np.ndarray | None = None

    def __post_init__(self) -> None:
        finite = np.isfinite(self.estimates) & np.isfinite(self.std_errors)
        unusable = ~(finite & (self.std_errors > 0))
        if unusable.any():
            raise PoolingError(
                f"the estimate of '{self.terms[int(unusable.argmax())]}' has no finite value with a "
                "positive standard error: leave the term out"
            )

    @classmethod
    def from_arrays(
        cls,
        estimates: ArrayLike,
        std_errors: ArrayLike,
        *,
        terms: Sequence[str] = (),
        df: ArrayLike = np.inf,
        covariance: ArrayLike | None = None,
    ) -> Estimates:
        """Take plain numbers.

        Parameters
        ----------
        estimates, std_errors : array-like of shape (p,)
            See `Estimates`.
        terms : sequence of str, optional
            ``term 1``, ``term 2``, ... if not given.
        df : float or array-like of shape (p,), default infinite
            See `Estimates`.
        covariance : array-like of shape (p, p), optional
            For the lack-of-fit test; terms are taken as uncorrelated if not given.
        """
        values = np.atleast_1d(np.asarray(estimates, dtype=float))
        errors = np.atleast_1d(np.asarray(std_errors, dtype=float))
        names = tuple(terms) or tuple(f"term {i + 1}" for i in range(len(values)))
        if len(errors) != len(values) or len(names) != len(values):
            raise PoolingError(
                f"{len(values)} estimates have {len(errors)} standard errors and {len(names)} names: "
                "give one of each"
            )
        return cls(
            names,
            values,
            errors,
            np.broadcast_to(np.asarray(df, dtype=float), values.shape),
            None if covariance is None else np.asarray(covariance, dtype=float),
        )

    @classmethod
    def from_fit(cls, fit: ModelFit) -> Estimates:
        """Take the fit to a single data set, real or synthetic."""
        df = np.full(len(fit.terms), float(fit.df_residual))
        return cls(tuple(fit.terms), fit.estimates, fit.std_errors, df, fit.covariance)

    @classmethod
    def from_pooled(cls, pooled: PooledEstimates) -> Estimates:
        """Take estimates pooled over several sets."""
        table, spread = pooled.table, pooled.spread
        return cls(
            tuple(table["term"]),
            spread.estimates,
            table["std_error"].to_numpy(dtype=float),
            table["df"].to_numpy(dtype=float),
            spread.ubar,
            spread.b if spread.m > 1 else None,
        )

    def half_widths(self, confidence: float = CONFIDENCE) -> np.ndarray:
        """Return half of the widths of the intervals, an array of shape (p,)."""
        return self.std_errors * stats.t.ppf(0.5 + confidence / 2, self.df)

    def significant(self, confidence: float = CONFIDENCE) -> np.ndarray:
        """Return which intervals do not hold zero, an array of bool of shape (p,)."""
        return np.abs(self.estimates) > self.half_widths(confidence)


def require_same_terms(real: Estimates, synthetic: Estimates) -> None:
    """Refuse estimates of different models."""
    if real.terms != synthetic.terms:
        differing = sorted(set(real.terms) ^ set(synthetic.terms)) or ["their order"]
        raise PoolingError(
            f"real and synthetic estimates have different terms (first difference: {differing[0]}): "
            "fit the same model with the same categories to both"
        )
