"""The closed forms of least-squares density ratios against their definitions."""

import numpy as np
import pytest
from scipy import integrate, stats

from synth_tasks.seeding import generator
from synth_tasks.utility.ratio_fitting import (
    KernelBasis,
    fit_excess,
    gaussian_kernels,
    left_out_errors,
    pearson_divergence,
)


@pytest.fixture
def rows():
    rng = generator(1, "ratio")
    x = rng.standard_normal((60, 2))
    return gaussian_kernels(x, x[:8], 1.5), rng.permutation(60) < 25


def ridge_regression(kernels, targets, ridge, n):
    """Solve (H + lambda I) alpha = h, where H and h are means over `n` rows."""
    return np.linalg.solve(
        kernels.T @ kernels / n + ridge * np.eye(kernels.shape[1]), kernels.T @ targets / n
    )


def test_kernels_by_hand():
    kernels = gaussian_kernels(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]]), 5.0)
    np.testing.assert_allclose(kernels, [[1.0], [np.exp(-0.5)]])


def test_solves_the_equation_of_ulsif(rows):
    kernels, is_synthetic = rows
    centred = kernels - kernels.mean(axis=0)
    h = centred[is_synthetic].mean(axis=0)
    alpha = np.linalg.solve(centred.T @ centred / 60 + 0.05 * np.eye(8), h)
    excess = fit_excess([KernelBasis.of(kernels)], is_synthetic[:, None], [0.05])
    np.testing.assert_allclose(excess[:, 0], centred @ alpha, atol=1e-9)
    # E[(r - 1)²] / 2 as quadratic form of the weights
    assert pearson_divergence(excess)[0] == pytest.approx(
        alpha @ (centred.T @ centred / 60) @ alpha / 2
    )


def test_left_out_error_equals_that_of_fits_without_the_row(rows):
    kernels, is_synthetic = rows
    targets = is_synthetic / is_synthetic.mean() - 1
    basis = KernelBasis.of(kernels)
    centred = kernels - kernels.mean(axis=0)
    squares = []
    for i in range(60):
        others = np.arange(60) != i
        alpha = ridge_regression(centred[others], targets[others], 0.05, 60)
        squares.append((targets[i] - centred[i] @ alpha) ** 2)
    shrinkage = basis.strengths / (basis.strengths + 0.05)
    residuals = targets - centred @ ridge_regression(centred, targets, 0.05, 60)
    error = left_out_errors(basis, shrinkage, residuals[:, None])
    assert error[0] == pytest.approx(np.mean(squares))


def test_each_labelling_gets_the_bandwidth_and_ridge_that_predict_it_best(rows):
    kernels, is_synthetic = rows
    bases = [KernelBasis.of(kernels), KernelBasis.of(kernels**4)]
    labels = np.column_stack([is_synthetic, is_synthetic[::-1]])
    together = fit_excess(bases, labels, [0.001, 0.1])
    for i in range(2):
        alone = fit_excess(bases, labels[:, [i]], [0.001, 0.1])[:, 0]
        np.testing.assert_allclose(together[:, i], alone)


def test_divergence_of_two_normal_distributions_is_found():
    """Of N(1, 1) from the mixture of N(0, 1) and N(1, 1), by numerical integration."""

    def integrand(x):
        both = (stats.norm.pdf(x) + stats.norm.pdf(x - 1)) / 2
        return (stats.norm.pdf(x - 1) / both - 1) ** 2 * both / 2

    true = integrate.quad(integrand, -10, 11)[0]
    rng = generator(2, "ratio")
    x = np.append(rng.standard_normal(3000), 1 + rng.standard_normal(3000))[:, None]
    bases = [KernelBasis.of(gaussian_kernels(x, x[::60], s)) for s in (0.3, 1.0)]
    excess = fit_excess(bases, (np.arange(6000) >= 3000)[:, None], [1e-4, 1e-2])
    assert pearson_divergence(excess)[0] == pytest.approx(true, rel=0.1)
    ratio = stats.norm.pdf(x - 1) / (stats.norm.pdf(x) / 2 + stats.norm.pdf(x - 1) / 2)
    assert np.corrcoef(excess[:, 0], ratio[:, 0])[0, 1] > 0.99


def test_constant_kernels_carry_no_information():
    excess = fit_excess([KernelBasis.of(np.ones((4, 2)))], np.array([[True], [False]] * 2), [0.1])
    np.testing.assert_allclose(excess, 0)
