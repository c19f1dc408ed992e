"""Log-linear models of categories."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import brentq

from synth_tasks.engine.methods.ipf import Ipf, fit_margins
from synth_tasks.errors import PlanError
from tests.engine.builders import category, fit, number, read_fixture

R = read_fixture("r_loglin.json")
HAIR_EYE_SEX = np.array(R["table"])
TINY = 1e-8


def rows_of(table: np.ndarray) -> np.ndarray:
    """List the rows that a table of counts stands for."""
    cells = np.array(list(product(*map(range, table.shape))))
    return np.repeat(cells, table.ravel().astype(int), axis=0)


def fit_table(table: np.ndarray, log: list[str] | None = None, **options: object) -> Ipf:
    """Fit the last variable of a table given the others."""
    *predictors, target = [category(n, name=f"v{i}") for i, n in enumerate(table.shape)]
    rows = rows_of(table)
    fitted = fit("ipf", rows[:, -1], rows[:, :-1], target, predictors, log, **options)
    assert isinstance(fitted, Ipf)
    return fitted


def random_table(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 40, size=shape)


# --- scaling to margins ---------------------------------------------------------------------------


def test_two_independent_margins_give_their_product() -> None:
    rows, columns = np.array([[30.0], [70.0]]), np.array([[20.0, 30.0, 50.0]])
    fitted, converged = fit_margins(np.ones((2, 3)), [rows, columns], tol=1e-12, max_iter=10)
    assert converged
    np.testing.assert_allclose(fitted, rows * columns / 100)


def test_margins_are_met_and_the_odds_ratios_of_the_start_are_kept() -> None:
    start = np.array([[40.0, 30, 20], [35, 50, 100], [30, 80, 70]])
    rows, columns = np.array([[150.0], [300], [400]]), np.array([[200.0, 300, 350]])
    fitted, _ = fit_margins(start, [rows, columns], tol=1e-13, max_iter=200)
    np.testing.assert_allclose(fitted.sum(axis=1, keepdims=True), rows)
    np.testing.assert_allclose(fitted.sum(axis=0, keepdims=True), columns)

    def odds_ratios(t: np.ndarray) -> np.ndarray:
        return t[:-1, :-1] * t[1:, 1:] / (t[:-1, 1:] * t[1:, :-1])

    np.testing.assert_allclose(odds_ratios(fitted), odds_ratios(start))


def test_the_fit_of_all_two_way_margins_equals_that_of_loglin() -> None:
    margins = [HAIR_EYE_SEX.sum(axis=a, keepdims=True).astype(float) for a in (0, 1, 2)]
    fitted, _ = fit_margins(np.ones(HAIR_EYE_SEX.shape), margins, tol=1e-12, max_iter=500)
    np.testing.assert_allclose(fitted, R["fit"], atol=1e-6)
    deviance = 2 * (HAIR_EYE_SEX * np.log(HAIR_EYE_SEX / fitted)).sum()
    assert deviance == pytest.approx(R["deviance"], abs=1e-6)


def test_too_few_rounds_are_told() -> None:
    margins = [HAIR_EYE_SEX.sum(axis=a, keepdims=True).astype(float) for a in (0, 1, 2)]
    assert not fit_margins(np.ones(HAIR_EYE_SEX.shape), margins, tol=1e-12, max_iter=2)[1]
    log: list[str] = []
    fit_table(HAIR_EYE_SEX, log, max_iter=2)
    assert log == ["ipf stopped after 2 iterations"]


# --- the conditional model ------------------------------------------------------------------------


def test_order_two_of_three_variables_is_the_model_without_three_way_interaction() -> None:
    fit_in_r = np.array(R["fit"])
    expected = fit_in_r / fit_in_r.sum(axis=-1, keepdims=True)
    probabilities = fit_table(HAIR_EYE_SEX, prior=TINY).probabilities
    np.testing.assert_allclose(probabilities, expected.reshape(-1, 2), atol=1e-6)


def test_order_two_solves_bartletts_equation_in_a_table_of_two_by_two_by_two() -> None:
    """All two-way margins are kept if one number is moved through the cells (Bartlett 1935)."""
    table = random_table((2, 2, 2), seed=1).astype(float)
    sign = np.fromfunction(lambda i, j, k: (-1) ** (i + j + k), (2, 2, 2))

    def log_interaction(moved: float) -> float:
        return float((sign * np.log(table + sign * moved)).sum())

    lowest, highest = -table[sign > 0].min(), table[sign < 0].min()
    moved = brentq(log_interaction, lowest + 1e-9, highest - 1e-9, xtol=1e-13)
    expected = table + sign * moved
    expected /= expected.sum(axis=-1, keepdims=True)
    probabilities = fit_table(table, prior=TINY).probabilities
    np.testing.assert_allclose(probabilities, expected.reshape(4, 2), atol=1e-6)


@pytest.mark.parametrize(("order", "degree"), [(2, 1), (3, 2)])
def test_probabilities_equal_those_of_multinomial_regression(order: int, degree: int) -> None:
    table = random_table((2, 3, 2, 3), seed=2)
    rows, cells = rows_of(table), np.array(list(product(range(2), range(3), range(2))))

    def design(x: np.ndarray) -> np.ndarray:
        """Expand three factors to dummies and, for degree 2, to the products of two of them."""
        dummies = [x[:, [0]] == 1, x[:, [1]] == [1, 2], x[:, [2]] == 1]
        columns = [np.ones((len(x), 1)), *dummies]
        if degree == 2:
            for i, j in [(0, 1), (0, 2), (1, 2)]:
                columns.append((dummies[i][:, :, None] & dummies[j][:, None]).reshape(len(x), -1))
        return np.column_stack(columns).astype(float)

    model = sm.MNLogit(rows[:, 3], design(rows[:, :3])).fit(disp=False)
    probabilities = fit_table(table, order=order, prior=TINY).probabilities
    np.testing.assert_allclose(probabilities, model.predict(design(cells)), atol=1e-4)


def test_the_highest_order_is_the_smoothed_table_itself() -> None:
    table = random_table((3, 2, 4), seed=3)
    smoothed = table + 12.0 / 24
    expected = (smoothed / smoothed.sum(axis=-1, keepdims=True)).reshape(6, 4)
    for order in (3, 9):
        fitted = fit_table(table, order=order, prior=12.0)
        np.testing.assert_allclose(fitted.probabilities, expected)


def test_a_combination_never_seen_is_predicted_from_its_parts() -> None:
    table = np.array([[[30, 10], [60, 20]], [[10, 30], [0, 0]]])
    unseen = fit_table(table, prior=1e-6).probabilities[3]
    # The second predictor tells nothing, the first one 3 : 1 for the second category.
    np.testing.assert_allclose(unseen, [0.25, 0.75], atol=1e-3)


def test_draws_follow_the_probabilities_of_their_cell() -> None:
    fitted = fit_table(HAIR_EYE_SEX)
    cells = np.array([[0, 0], [3, 1], [2, 3]])
    n = 20_000
    drawn = fitted.draw(np.repeat(cells, n, axis=0).astype(float), np.random.default_rng(4))
    expected = fitted.probabilities[cells @ [4, 1], 1]
    error = np.sqrt(expected * (1 - expected) / n)
    assert (np.abs(drawn.reshape(3, n).mean(axis=1) - expected) < 4 * error).all()


def test_no_predictor_leaves_the_smoothed_margin() -> None:
    probabilities = fit_table(np.array([7, 2, 0]), prior=3.0).probabilities
    np.testing.assert_allclose(probabilities, [[8 / 12, 3 / 12, 1 / 12]])


# --- what is refused ------------------------------------------------------------------------------


def test_numeric_predictors_are_refused() -> None:
    with pytest.raises(PlanError, match=r"method 'ipf' of 'y' needs categorical.*set age to 0"):
        fit("ipf", np.array([0, 1]), np.zeros((2, 1)), category(2), [number("age")])


def test_a_table_beyond_the_limit_is_refused() -> None:
    many = [category(100, name=f"x{i}") for i in range(3)]
    with pytest.raises(PlanError, match="more than 1000000 cells; leave predictors out"):
        fit("ipf", np.array([0, 1]), np.zeros((2, 3)), category(2), many)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("order", 1, "ipf.order must be a whole number of 2"),
        ("prior", 0, "ipf.prior must be greater than 0"),
        ("tol", -1e-3, "ipf.tol must be greater than 0"),
        ("max_iter", 0, "ipf.max_iter must be a whole number of 1"),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: object, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        fit_table(HAIR_EYE_SEX, **{option: value})
