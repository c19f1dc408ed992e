"""Trees as text."""

from __future__ import annotations

import numpy as np

from synth_tasks.data import Kind
from synth_tasks.engine.tree import tree_as_text
from tests.engine.builders import category, number
from tests.engine.tree.growing import grow


def test_a_tree_can_be_read() -> None:
    age = np.repeat([1.0, 9.0, 9.0], 20)
    region = np.tile(np.repeat([0.0, 1.0, 2.0], [10, 5, 5]), 3)
    height = np.where(age < 5, 50.0, np.where(region > 0, 140.0, 130.0))
    predictors = [number("age"), category(3, name="region")]
    tree = grow(height, np.column_stack([age, region]), predictors)
    assert tree_as_text(tree, number("height"), predictors).splitlines() == [
        "all rows: 60 rows, mean 106.667",
        "|   age <= 5: 20 rows, mean 50",
        "|   age > 5: 40 rows, mean 135",
        "|   |   region in {level 0}: 20 rows, mean 130",
        "|   |   region in others: 20 rows, mean 140",
    ]


def test_categories_are_told_by_their_shares_and_deep_parts_summed_up() -> None:
    stage = np.repeat([0.0, 1.0, 2.0, 3.0], 10)
    sex = np.repeat([0.0, 0.0, 1.0, 0.0], 10)
    predictors = [category(4, Kind.ORDINAL, "stage")]
    tree = grow(sex, stage[:, None], predictors, categorical=True)
    text = tree_as_text(tree, category(2, Kind.BINARY, "sex"), predictors, maxdepth=1)
    assert text.splitlines() == [
        "all rows: 40 rows, level 0 75%, level 1 25%",
        "|   stage up to level 1: 20 rows, level 0 100%",
        "|   stage beyond level 1: 20 rows, level 0 50%, level 1 50% ...",
    ]


def test_many_levels_are_not_all_named() -> None:
    codes = np.tile(np.arange(40.0), 10)
    predictors = [category(40, name="place")]
    tree = grow((codes < 12).astype(float), codes[:, None], predictors)
    line = tree_as_text(tree, number(), predictors).splitlines()[1]
    assert line.endswith("level 4, level 5, 6 more}: 120 rows, mean 1")
