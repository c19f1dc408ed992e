"""What is exported of each fitted method.

`export_model` is open to methods of other packages, which register theirs for the class of their fitted
models: ``@export_model.register``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch

import numpy as np

from synth_tasks.data import Variable
from synth_tasks.engine.categories import OneLevel
from synth_tasks.engine.design_matrix import Design
from synth_tasks.engine.linear import LinearModel
from synth_tasks.engine.methods.derived import Derived
from synth_tasks.engine.methods.ipf import Ipf
from synth_tasks.engine.methods.lda import Lda
from synth_tasks.engine.methods.logreg import Logreg
from synth_tasks.engine.methods.mean import Mean
from synth_tasks.engine.methods.nested import Nested
from synth_tasks.engine.methods.norm import Norm
from synth_tasks.engine.methods.norm_nob import NormNob
from synth_tasks.engine.methods.norm_predict import NormPredict
from synth_tasks.engine.methods.normrank import NormRank
from synth_tasks.engine.methods.polr import Polr
from synth_tasks.engine.methods.polyreg import Polyreg
from synth_tasks.engine.methods.sample import Sample
from synth_tasks.engine.methods.transformed import Transformed
from synth_tasks.engine.parts import TwoPart
from synth_tasks.engine.portable.models import (
    GroupMargins,
    LinearLogits,
    Margin,
    PortableNormRank,
    Rescaled,
)
from synth_tasks.engine.portable.quantiles import LEAST_ROWS, PIECES_A_MARGIN, Quantiles
from synth_tasks.engine.portable.shares import DECIMALS, Shares, shrink
from synth_tasks.engine.portable.tree import PIECES_A_LEAF, Groups, PortableTree, export_tree
from synth_tasks.engine.refinement import Refined
from synth_tasks.engine.registry import Fitted
from synth_tasks.engine.tails import TailSupport
from synth_tasks.engine.tree import Tree
from synth_tasks.errors import PlanError

EXPORTABLE = (
    "sample", "cart", "nested", "norm", "norm.nob", "norm.predict", "mean", "normrank", "lognorm",
    "sqrtnorm", "cubertnorm", "logreg", "polyreg", "polr", "lda", "ipf", "derived",
)  # fmt: skip
SCALES = {"exp": "log", "square": "sqrt", "_cube": "cbrt"}


@dataclass(frozen=True)
class Exported:
    """The variable whose model is exported.

    Parameters
    ----------
    target : Variable
        What is drawn.
    predictors : tuple of Variable
        Columns that the model sees.
    method : str
        Its method.
    tails : TailSupport or None
        How donors are recoded first.
    """

    target: Variable
    predictors: tuple[Variable, ...]
    method: str
    tails: TailSupport | None = None

    def recode(self, donors: np.ndarray) -> np.ndarray:
        """Return donors with supported tails, if these are asked for."""
        return donors if self.tails is None else self.tails.apply(donors)


@singledispatch
def export_model(model: Fitted, of: Exported) -> Fitted:
    """Return a model that draws alike and holds no value of a person.

    Parameters
    ----------
    model : Fitted
        A fitted method.
    of : Exported
        The variable it belongs to.

    Returns
    -------
    Fitted
    """
    raise PlanError(
        f"method '{of.method}' of '{of.target.name}' needs real rows to draw and cannot be exported: "
        f"use one of {', '.join(EXPORTABLE)}"
    )


@export_model.register(Ipf)
@export_model.register(Mean)
@export_model.register(OneLevel)
@export_model.register(Derived)
@export_model.register(Margin)
@export_model.register(GroupMargins)
@export_model.register(PortableTree)
@export_model.register(PortableNormRank)
@export_model.register(Rescaled)
@export_model.register(LinearLogits)
def _keep(model: Fitted, of: Exported) -> Fitted:
    return model


@export_model.register(Norm)
@export_model.register(NormNob)
@export_model.register(NormPredict)
def _export_linear(model: Norm | NormNob | NormPredict, of: Exported) -> Fitted:
    _require_df(model.model, of)
    return model


@export_model.register
def _export_logreg(model: Logreg, of: Exported) -> Fitted:
    _require_groups(model.design, of)
    return model


@export_model.register
def _export_polr(model: Polr, of: Exported) -> Fitted:
    _require_groups(model.design, of)
    return replace(model, model=replace(model.model, covariance=np.zeros((0, 0))))


@export_model.register
def _export_polyreg(model: Polyreg, of: Exported) -> Fitted:
    _require_groups(model.design, of)
    # Without predictors the model has a column of zeros.
    coefficients = model.model.coef_[:, : len(model.design.kept)]
    return LinearLogits(model.design, model.levels, coefficients, model.model.intercept_)


@export_model.register
def _export_lda(model: Lda, of: Exported) -> Fitted:
    _require_groups(model.design, of)
    fitted = model.model
    return LinearLogits(model.design, fitted.classes_, fitted.coef_, fitted.intercept_)


@export_model.register
def _export_transformed(model: Transformed, of: Exported) -> Fitted:
    _require_df(model.model.model, of)
    scale = SCALES.get(model.restore.__name__)
    if scale is None:
        return export_model.dispatch(object)(model, of)
    return Rescaled(model.model, scale)


@export_model.register
def _export_normrank(model: NormRank, of: Exported) -> Fitted:
    _require_df(model.scores.model, of)
    return PortableNormRank(model.scores, _quantiles(of.recode(model.ordered), of))


@export_model.register
def _export_sample(model: Sample, of: Exported) -> Fitted:
    donors = of.recode(model.donors)
    if of.target.is_categorical:
        return Margin(Shares.margin(donors, len(of.target.categories)))
    return Margin(_quantiles(donors, of))


@export_model.register
def _export_tree(model: Tree, of: Exported) -> PortableTree:
    donors = of.recode(model.leaf_donors.donors)
    return export_tree(model, donors, of.target, of.predictors)


@export_model.register
def _export_nested(model: Nested, of: Exported) -> Fitted:
    size, start = model.groups.size, model.groups.start
    known = np.flatnonzero(size)
    if (size[known] < LEAST_ROWS).any():
        raise PlanError(
            f"'{of.target.name}' has groups of fewer than {LEAST_ROWS} rows, which cannot be exported: "
            f"merge categories of '{of.predictors[model.column].name}'"
        )
    donors = of.recode(model.groups.donors)
    groups = [donors, *(donors[start[g] : start[g] + size[g]] for g in known)]
    number = np.zeros(len(size), dtype=int)
    number[known] = np.arange(1, len(groups))
    distributions: Groups
    if of.target.is_categorical:
        n_categories = len(of.target.categories)
        counts = np.array([np.bincount(g.astype(int), minlength=n_categories) for g in groups])
        distributions = Shares(np.round(shrink(counts, counts[0] / counts[0].sum()), DECIMALS))
    else:
        pooled = np.sqrt(sum(g.var() * len(g) for g in groups[1:]) / len(donors))
        distributions = Quantiles.learn(groups, np.full(len(groups), pooled), PIECES_A_LEAF)
    return GroupMargins(model.column, number, distributions)


@export_model.register
def _export_refined(model: Refined, of: Exported) -> Fitted:
    return export_model(model.model, replace(of, tails=model.tails))


@export_model.register
def _export_two_part(model: TwoPart, of: Exported) -> Fitted:
    state = export_model(model.state, replace(of, target=model.parts.state))
    return replace(
        model, state=state, value=None if model.value is None else export_model(model.value, of)
    )


def _quantiles(donors: np.ndarray, of: Exported) -> Quantiles:
    if len(donors) < LEAST_ROWS:
        raise PlanError(
            f"'{of.target.name}' is learnt from fewer than {LEAST_ROWS} values, which cannot be "
            "exported: merge strata, or leave the variable out"
        )
    return Quantiles.learn([donors], np.array([donors.std()]), PIECES_A_MARGIN)


def _require_df(model: LinearModel, of: Exported) -> None:
    """Refuse a fit that may go through the values of single people."""
    _require_groups(model.design, of)
    if model.df < LEAST_ROWS - 1:
        raise PlanError(
            f"the model of '{of.target.name}' has nearly as many parameters as rows, and cannot be "
            "exported: leave predictors out in predictor_matrix, or merge strata"
        )


def _require_groups(design: Design, of: Exported) -> None:
    """Refuse a model with a parameter of its own for one or two people."""
    if design.smallest_group < LEAST_ROWS:
        raise PlanError(
            f"the model of '{of.target.name}' has a predictor with a category of fewer than "
            f"{LEAST_ROWS} rows, and cannot be exported: merge categories or strata, leave the "
            "predictor out in predictor_matrix, or use cart"
        )
