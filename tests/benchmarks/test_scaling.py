"""How the growth of the cost is judged and drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.scaling import LARGEST_SLOPE, largest_slope
from tests.benchmarks.scaling_plot import plot_scaling


def figures(power: float, who: str = "ours") -> pd.DataFrame:
    """Return what a cost of n^power and an overhead of a tenth of a second would give."""
    rows = [10.0**k for k in range(3, 8)]
    cost = [0.1 + 1e-4 * n**power for n in rows]
    return pd.DataFrame(
        {"who": who, "what": "rows", "n_rows": rows, "n_columns": 20, "processor": cost}
    )


def test_the_slope_is_the_power_with_which_the_cost_grows() -> None:
    assert largest_slope(figures(1.3)) == pytest.approx(1.3, abs=0.01)
    assert largest_slope(figures(1.0)) < LARGEST_SLOPE < largest_slope(figures(1.2))


def test_the_worse_of_our_tables_counts() -> None:
    both = pd.concat([figures(1.0), figures(1.3, "census"), figures(2.0, "sklearn")])
    assert largest_slope(both) == pytest.approx(1.3, abs=0.01)


def test_n_log_n_is_within_the_bound() -> None:
    table = figures(1.0)
    table["processor"] = table["n_rows"] * np.log2(table["n_rows"])
    assert largest_slope(table) < LARGEST_SLOPE


def test_the_cost_is_drawn(tmp_path: Path) -> None:
    wide = figures(1.0).assign(what="columns", n_columns=[10, 20, 50, 100, 200])
    plot_scaling(pd.concat([figures(1.0), wide]), tmp_path / "scaling.png")
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
