"""Classification and regression trees: a value observed for someone in the same leaf."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_tasks.engine.registry import Context, method, require_whole
from synth_tasks.engine.tree import Sample, Tree, grow_tree
from synth_tasks.errors import PlanError

GREATEST_DEPTH = 1000


@dataclass(frozen=True)
class CartOptions:
    """Options of cart, with the defaults of R's mice.

    Parameters
    ----------
    minbucket : int, default 5
        Least number of rows in a leaf.
    cp : float, default 1e-4
        A split must lower the impurity by at least this share of the root's.
    minsplit : int, optional
        Least number of rows in a node that may be split; ``3 * minbucket`` if not given.
    maxdepth : int, default 30
        Greatest depth of a leaf, at most 1000.
    """

    minbucket: int = 5
    cp: float = 1e-4
    minsplit: int | None = None
    maxdepth: int = 30

    def __post_init__(self) -> None:
        require_whole("cart.minbucket", self.minbucket, least=1)
        if not isinstance(self.cp, (int, float)) or not self.cp >= 0:
            raise PlanError("method_options.cart.cp must be 0 or more")
        if self.minsplit is not None:
            require_whole("cart.minsplit", self.minsplit, least=2)
        require_whole("cart.maxdepth", self.maxdepth, least=1)
        if self.maxdepth > GREATEST_DEPTH:
            raise PlanError(f"method_options.cart.maxdepth must be at most {GREATEST_DEPTH}")


@method("cart", options=CartOptions, donors=True, samples=True)
def fit_cart(y: np.ndarray, x: np.ndarray, context: Context) -> Tree:
    """Grow a tree once; every set draws from the same leaves.

    Classification trees stop on Gini impurity rather than on misclassification, which would prune
    every split that changes class probabilities but not the majority.

    References
    ----------
    Reiter (2005). Using CART to generate partially synthetic public use microdata. Journal of Official
    Statistics 21, 441-462.
    Reiter & Kinney (2012). Inferentially valid, partially synthetic data: generating from posterior
    predictive distributions not necessary. Journal of Official Statistics 28, 583-590.
    """
    options: CartOptions = context.options
    return grow_tree(
        y,
        context.sample or Sample.of(x, context.predictors),
        categorical=context.target.is_categorical,
        minbucket=options.minbucket,
        minsplit=3 * options.minbucket if options.minsplit is None else options.minsplit,
        maxdepth=options.maxdepth,
        cp=options.cp,
    )
