"""Predictive mean matching."""

from __future__ import annotations

import numpy as np
import pytest

from synth_tasks.data import Kind
from synth_tasks.engine.methods.pmm import Pmm, PmmOptions, canonical_scores, match
from synth_tasks.errors import PlanError
from tests.engine.builders import category, context, fit, number, numbers


def chances(donors: np.ndarray, target: float, n_nearest: int) -> np.ndarray:
    """Spell out the chance of every donor: equal ranks share their places in the pool."""
    distance = np.abs(donors - target)
    pool = min(n_nearest, len(donors))
    chance = np.zeros(len(donors))
    for d in np.unique(distance):
        tied = distance == d
        nearer = int((distance < d).sum())
        places = max(0, min(pool, nearer + int(tied.sum())) - nearer)
        chance[tied] = places / tied.sum() / pool
    return chance


CASES = {
    "spread out": ([0.0, 1.0, 3.0, 7.0, 20.0, 21.0], 4.0, 3),
    "ties among donors": ([1.0, 1.0, 1.0, 1.0, 2.0, 9.0], 0.0, 3),
    "ties on both sides": ([1.0, 1.0, 3.0, 3.0, 3.0, 8.0], 2.0, 4),
    "tied pair of sides beyond the pool": ([2.0, 1.0, 3.0, 0.0, 4.0, 0.0, 4.0], 2.0, 5),
    "target below all": ([1.0, 2.0, 3.0, 4.0], -5.0, 2),
    "target above all": ([1.0, 2.0, 3.0, 4.0], 50.0, 2),
    "target is a donor": ([4.0, 2.0, 3.0, 1.0], 2.0, 1),
    "pool larger than donors": ([1.0, 5.0, 2.0], 0.0, 10),
    "one donor": ([3.0], 0.0, 5),
    "all tied": ([3.0] * 8, 3.0, 5),
}


@pytest.mark.parametrize("name", CASES)
def test_every_donor_has_its_chance(name: str) -> None:
    values, target, n_nearest = CASES[name]
    donors, repeats = np.array(values), 20_000
    chosen = match(donors, np.full(repeats, target), n_nearest, np.random.default_rng(1))
    share = np.bincount(chosen, minlength=len(donors)) / repeats
    expected = chances(donors, target, n_nearest)
    assert expected.sum() == pytest.approx(1.0)
    assert (share[expected == 0] == 0).all()
    error = np.sqrt(expected * (1 - expected) / repeats)
    assert (np.abs(share - expected) <= 4.5 * error + 1e-12).all()


def test_random_tables_agree_with_the_spelled_out_chances() -> None:
    rng = np.random.default_rng(2)
    for _ in range(40):
        donors = rng.integers(0, 8, size=rng.integers(1, 15)) / 2
        targets = rng.integers(-2, 10, size=3) / 4
        n_nearest = int(rng.integers(1, 7))
        repeats = 3000
        chosen = match(donors, np.repeat(targets, repeats), n_nearest, rng).reshape(3, repeats)
        for target, row in zip(targets, chosen, strict=True):
            expected = chances(donors, target, n_nearest)
            share = np.bincount(row, minlength=len(donors)) / repeats
            assert np.abs(share - expected).max() <= 5 * np.sqrt(0.25 / repeats)
            assert (share[expected == 0] == 0).all()


def test_tied_donors_all_get_used() -> None:
    # R's mice breaks ties once per call: 1000 targets share five of the hundred donors.
    chosen = match(np.zeros(100), np.zeros(1000), 5, np.random.default_rng(3))
    assert len(np.unique(chosen)) > 95


def test_targets_choose_independently() -> None:
    rng = np.random.default_rng(4)
    chosen = match(np.zeros(10), np.zeros(40_000), 5, rng).reshape(-1, 2)
    same = (chosen[:, 0] == chosen[:, 1]).mean()
    assert same == pytest.approx(0.1, abs=4.5 * np.sqrt(0.09 / 20_000))


def test_no_targets_choose_nobody() -> None:
    assert match(np.array([1.0, 2.0]), np.empty(0), 5, np.random.default_rng(0)).shape == (0,)


def linear_data(n_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_rows, 2))
    return 3 + x @ [2.0, -1.0] + rng.standard_normal(n_rows), x


