"""Pictures of the chains and of the values filled in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from synth_tasks.data import encode, infer_schema
from synth_tasks.engine.plots import MAX_POINTS, density_plot, strip_plot, trace_plot
from synth_tasks.errors import DataError, PlanError

N = 40
TRUTH = pd.DataFrame(
    {
        "x": np.round(np.random.default_rng(1).normal(10.0, 2.0, N), 2),
        "g": pd.Categorical(["u", "v", "v", "w"] * 10),
        "when": pd.date_range("2024-01-01", periods=N, freq="7D"),
        "whole": np.arange(N) % 7,
    }
)
SCHEMA = infer_schema(TRUTH)
COMPLETE = encode(TRUTH, SCHEMA)
ORIGINAL = COMPLETE.copy()
ORIGINAL[:10, 0] = ORIGINAL[:8, 1] = ORIGINAL[:3, 2] = np.nan


def filled(number: int) -> np.ndarray:
    """Fill the missing cells with values that tell the sets apart; the seventh x stays missing."""
    matrix = ORIGINAL.copy()
    matrix[:10, 0] = np.linspace(5.0, 14.0, 10) + number
    matrix[6, 0] = np.nan
    matrix[:8, 1] = np.arange(8) < number  # so many v, the others u
    matrix[:3, 2] = COMPLETE[number, 2]
    return matrix


IMPUTED = [filled(1), filled(2)]
SYNTHETIC = [COMPLETE[::-1], np.roll(COMPLETE, 3, axis=0), COMPLETE]


def drawn(figure: Figure) -> Figure:
    """Draw a figure, which must not fail or warn."""
    figure.savefig(BytesIO(), format="png", dpi=40)
    return figure


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def notes(figure: Figure) -> list[str]:
    return [axes.get_title(loc="right") for axes in figure.axes]


def key(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def labels(ticks: list[Text]) -> list[str]:
    return [tick.get_text() for tick in ticks]


def curves(axes: Axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines]


# --- chains ---------------------------------------------------------------------------------------


def test_each_chain_is_a_line_in_the_row_of_its_variable() -> None:
    means = np.arange(6 * 2 * 3, dtype=float).reshape(6, 2, 3)
    figure = drawn(trace_plot(means, means**2 * 4, ["x", "a$b"]))
    assert titles(figure) == ["x: mean", "standard deviation", r"a\$b: mean", "standard deviation"]
    assert key(figure) == ["chain 1", "chain 2", "chain 3"]
    assert [len(axes.lines) for axes in figure.axes] == [3, 3, 3, 3]
    iterations = np.arange(1, 7)
    for chain in range(3):
        for row in range(2):
            mean, deviation = (curves(figure.axes[2 * row + k])[chain] for k in (0, 1))
            np.testing.assert_array_equal(mean, np.column_stack([iterations, means[:, row, chain]]))
            np.testing.assert_array_equal(deviation[:, 1], 2 * means[:, row, chain])


def test_many_chains_need_no_key_and_missing_figures_leave_gaps() -> None:
    means = np.ones((30, 1, 12))
    means[4, 0, 2] = np.nan
    figure = drawn(trace_plot(means, means, ["x"]))
    assert key(figure) == []
    assert len(figure.axes[0].lines) == 12
    assert np.isnan(curves(figure.axes[0])[2][4, 1])


def test_one_iteration_is_a_point() -> None:
    figure = drawn(trace_plot(np.ones((1, 1, 2)), np.ones((1, 1, 2)), ["x"]))
    assert figure.axes[0].lines[0].get_marker() == "o"


def test_no_iterations_cannot_be_drawn() -> None:
    nothing = np.ones((0, 1, 2))
    with pytest.raises(PlanError, match="no iterations to draw; impute with maxit >= 1"):
        trace_plot(nothing, nothing, ["x"])


# --- densities and shares -------------------------------------------------------------------------


def test_an_imputation_shows_imputed_beside_observed_cells() -> None:
    figure = drawn(density_plot(SCHEMA, IMPUTED, ORIGINAL))
    assert titles(figure) == ["x", "g", "when"]  # `whole` is complete
    assert notes(figure) == ["9 imputed", "8 imputed", "3 imputed"]
    assert key(figure) == ["observed", "imputed, 2 sets"]
    x = figure.axes[0]
    assert len(x.collections) == 1  # the grey area
    assert len(x.lines) == 2


def test_a_variable_left_incomplete_has_nothing_imputed() -> None:
    left = [np.column_stack([m[:, 0], ORIGINAL[:, 1], m[:, 2:]]) for m in IMPUTED]
    assert titles(density_plot(SCHEMA, left, ORIGINAL)) == ["x", "when"]


def test_a_density_integrates_to_one_and_lies_where_the_values_are() -> None:
    figure = density_plot(SCHEMA, IMPUTED, ORIGINAL, ["x"])
    imputed = [np.delete(np.linspace(5.0, 14.0, 10), 6) + number for number in (1, 2)]
    for curve, values in zip(curves(figure.axes[0]), imputed, strict=True):
        step = curve[1, 0] - curve[0, 0]
        assert curve[:, 1].sum() * step == pytest.approx(1.0, rel=1e-9)
        assert (curve[:, 0] * curve[:, 1]).sum() * step == pytest.approx(values.mean(), abs=0.3)


def test_a_density_of_normal_values_is_that_of_the_normal_distribution() -> None:
    """Of 100 000 values, whose kernel density has a standard error below 0.003."""
    values = np.random.default_rng(1).standard_normal((100_000, 1))
    schema = infer_schema(pd.DataFrame(values, columns=["z"]))
    curve = curves(density_plot(schema, [values]).axes[0])[0]
    expected = np.exp(-(curve[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(curve[:, 1], expected, atol=0.012)


def test_few_imputed_values_are_ticks() -> None:
    when = density_plot(SCHEMA, IMPUTED, ORIGINAL, ["when"]).axes[0]
    assert [line.get_marker() for line in when.lines] == ["|", "|"]
    assert curves(when)[1][:, 0].tolist() == [COMPLETE[2, 2]] * 3


def test_categories_are_shares_in_their_order() -> None:
    g = density_plot(SCHEMA, IMPUTED, ORIGINAL, ["g"]).axes[0]
    assert labels(g.get_yticklabels()) == ["u", "v", "w"]
    observed = [bar.get_width() for bar in g.patches]
    assert observed == pytest.approx([25.0, 50.0, 25.0])
    assert [curve[:, 0].tolist() for curve in curves(g)] == [[87.5, 12.5, 0.0], [75.0, 25.0, 0.0]]


def test_a_synthesis_shows_whole_columns_and_no_real_value() -> None:
    figure = drawn(density_plot(SCHEMA, SYNTHETIC))
    assert titles(figure) == SCHEMA.names
    assert notes(figure) == [""] * 4
    assert key(figure) == ["synthetic, 3 sets"]
    x, g, *_ = figure.axes
    assert len(x.collections) == 0
    assert len(x.lines) == 3
    assert len(g.patches) == 0


def test_data_to_compare_a_synthesis_with_are_the_grey_ones() -> None:
    """Only the columns that are drawn are needed."""
    figure = drawn(density_plot(SCHEMA, SYNTHETIC, variables=["g"], data=TRUTH[["g"]].iloc[:4]))
    assert key(figure) == ["observed", "synthetic, 3 sets"]
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([25.0, 50.0, 25.0])


def test_dates_are_written_as_dates() -> None:
    when = density_plot(SCHEMA, SYNTHETIC, variables=["when"]).axes[0]
    assert labels(when.get_xticklabels()) == ["2024-01-28", "2024-05-17", "2024-09-03"]
    on_the_side = strip_plot(SCHEMA, SYNTHETIC, variables=["when"]).axes[0]
    assert labels(on_the_side.get_yticklabels()) == labels(when.get_xticklabels())


def test_long_and_many_labels_are_cut() -> None:
    names = [f"an occupation with the number {i:02}" for i in range(30)]
    frame = pd.DataFrame({"job": pd.Categorical(names * 2)})
    schema = infer_schema(frame)
    job = drawn(density_plot(schema, [encode(frame, schema)])).axes[0]
    shown = labels(job.get_yticklabels())
    assert len(shown) == 10
    assert all(len(text) <= 20 and text.endswith("…") for text in shown)


def test_constant_and_missing_columns_can_be_drawn() -> None:
    sets = [np.column_stack([np.full(N, 3.0), np.full(N, np.nan), COMPLETE[:, 2:]])]
    for plot in (density_plot, strip_plot):
        assert len(drawn(plot(SCHEMA, sets)).axes) == 4


# --- strips ---------------------------------------------------------------------------------------


def test_a_strip_for_the_observed_values_and_each_set() -> None:
    figure = drawn(strip_plot(SCHEMA, IMPUTED, ORIGINAL, ["x"]))
    observed, first, second = curves(figure.axes[0])
    assert sorted(observed[:, 1]) == sorted(ORIGINAL[10:, 0])
    assert sorted(first[:, 1]) == pytest.approx(np.delete(np.linspace(6.0, 15.0, 10), 6))
    for number, strip in enumerate((observed, first, second)):
        assert np.abs(strip[:, 0] - number).max() <= 0.3
    assert figure.get_supxlabel() == "set (0: observed)"


def test_categories_are_spread_around_their_code() -> None:
    g = drawn(strip_plot(SCHEMA, IMPUTED, ORIGINAL, ["g"])).axes[0]
    assert labels(g.get_yticklabels()) == ["u", "v", "w"]
    assert np.bincount(np.rint(curves(g)[2][:, 1]).astype(int)).tolist() == [6, 2]


def test_a_synthesis_has_no_strip_0_without_data() -> None:
    alone = drawn(strip_plot(SCHEMA, SYNTHETIC, variables=["x"]))
    assert len(alone.axes[0].lines) == 3
    assert alone.axes[0].get_xlim() == (0.5, 3.5)
    assert alone.get_supxlabel() == "set"
    compared = strip_plot(SCHEMA, SYNTHETIC, variables=["x"], data=TRUTH)
    assert len(compared.axes[0].lines) == 4
    assert sorted(curves(compared.axes[0])[0][:, 1]) == sorted(TRUTH["x"])


def test_of_many_values_some_are_drawn_and_the_figure_says_so() -> None:
    """They are spaced evenly in order: the extremes are among them, and the quantiles are kept."""
    values = np.random.default_rng(1).permutation(10_001)[:, None].astype(float)
    schema = infer_schema(pd.DataFrame(values, columns=["z"]))
    figure = strip_plot(schema, [values])
    z = np.sort(curves(figure.axes[0])[0][:, 1])
    assert len(z) == MAX_POINTS
    np.testing.assert_allclose(z, np.linspace(0, 10_000, MAX_POINTS), atol=0.5)
    assert "of more than 500 values 500 are drawn" in figure.get_supxlabel()


def test_the_same_values_give_the_same_picture() -> None:
    first, second = (strip_plot(SCHEMA, IMPUTED, ORIGINAL) for _ in range(2))
    for one, other in zip(first.axes, second.axes, strict=True):
        for a, b in zip(curves(one), curves(other), strict=True):
            np.testing.assert_array_equal(a, b)


# --- what all share -------------------------------------------------------------------------------


@pytest.mark.parametrize("plot", [density_plot, strip_plot])
def test_what_cannot_be_drawn_is_refused(plot: Callable[..., Figure]) -> None:
    with pytest.raises(PlanError, match="unknown variable 'y'; use x, g, when, whole"):
        plot(SCHEMA, SYNTHETIC, variables=["y"])
    with pytest.raises(PlanError, match="'whole' has no imputed cell; leave it out"):
        plot(SCHEMA, IMPUTED, ORIGINAL, ["whole"])
    with pytest.raises(PlanError, match="there is no variable to draw"):
        plot(SCHEMA, [COMPLETE], COMPLETE)
    with pytest.raises(PlanError, match="there is no variable to draw"):
        plot(SCHEMA, SYNTHETIC, variables=[])
    with pytest.raises(PlanError, match="an imputation has its own data; leave out data"):
        plot(SCHEMA, IMPUTED, ORIGINAL, data=TRUTH)
    with pytest.raises(DataError, match="column 'x' is missing from the data"):
        plot(SCHEMA, SYNTHETIC, variables=["x"], data=TRUTH[["g"]])


@pytest.mark.parametrize("plot", [density_plot, strip_plot])
@pytest.mark.parametrize(("count", "width"), [(1, 4.5), (2, 6.0), (3, 9.0), (4, 9.0), (12, 9.0)])
def test_the_sheet_fits_the_number_of_panels(
    plot: Callable[..., Figure], count: int, width: float
) -> None:
    frame = pd.DataFrame({f"v{i}": np.arange(20.0) for i in range(count)})
    schema = infer_schema(frame)
    figure = plot(schema, [encode(frame, schema)])
    assert len(figure.axes) == count
    assert figure.get_figwidth() == pytest.approx(width)
    assert figure.get_figheight() == pytest.approx(
        0.6 + (1.75 if plot is density_plot else 2.1) * -(-count // 3)
    )


def test_matplotlib_is_loaded_with_the_first_picture_only() -> None:
    script = "import sys, synth_tasks.engine.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
