"""Imputation methods; importing this package registers all of them."""

from synth_tasks.engine.methods import cart, logreg, mean, norm, pmm, polr, polyreg, sample

__all__ = ["cart", "logreg", "mean", "norm", "pmm", "polr", "polyreg", "sample"]
