"""What summaries of parts say of the whole, against what the whole says."""

from functools import reduce
from operator import add

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from synth_tasks.data import encode, infer_schema
from synth_tasks.utility.associations import measure_associations
from synth_tasks.utility.category_associations import measure_category_associations
from synth_tasks.utility.chosen_pairs import choose_pairs
from synth_tasks.utility.contingency import measure_contingency
from synth_tasks.utility.grouping import GroupedPair, assign_cells
from synth_tasks.utility.marginals import measure_marginals
from synth_tasks.utility.missing import measure_missing
from synth_tasks.utility.pair import TablePair
from synth_tasks.utility.pairs import measure_pairs
from synth_tasks.utility.quantiles import measure_quantiles
from synth_tasks.utility.summaries import (
    TableSketch,
    assess_summaries,
    count_table,
    make_marks,
    sketch_table,
)
from synth_tasks.utility.tables import spmse


def make_table(n_rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 90, n_rows)
    income = np.round(rng.gamma(2, 1000 + 10 * age), 2)
    income[rng.random(n_rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "age": age,
            "income": income,
            "children": rng.poisson(0.3, n_rows),
            "region": rng.choice(["n", "s", "e", "w"], n_rows),
            "home": np.where(rng.random(n_rows) < 0.2, None, np.where(age > 40, "owned", "rented")),
            "school": pd.Categorical(rng.choice(["a", "b", "c"], n_rows), ordered=True),
        }
    )


@pytest.fixture(scope="module")
def tables():
    real, synthetic = make_table(6000, 1), make_table(5800, 2)
    schema = infer_schema(real)
    return real, synthetic, schema


def summarise(frame, schema, marks, cuts):
    parts = np.split(encode(frame, schema), cuts)
    return (
        reduce(TableSketch.merge, (sketch_table(part, schema) for part in parts)),
        reduce(add, (count_table(part, schema, marks) for part in parts)),
    )


def assess(tables, cuts):
    real, synthetic, schema = tables
    parts = np.split(encode(real, schema), cuts)
    sketch = reduce(TableSketch.merge, (sketch_table(part, schema) for part in parts))
    marks = make_marks(sketch, schema)
    summaries = [summarise(frame, schema, marks, cuts) for frame in (real, synthetic)]
    return assess_summaries(schema, *summaries, set_number=1)


def by_name(measurements):
    return {(m.metric, m.target): m for m in measurements}


def test_figures_of_the_whole_follow_from_summaries_of_parts(tables):
    found = by_name(assess(tables, [10, 1500, 4000]))
    real, synthetic, schema = tables
    pair = TablePair.encode(real, synthetic, schema, 1)
    # In the same cells: those at quantiles of the real table, by a sketch.
    grouped = group_by_marks(pair, [10, 1500, 4000])
    measured = [*measure_marginals(grouped), *measure_pairs(grouped), *measure_contingency(grouped)]
    measured += measure_category_associations(pair)
    measured += [*measure_associations(pair), *measure_missing(pair), *measure_quantiles(pair)]
    expected = by_name(measured)
    assert found.keys() == expected.keys()
    for key, m in expected.items():
        tolerance = 0.02 if key[0].startswith("quantile") else 1e-9
        assert found[key].value == pytest.approx(m.value, abs=tolerance), key
        assert found[key].n == m.n


def group_by_marks(pair, cuts) -> GroupedPair:
    parts = np.split(pair.real, cuts)
    sketch = reduce(TableSketch.merge, (sketch_table(part, pair.schema) for part in parts))
    marks = make_marks(sketch, pair.schema)
    real, synthetic = (
        np.column_stack([assign_cells(table[:, i], c) for i, c in enumerate(marks.cuts)])
        for table in (pair.real, pair.synthetic)
    )
    sizes = np.array([len(c) + 2 for c in marks.cuts])
    return GroupedPair(pair.schema.names, real, synthetic, sizes, 1)


