"""What the benchmarks compare with, and how they report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import Kind, encode, infer_schema
from tests.benchmarks.report import OURS, plot_cost, ratio_table, read_figures
from tests.benchmarks.tables import mixed_table, numeric_table
from tests.benchmarks.with_sklearn import synthesize_with_sklearn

FIGURES = [
    ("boys", "prefect-synth", 0.01, {}),
    ("boys", "R, mice", 0.0, {"seconds": 3.0}),
    ("large", "prefect-synth", 0.0, {"seconds": 20.0, "peak_gb": 2.94}),
    *(("rows", who, 0.1, {"n_rows": n}) for n in (10, 1000) for who in (OURS, "scikit-learn")),
    *(("columns", who, 0.2, {"n_columns": n}) for n in (5, 10) for who in (OURS, "scikit-learn")),
]


def figures() -> pd.DataFrame:
    return read_figures(
        [
            {"group": group, "stats": {"median": median}, "extra_info": {"who": who} | more}
            for group, who, median, more in FIGURES
        ]
    )


def test_others_are_told_as_multiples_of_ours() -> None:
    assert ratio_table(figures()).splitlines()[2:] == [
        "| boys | prefect-synth | 10 ms |  |",
        "| boys | R, mice | 3 s | 300 |",
        "| large | prefect-synth | 20 s, peak 2.9 GB |  |",
    ]


def test_the_cost_is_plotted(tmp_path: Path) -> None:
    plot_cost(figures(), tmp_path / "cost.png")
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_the_reference_synthesises_too() -> None:
    frame = numeric_table(2000, 4)
    matrix = encode(frame, infer_schema(frame))
    first, second = synthesize_with_sklearn(matrix, [False] * 4, m=2, minbucket=5)
    assert not np.array_equal(first, second)
    for j in range(4):
        assert np.isin(first[:, j], matrix[:, j]).all()
    np.testing.assert_allclose(np.corrcoef(first.T), np.corrcoef(matrix.T), atol=0.08)


def test_the_mixed_table_has_what_it_says() -> None:
    schema = infer_schema(mixed_table(5000))
    kinds = [v.kind for v in schema]
    assert kinds.count(Kind.NUMERIC) == 10
    assert kinds.count(Kind.INTEGER) == 5
    assert sorted(len(v.categories) for v in schema if v.kind is Kind.NOMINAL) == [8, 40, 200]
    assert kinds.count(Kind.ORDINAL) == 2
    pd.testing.assert_frame_equal(mixed_table(100), mixed_table(100))


@pytest.mark.parametrize("make", [numeric_table, mixed_table])
def test_tables_have_the_rows_asked_for(make: object) -> None:
    assert len(make(321)) == 321  # type: ignore[operator]