def test_draws_are_observed_values_near_the_prediction() -> None:
    y, x = linear_data(2000, seed=5)
    fitted = fit("pmm", y, x)
    new = np.tile([[1.0, 0.0]], (500, 1))
    drawn = np.concatenate([fitted.draw(new[:10], np.random.default_rng(i)) for i in range(300)])
    assert np.isin(drawn, y).all()
    assert drawn.mean() == pytest.approx(5.0, abs=0.2)
    assert drawn.std() == pytest.approx(1.0, abs=0.15)


def test_matchtype_one_draws_the_predictions_of_the_targets() -> None:
    y, x = linear_data(60, seed=6)
    fitted = fit("pmm", y, x, donors=1)
    assert len({tuple(fitted.draw(x, np.random.default_rng(seed))) for seed in range(5)}) == 5


@pytest.mark.parametrize("matchtype", [0, 2])
def test_other_matchtypes_predict_donors_and_targets_alike(matchtype: int) -> None:
    y, x = linear_data(60, seed=6)
    fitted = fit("pmm", y, x, donors=1, matchtype=matchtype)
    # The nearest donor of a training row is the row itself.
    np.testing.assert_array_equal(fitted.draw(x, np.random.default_rng(0)), y)


def test_only_matchtype_two_draws_the_order_of_the_donors() -> None:
    y, x = linear_data(60, seed=6)
    new = np.array([[0.5, 0.5]])

    def nearest(matchtype: int) -> set[float]:
        fitted = fit("pmm", y, x, donors=1, matchtype=matchtype)
        return {float(fitted.draw(new, np.random.default_rng(seed))[0]) for seed in range(30)}

    assert len(nearest(0)) == 1
    assert len(nearest(2)) > 1


def test_categories_are_drawn_as_codes() -> None:
    rng = np.random.default_rng(7)
    x = rng.standard_normal((300, 1))
    y = np.digitize(x[:, 0] + 0.1 * rng.standard_normal(300), [-0.5, 0.5])
    for kind in (Kind.NOMINAL, Kind.ORDINAL):
        drawn = fit("pmm", y, x, category(3, kind)).draw(x, rng)
        assert set(drawn) == {0.0, 1.0, 2.0}
        assert (drawn == y).mean() > 0.75


def test_canonical_scores_are_the_best_scores() -> None:
    rng = np.random.default_rng(8)
    x = rng.standard_normal((400, 2))
    # Levels lie along x1 in the order 2, 0, 3, 1: their codes say nothing.
    y = np.array([2, 0, 3, 1])[np.digitize(x[:, 0] + rng.standard_normal(400), [-1, 0, 1])]
    told = context("pmm", category(4), numbers(2))

    def explained(scores: np.ndarray) -> float:
        design = np.column_stack([np.ones(400), x])
        residual = scores - design @ np.linalg.lstsq(design, scores, rcond=None)[0]
        return 1 - residual.var() / scores.var()

    scores = canonical_scores(y, x, told)
    best = explained(scores)
    assert best > explained(y.astype(float)) + 0.1
    assert all(explained(rng.standard_normal(4)[y]) <= best + 1e-12 for _ in range(200))
    by_level = [scores[y == level][0] for level in (2, 0, 3, 1)]
    assert (np.diff(by_level) > 0).all() or (np.diff(by_level) < 0).all()


def test_canonical_scores_without_predictors_are_equal() -> None:
    told = context("pmm", category(3), ())
    assert canonical_scores(np.array([0, 1, 2]), np.empty((3, 0)), told).tolist() == [0, 0, 0]


def test_a_single_row_is_the_only_donor() -> None:
    fitted = fit("pmm", [7.0], np.array([[1.0]]))
    assert isinstance(fitted, Pmm)
    assert fitted.draw(np.array([[3.0], [4.0]]), np.random.default_rng(0)).tolist() == [7.0, 7.0]


@pytest.mark.parametrize("donors", [0, -1, 2.5, "5", True])
def test_the_pool_is_a_whole_number(donors: object) -> None:
    with pytest.raises(PlanError, match=r"method_options.pmm.donors must be a whole number of 1"):
        PmmOptions(donors=donors)


@pytest.mark.parametrize("matchtype", [3, -1, "1"])
def test_other_matchtypes_are_refused(matchtype: object) -> None:
    with pytest.raises(PlanError, match="matchtype must be 0, 1 or 2"):
        context("pmm", number(), (), matchtype=matchtype)
