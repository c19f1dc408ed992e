"""The null values of tables that arrive as samples: those of the same tables as a whole."""

import numpy as np
import pandas as pd
import pytest

from synth_tasks.data import infer_schema
from synth_tasks.seeding import generator
from synth_tasks.utility import RowLimits, assess_general, assess_utility

N_ROWS = 3000
RATIOS = ["pmse_logit", "pmse_cart", "spmse_triple_median", "spmse_pair_median"]
WITH_NULL = ["specks_logit", "freeman_tukey_pair_median", "total_variation", "kolmogorov_smirnov"]


def population(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    x = rng.multivariate_normal(np.zeros(3), [[1, 0.7, 0.2], [0.7, 1, 0.4], [0.2, 0.4, 1]], n_rows)
    frame = pd.DataFrame(x, columns=list("xyz"))
    return frame.assign(c=pd.cut(frame["z"], [-9, -1, 1, 9], labels=list("lmh")).astype(str))


def plug_in(real: pd.DataFrame, n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    return real.iloc[rng.integers(len(real), size=n_rows)].reset_index(drop=True)


def ratios(rng: np.random.Generator, n_real: int, n_synthetic: int) -> dict[str, float]:
    """Measure samples of a table and of a perfect synthesis of it, in units of the null values."""
    real = population(N_ROWS, rng)
    schema = infer_schema(real)
    some = real.iloc[np.sort(rng.choice(N_ROWS, n_real, replace=False))].reset_index(drop=True)
    drawn, share = plug_in(real, n_synthetic, rng), n_real / N_ROWS
    limits = RowLimits(classifier=40, density_ratio=40)
    found = assess_general(some, drawn, schema, 1, rng=rng, limits=limits, real_share=share)
    found += assess_utility(some, drawn, schema, 1, real_share=share)
    values: dict[str, list[float]] = {}
    for m in found:
        if m.metric in RATIOS or m.metric in WITH_NULL:
            values.setdefault(m.metric, []).append(m.value / m.null)
    return {name: float(np.mean(each)) for name, each in values.items()}


def simulate(repetitions: int, n_real: int, n_synthetic: int) -> pd.DataFrame:
    rng = generator(1, "presampled", n_real)
    return pd.DataFrame([ratios(rng, n_real, n_synthetic) for _ in range(repetitions)])


def require_null(found: pd.DataFrame) -> None:
    error = found.std() / np.sqrt(len(found))
    # Trees and Kolmogorov-Smirnov on few rows, and SPECKS by normal scores, are approximations.
    slack = {"specks_logit": 0.2, "kolmogorov_smirnov": 0.1, "pmse_cart": 0.15}
    for name in (*RATIOS, *WITH_NULL):
        assert abs(found[name].mean() - 1) < 4 * error[name] + slack.get(name, 0.06), name


def test_a_perfect_synthesis_has_the_null_value_where_tables_arrive_as_samples():
    require_null(simulate(12, 300, 300))


@pytest.mark.slow
@pytest.mark.parametrize(("n_real", "n_synthetic"), [(300, 300), (600, 300), (300, 900)])
def test_a_perfect_synthesis_has_the_null_value_for_other_sizes_too(n_real, n_synthetic):
    require_null(simulate(80, n_real, n_synthetic))


def test_without_the_share_a_perfect_synthesis_would_seem_as_bad_as_another_sample():
    rng = generator(2, "presampled")
    values = []
    for _ in range(12):
        real = population(N_ROWS, rng)
        some, drawn = plug_in(real, 300, rng), plug_in(real, 300, rng)
        found = assess_utility(some, drawn, infer_schema(real), 1)
        values += [m.value for m in found if m.metric == "spmse_pair_median"]
    assert np.mean(values) - 4 * np.std(values) / np.sqrt(12) > 1
