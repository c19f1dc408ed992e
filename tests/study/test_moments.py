"""Univariate statistics of many tables."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synth_tasks.data import encode, infer_schema
from synth_tasks.study.moments import STATISTICS, moments
from tests.study.builders import people


def describe(frame: pd.DataFrame) -> pd.DataFrame:
    schema = infer_schema(frame)
    values = moments(encode(frame, schema)[None], schema)[0]
    return pd.DataFrame(values, index=schema.names, columns=list(STATISTICS))


def test_they_are_those_of_pandas_and_scipy() -> None:
    x = people()["x"]
    found = describe(people()).loc["x"]
    shrink = (len(x) - 1) / len(x)
    assert found["mean"] == pytest.approx(x.mean())
    assert found["sd"] == pytest.approx(x.std())
    assert found[["min", "q25", "median", "q75", "max"]].tolist() == pytest.approx(
        x.quantile([0, 0.25, 0.5, 0.75, 1]).tolist()
    )
    assert found["skew"] == pytest.approx(stats.skew(x) * shrink**1.5)
    assert found["kurtosis"] == pytest.approx((stats.kurtosis(x) + 3) * shrink**2 - 3)


def test_categories_count_from_one_as_in_the_paper(completed: pd.DataFrame) -> None:
    """Volker & Vink (2021), Table 2, gen and reg of the original data."""
    found = describe(completed).round(2)
    columns = ["mean", "sd", "median", "min", "max", "skew", "kurtosis"]
    assert found.loc["gen", columns].tolist() == [2.53, 1.59, 2, 1, 5, 0.52, -1.36]
    assert found.loc["reg", columns].tolist() == [3.02, 1.14, 3, 1, 5, -0.08, -0.77]


def test_each_table_is_described_alone() -> None:
    schema = infer_schema(people())
    tables = [encode(people(seed=seed), schema) for seed in (1, 2)]
    together = moments(np.array(tables), schema)
    for table, found in zip(tables, together, strict=True):
        np.testing.assert_allclose(found, moments(table[None], schema)[0], rtol=1e-12)


def test_missing_values_that_are_data_do_not_count() -> None:
    schema = infer_schema(people())
    table = encode(people(), schema)
    holed = table.copy()
    holed[:20, 0] = np.nan
    found = moments(holed[None], schema)[0, 0]
    np.testing.assert_allclose(found, moments(table[None, 20:], schema)[0, 0])
