import numpy as np
import pytest

from synth_tasks.seeding import generator
from synth_tasks.utility.features import pool_rows
from synth_tasks.utility.interactions import MAX_LEVELS, build_design


@pytest.fixture
def rows(pair_up):
    rng = generator(1, "design")

    def table():
        return {
            "x": rng.standard_normal(40),
            "y": rng.standard_normal(40),
            "c": rng.permutation(list("abcde") * 8),
        }

    return pool_rows(pair_up(table(), table()))


def test_main_effects_and_all_products(rows):
    design = build_design(rows, 100)
    x, y = design[:, 1], design[:, 2]
    assert design.shape[1] == 1 + (1 + 1 + 4) + (1 + 4 + 4)
    assert (design[:, 0] == 1).all()
    assert x.mean() == pytest.approx(0, abs=1e-12)
    assert x.std() == pytest.approx(1)
    np.testing.assert_allclose(design[:, 7], x * y)
    np.testing.assert_allclose(design[:, 8:12], x[:, None] * design[:, 3:7])


def test_narrow_products_come_first_and_main_effects_always_stay(rows):
    assert build_design(rows, 11).shape[1] == 1 + 6 + 1
    assert build_design(rows, 12).shape[1] == 1 + 6 + 1 + 4
    assert build_design(rows, 2).shape[1] == 7


def test_rare_categories_share_an_indicator(pair_up):
    labels = [f"l{i:02d}" for i in range(MAX_LEVELS + 5)]
    common = labels[:MAX_LEVELS] * 3 + labels
    design = build_design(pool_rows(pair_up({"c": common}, {"c": common})), 10**4)
    assert design.shape[1] == 1 + (MAX_LEVELS - 1) + 1
    assert design[:, -1].sum() == 2 * 5


def test_a_constant_has_no_column_of_its_own(pair_up):
    design = build_design(pool_rows(pair_up({"c": ["a", "a"]}, {"c": ["a"]})), 100)
    assert design.shape == (3, 1)
