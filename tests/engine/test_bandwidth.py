"""Bandwidths of kernel density estimates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synth_tasks.engine.bandwidth import sheather_jones, silverman
from tests.engine.builders import read_fixture

RNG = np.random.default_rng
R = read_fixture("r_bandwidth.json")


@pytest.mark.parametrize("name", R)
def test_bandwidths_are_those_of_r(name: str) -> None:
    values = np.array(R[name]["values"], dtype=float)
    assert sheather_jones(values) == pytest.approx(R[name]["sj"], rel=2e-3)
    assert silverman(values) == pytest.approx(R[name]["nrd0"], rel=1e-12)


def test_two_modes_are_not_smoothed_over() -> None:
    values = np.array(R["bimodal"]["values"])
    assert sheather_jones(values) < 0.5 * silverman(values)


@pytest.mark.parametrize("n", [2_000, 50_000])
def test_the_optimum_for_normal_values_is_found(n: int) -> None:
    # h = (4 / (3 n))^(1/5) minimises the asymptotic error; the estimate varies by O(n^(-5/14)).
    optimum = (4 / (3 * n)) ** 0.2
    assert sheather_jones(RNG(1).standard_normal(n)) == pytest.approx(optimum, rel=n ** (-5 / 14))


@pytest.mark.parametrize(("shift", "unit"), [(0.0, 1e-12), (0.0, 1e12), (1e5, 1.0)])
def test_the_bandwidth_has_the_unit_of_the_values(shift: float, unit: float) -> None:
    values = RNG(2).standard_normal(500)
    assert sheather_jones(shift + unit * values) == pytest.approx(
        unit * sheather_jones(values), rel=1e-3
    )


def test_far_values_do_not_coarsen_the_bins() -> None:
    values = RNG(3).standard_normal(2_000)
    with_outlier = np.append(values, 1e9)
    assert sheather_jones(with_outlier) == pytest.approx(sheather_jones(values), rel=0.01)


def test_silverman_steps_in_where_half_of_the_rows_are_equal() -> None:
    values = np.append(np.zeros(900), RNG(4).random(100))
    assert sheather_jones(values) == silverman(values) > 0.0
    assert silverman(values) == pytest.approx(0.9 * values.std(ddof=1) * 1000**-0.2)


def test_silverman_steps_in_for_two_distinct_values() -> None:
    values = np.repeat([0.0, 1.0], 50)
    assert sheather_jones(values) == silverman(values)


def test_silverman_steps_in_where_the_root_tends_to_zero() -> None:
    few, many = (np.repeat(np.arange(3.0), count) for count in (100, 300_000))
    assert 0.0 < sheather_jones(few) < 0.2 * silverman(few)
    assert sheather_jones(many) == silverman(many)


@pytest.mark.parametrize("values", [[3.0], [3.0, 3.0], [0.1] * 7])
def test_equal_values_need_no_bandwidth(values: list[float]) -> None:
    assert sheather_jones(np.array(values)) == pytest.approx(0.0, abs=1e-15)


def test_a_million_rows_are_not_compared_in_pairs() -> None:
    assert math.isfinite(sheather_jones(np.exp(2 * RNG(5).standard_normal(1_000_000))))