def test_a_number_that_does_not_vary_and_a_category_without_a_row_have_no_association():
    frame = pd.DataFrame(
        {"c": ["a", "b", None, "c"], "x": [7.1, 7.1, 7.1, 7.1], "y": [1.0, np.nan, 2.0, np.nan]}
    )
    schema = infer_schema(frame)
    matrix = encode(frame, schema)
    summary = summarise(frame, schema, make_marks(sketch_table(matrix, schema), schema), [2])
    found = by_name(assess_summaries(schema, summary, summary, 1))
    assert found["eta_difference", "c:x"].value == 0
    assert (found["eta_difference", "c:y"].value, found["eta_difference", "c:y"].n) == (0, 1)


def test_parts_change_nothing_that_is_counted(tables):
    one, other = by_name(assess(tables, [3000])), by_name(assess(tables, [3000, 3000, 5799]))
    for key, m in one.items():
        if key[0].startswith(("correlation", "missing")):
            assert other[key].value == pytest.approx(m.value, abs=1e-12)


def test_the_same_parts_give_the_same_bytes(tables):
    assert assess(tables, [100, 2000]) == assess(tables, [100, 2000])


def test_a_sketch_knows_moments_and_quantiles_of_many_numbers():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": np.round(rng.gamma(2, 1, 200_000), 2)})
    schema = infer_schema(frame)
    parts = np.split(encode(frame, schema), 20)
    column = reduce(TableSketch.merge, (sketch_table(p, schema) for p in parts)).columns[0]
    x = frame["x"].to_numpy()
    assert column.mean == pytest.approx(x.mean())
    assert column.deviation == pytest.approx(x.std())
    for p in (0.05, 0.2, 0.4, 0.5, 0.6, 0.8, 0.95):
        quantile = column.quantiles([p])[0]
        assert (x < quantile).mean() - 0.003 < p < (x <= quantile).mean() + 0.003


def test_a_column_without_a_value_in_one_part_is_that_of_the_other():
    frame = pd.DataFrame({"x": [np.nan] * 5 + [1.0, 2.0, 4.0]})
    schema = infer_schema(frame)
    empty, full = (sketch_table(part, schema) for part in np.split(encode(frame, schema), [5]))
    for merged in (empty.merge(full), full.merge(empty)):
        (column,) = merged.columns
        assert (column.n, column.n_missing, column.highest) == (3, 5, 4.0)
        assert column.mean == pytest.approx(7 / 3)
        assert make_marks(merged, schema).cuts[0].tolist() == [2.0, 4.0]


def test_only_the_pairs_that_are_measured_are_counted():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({f"x{i}": rng.integers(0, 3, 40) for i in range(120)})
    schema = infer_schema(frame)
    matrix = encode(frame, schema)
    counts = count_table(matrix, schema, make_marks(sketch_table(matrix, schema), schema))
    assert len(counts.pairs) == len(choose_pairs(120)) == 5000 < 120 * 119 / 2
    summary = sketch_table(matrix, schema), counts
    found = by_name(assess_summaries(schema, summary, summary, 1))
    for i, j in choose_pairs(120)[::999]:
        assert found["spmse_pair", f"x{i}:x{j}"].value == 0


def test_pairs_with_many_cells_keep_those_that_hold_a_row():
    rng = np.random.default_rng(5)
    labels = [f"{i:04d}" for i in range(900)]
    frames = [pd.DataFrame({n: rng.choice(labels, 3000) for n in ("a", "b")}) for _ in range(2)]
    schema = infer_schema(pd.concat(frames))
    matrices = [encode(frame, schema) for frame in frames]
    marks = make_marks(sketch_table(matrices[0], schema), schema)
    summaries = [summarise(frame, schema, marks, [1000, 1001]) for frame in frames]
    assert all(len(counts.pairs[0].counts) <= 3000 for _, counts in summaries)
    found = by_name(assess_summaries(schema, *summaries, set_number=1))
    cells = [pd.crosstab(frame["a"], frame["b"]) for frame in frames]
    d, s = (table.reindex(labels, columns=labels, fill_value=0).to_numpy() for table in cells)
    assert found["spmse_pair", "a:b"].value == pytest.approx(spmse(d.ravel(), s.ravel()))
    v = [association(t[t > 0].dropna(how="all").fillna(0).astype(int)) for t in cells]
    assert found["cramers_v_difference", "a:b"].value == pytest.approx(v[1] - v[0])
    name = "total_variation_pair_max"
    assert found[name, ""].value == pytest.approx(np.abs(d - s).sum() / 6000)
