"""Forest plots show estimates and intervals where they are."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from synth_tasks.errors import PoolingError
from synth_tasks.inference import pool


@pytest.fixture
def pooled(make_fit):
    return pool([make_fit([q, -q, 2.0], [0.04, 0.09, 0.01]) for q in (1.0, 1.2)])


def points(axes):
    return [
        list(zip(*(np.round(v, 9) for v in line.get_data()), strict=True))
        for line in axes.lines
        if line.get_marker() not in ("None", None, "")
    ]


def test_points_and_lines_are_estimates_and_intervals(pooled):
    (axes,) = pooled.plot().axes
    ((first, second, third),) = points(axes)
    assert (first[0], second[0], third[0]) == (1.1, -1.1, 2.0)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    segments = axes.collections[0].get_segments()
    np.testing.assert_allclose(
        [segment[:, 0] for segment in segments], pooled.table[["conf_low", "conf_high"]]
    )
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first term is on top
    assert axes.get_title(loc="left") == "ols: y ~ x"
    assert axes.get_xlabel() == "estimate and 95 % interval"


def test_terms_may_be_chosen(pooled):
    (axes,) = pooled.plot(terms=["c", "a"]).axes
    assert [x for x, _ in points(axes)[0]] == [2.0, 1.1]
    with pytest.raises(PoolingError, match="unknown term 'z': use some of a, b, c"):
        pooled.plot(terms=["z"])


def test_several_results_stand_side_by_side_and_terms_may_lack(pooled, make_fit):
    other = pool([make_fit([q], [0.04], terms=("b",)) for q in (0.5, 0.7)], confidence=0.9)
    figure = pooled.plot({"other": other}, name="here")
    first, second = points(figure.axes[0])
    assert first[1][1] < 1 < second[1][1]
    assert np.isnan(second[0][0])
    assert second[1][0] == pytest.approx(0.6)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["here", "other"]
    assert figure.axes[0].get_xlabel() == "estimate and 95 or 90 % interval"


def test_variances_have_a_logarithmic_axis_and_do_not_stand_beside_coefficients(pooled, make_fit):
    variances = pool([make_fit([q], [0.04], scale="log") for q in (0.5, 0.7)])
    assert variances.plot().axes[0].get_xscale() == "log"
    with pytest.raises(PoolingError, match="different scales"):
        pooled.plot({"variance": variances})
    with pytest.raises(PoolingError, match="1 to 7 results, not 8"):
        pooled.plot({str(i): pooled for i in range(7)})


def test_names_with_dollar_signs_are_no_formulas(make_fit):
    fits = [make_fit([q], [0.04], terms=("$\\frac$",)) for q in (0.5, 0.7)]
    pool(fits).plot(name="$x$").canvas.draw()


def test_a_long_name_is_cut(make_fit):
    fits = [make_fit([q], [0.04], terms=("x" * 80,)) for q in (0.5, 0.7)]
    (label,) = pool(fits).plot().axes[0].get_yticklabels()
    assert label.get_text() == "x" * 31 + "…"


def test_it_works_without_pyplot():
    code = (
        "import sys, numpy as np\n"
        "from synth_tasks.inference import ModelFit, pool\n"
        "fit = ModelFit('ols', 'y ~ x', ('x',), np.ones(1), np.eye(1), 9.0, 10)\n"
        "pool([fit, fit]).plot()\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
