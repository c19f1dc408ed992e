"""Whether what was read from a file can be drawn from.

`check_model` is open to methods of other packages: ``@check_model.register``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

import numpy as np

from synth_tasks.data import Kind, Variable
from synth_tasks.engine.categories import LevelModel, OneLevel
from synth_tasks.engine.design_matrix import Design, expand
from synth_tasks.engine.linear import LinearModel
from synth_tasks.engine.methods.derived import Derived
from synth_tasks.engine.methods.ipf import Ipf
from synth_tasks.engine.methods.logreg import Logreg
from synth_tasks.engine.methods.mean import Mean
from synth_tasks.engine.methods.norm import Norm
from synth_tasks.engine.methods.norm_nob import NormNob
from synth_tasks.engine.methods.norm_predict import NormPredict
from synth_tasks.engine.methods.polr import Polr
from synth_tasks.engine.parts import TwoPart, has_parts
from synth_tasks.engine.portable.models import (
    RESTORE,
    GroupMargins,
    LinearLogits,
    Margin,
    PortableNormRank,
    Rescaled,
)
from synth_tasks.engine.portable.quantiles import Quantiles
from synth_tasks.engine.portable.shares import Shares
from synth_tasks.engine.portable.tree import Groups, PortableTree
from synth_tasks.engine.redundancy import Linear, Renamed
from synth_tasks.engine.registry import Fitted
from synth_tasks.engine.tree import LEAF, Questions
from synth_tasks.errors import StorageError

MAX_DEPTH = 1000


@dataclass(frozen=True)
class Place:
    """Where a model stands: what it draws and what it is given."""

    target: Variable
    predictors: tuple[Variable, ...]


@singledispatch
def check_model(model: Fitted, place: Place) -> None:
    """Refuse a model with arrays of wrong shapes, or with numbers that cannot be.

    Parameters
    ----------
    model : Fitted
        As read.
    place : Place
        Where it stands.
    """
    require(False, f"a {type(model).__name__} is not known")


def require(holds: object, problem: str) -> None:
    """Refuse the file unless something holds."""
    if not holds:
        raise StorageError(f"the file is damaged ({problem}): export the synthesizer anew")


@check_model.register
def _check_margin(model: Margin, place: Place) -> None:
    _check_groups(model.distribution, 1, place)


@check_model.register
def _check_group_margins(model: GroupMargins, place: Place) -> None:
    _check_column(model.column, place)
    of_group = place.predictors[model.column]
    require(of_group.is_categorical, "groups of a number")
    n_categories = len(of_group.categories)
    _check_indices(model.group, n_categories, n_categories + 1)
    _check_groups(model.distributions, int(model.group.max()) + 1, place)


@check_model.register
def _check_tree(tree: PortableTree, place: Place) -> None:
    asked, n_nodes = tree.questions, len(tree.group)
    require(n_nodes > 0, "a tree without nodes")
    for whole in (asked.feature, asked.right, asked.first_level, asked.end_level, tree.group):
        require(whole.shape == (n_nodes,) and _is_whole(whole), "a tree of wrong shape")
    _check_numbers(asked.threshold, (n_nodes,))
    inner = asked.feature != LEAF
    _check_indices(asked.feature[inner], int(inner.sum()), len(place.predictors))
    parents = np.flatnonzero(inner)
    left, right = parents + 1, asked.right[inner]
    children = np.sort(np.concatenate([left, right]))
    require((right > parents).all(), "a tree with a circle")
    require(np.array_equal(children, np.arange(1, n_nodes)), "no single tree")
    depth = np.zeros(n_nodes, dtype=int)
    for node in parents:
        depth[node + 1] = depth[asked.right[node]] = depth[node] + 1
    require(depth.max() <= MAX_DEPTH, "a tree that is too deep")
    _check_level_lists(asked, place)
    n_groups = int((~inner).sum())
    _check_indices(tree.group[~inner], n_groups, n_groups)
    _check_groups(tree.leaves, n_groups, place)


def _check_level_lists(asked: Questions, place: Place) -> None:
    """Refuse levels that a predictor does not have, or that a binary search would miss."""
    require(asked.levels.ndim == 1 and _is_whole(asked.levels), "levels that are no numbers")
    first, end = asked.first_level, asked.end_level
    lists_levels = first != end
    within = (first >= 0) & (first < end) & (end <= len(asked.levels))
    require(within[lists_levels].all(), "levels of no node")
    for node, feature in enumerate(asked.feature):
        variable = place.predictors[feature] if feature != LEAF else None
        is_nominal = variable is not None and variable.kind is Kind.NOMINAL
        require(is_nominal == lists_levels[node], "levels of another node")
        if variable is not None and is_nominal:
            levels = asked.levels[first[node] : end[node]]
            known = (levels >= 0) & (levels < len(variable.categories))
            require(known.all() and (np.diff(levels) > 0).all(), "levels of another predictor")


@check_model.register(Norm)
@check_model.register(NormNob)
@check_model.register(NormPredict)
def _check_norm(model: Norm | NormNob | NormPredict, place: Place) -> None:
    _require_number(place)
    _check_linear(model.model, place)


@check_model.register
def _check_rescaled(model: Rescaled, place: Place) -> None:
    require(model.scale in RESTORE, "an unknown transformation")
    check_model(model.model, place)


@check_model.register
def _check_normrank(model: PortableNormRank, place: Place) -> None:
    check_model(model.scores, place)
    _check_groups(model.margin, 1, place)


@check_model.register
def _check_mean(model: Mean, place: Place) -> None:
    _require_number(place)
    require(np.isfinite(model.value), "a number is missing")


@check_model.register
def _check_logreg(model: Logreg, place: Place) -> None:
    require(len(place.target.categories) == 2, "a logistic model of other than two categories")
    _check_regression(model.design, model.coefficients, model.root, place)


@check_model.register
def _check_logits(model: LinearLogits, place: Place) -> None:
    _check_levels(model, place)
    n_scores = 1 if len(model.levels) == 2 else len(model.levels)
    _check_numbers(model.coefficients, (n_scores, len(model.design.kept)))
    _check_numbers(model.intercepts, (n_scores,))


@check_model.register
def _check_polr(model: Polr, place: Place) -> None:
    _check_levels(model, place)
    _check_numbers(model.model.coefficients, (len(model.design.kept),))
    _check_numbers(model.model.thresholds, (len(model.levels) - 1,))
    require((np.diff(model.model.thresholds) >= 0).all(), "thresholds out of order")


@check_model.register
def _check_ipf(model: Ipf, place: Place) -> None:
    require(all(v.is_categorical for v in place.predictors), "a table with a number")
    n_levels = [len(v.categories) for v in place.predictors]
    require(len(model.strides) == len(n_levels) and _is_whole(model.strides), "a wrong table")
    last = sum(s * (n - 1) for s, n in zip(model.strides.tolist(), n_levels, strict=True))
    require((model.strides >= 0).all() and last < len(model.probabilities), "a wrong table")
    _check_shares(model.probabilities, place)


@check_model.register
def _check_one_level(model: OneLevel, place: Place) -> None:
    _check_codes(np.array([model.level]), place)


@check_model.register
def _check_derived(model: Derived, place: Place) -> None:
    _check_column(model.column, place)
    source = place.predictors[model.column]
    require(source.is_categorical == place.target.is_categorical, "a relation of unlike variables")
    relation = model.relation
    require(
        isinstance(relation, Linear if not source.is_categorical else Renamed), "a wrong relation"
    )
    if source.is_categorical:
        require(model.margin.ndim == 1, "an array of wrong shape")
        _check_codes(model.margin, place)
    else:
        require(model.margin.size == 0, "values of people")
    if isinstance(relation, Linear):
        require(np.isfinite([relation.intercept, relation.slope]).all(), "a number is missing")
    if isinstance(relation, Renamed):
        require(relation.codes.shape == (len(source.categories),), "an array of wrong shape")
        _check_codes(relation.codes[~np.isnan(relation.codes)], place)


@check_model.register
def _check_two_part(model: TwoPart, place: Place) -> None:
    require(has_parts(place.target) and model.parts.variable == place.target, "unknown parts")
    require(not isinstance(model.state, TwoPart), "parts of parts")
    check_model(model.state, replace(place, target=model.parts.state))
    if model.value is not None:
        require(not isinstance(model.value, TwoPart), "parts of parts")
        check_model(model.value, place)


def _check_groups(groups: Groups, n_groups: int, place: Place) -> None:
    if isinstance(groups, Shares):
        require(groups.shares.ndim == 2 and len(groups.shares) >= n_groups, "too few groups")
        _check_shares(groups.shares, place)
    else:
        _require_number(place)
        _check_quantiles(groups, n_groups)


def _check_quantiles(quantiles: Quantiles, n_groups: int) -> None:
    start, ranks = quantiles.start, quantiles.ranks
    require(start.ndim == 1 and _is_whole(start) and len(start) > n_groups, "too few groups")
    require(start[0] == 0 and (np.diff(start) >= 2).all(), "a group without knots")
    require(start[-1] == len(ranks), "an array of wrong shape")
    _check_numbers(ranks, (int(start[-1]),))
    _check_numbers(quantiles.values, ranks.shape)
    steps = np.diff(ranks)
    steps[start[1:-1] - 1] = 0  # from one group to the next
    outer = (ranks[start[:-1]] == 0).all() and (ranks[start[1:] - 1] == 1).all()
    require(outer and (steps >= 0).all(), "ranks out of order")


def _check_shares(shares: np.ndarray, place: Place) -> None:
    require(place.target.is_categorical, "shares of a number")
    require(shares.ndim == 2, "an array of wrong shape")
    _check_numbers(shares, (len(shares), len(place.target.categories)))
    require((shares >= 0).all() and (shares.sum(axis=1) > 0).all(), "shares below zero")


def _check_linear(model: LinearModel, place: Place) -> None:
    _check_regression(model.design, model.coefficients, model.root, place)
    require(0 <= model.rss < np.inf and model.df >= 1, "a wrong residual variance")


def _check_regression(
    design: Design, coefficients: np.ndarray, root: np.ndarray, place: Place
) -> None:
    _check_design(design, place)
    n_columns = len(design.kept) + 1
    _check_numbers(coefficients, (n_columns,))
    _check_numbers(root, (n_columns, n_columns))


def _check_levels(model: LevelModel, place: Place) -> None:
    _check_design(model.design, place)
    require(model.levels.ndim == 1 and len(model.levels) >= 2, "too few categories")
    _check_codes(model.levels, place)


def _check_design(design: Design, place: Place) -> None:
    require(design.variables == place.predictors, "a design of other predictors")
    width = expand(np.zeros((1, len(design.variables))), design.variables).shape[1]
    require(design.kept.ndim == 1, "an array of wrong shape")
    _check_indices(design.kept, len(design.kept), width)
    _check_numbers(design.center, design.kept.shape)
    _check_numbers(design.scale, design.kept.shape)
    require((design.scale > 0).all(), "a scale of zero")


def _check_codes(codes: np.ndarray, place: Place) -> None:
    n_categories = len(place.target.categories)
    require(np.isin(codes, np.arange(n_categories)).all(), "an unknown category")


def _check_column(column: int, place: Place) -> None:
    require(0 <= column < len(place.predictors), "an unknown predictor")


def _require_number(place: Place) -> None:
    require(not place.target.is_categorical, "numbers for categories")


def _check_numbers(values: np.ndarray, shape: Sequence[int]) -> None:
    require(values.shape == tuple(shape), "an array of wrong shape")
    require(np.isfinite(values).all(), "a number is missing")


def _check_indices(values: np.ndarray, count: int, below: int) -> None:
    require(values.shape == (count,) and _is_whole(values), "an array of wrong shape")
    require(((values >= 0) & (values < below)).all(), "a number out of range")


def _is_whole(values: np.ndarray) -> bool:
    return np.issubdtype(values.dtype, np.integer)
