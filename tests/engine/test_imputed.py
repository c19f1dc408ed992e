"""The result of an imputation or a synthesis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.engine import MultiplyImputed, mice, synthesize
from synth_tasks.errors import PlanError, PoolingError

FRAME = pd.DataFrame(
    {
        "a": [1.0, None, 3.0, 4.0, 2.0, 1.5] * 5,
        "g": pd.Categorical(["u", "v", None, "u", "v", "v"] * 5),
        "n": [1, 2, 3, 4, 5, 6] * 5,
    },
    index=[f"row {i}" for i in range(30)],
)


@pytest.fixture(scope="module")
def imputed() -> MultiplyImputed:
    return mice(FRAME, m=3, maxit=2, seed=1)


@pytest.fixture(scope="module")
def synthetic() -> MultiplyImputed:
    return synthesize(FRAME.dropna(), m=2, seed=1)


def test_a_number_gives_a_set(imputed: MultiplyImputed) -> None:
    assert imputed.m == 3
    one = imputed.complete(2)
    assert list(one.index) == list(FRAME.index)
    pd.testing.assert_series_equal(one.dtypes, FRAME.dtypes)
    assert not one.isna().any(axis=None)
    observed = FRAME.notna()
    pd.testing.assert_frame_equal(one.where(observed), FRAME)
    pd.testing.assert_frame_equal(imputed.complete(np.int64(2)), one)
    pd.testing.assert_frame_equal(imputed.complete(), imputed.complete(1))


def test_several_numbers_give_a_list(imputed: MultiplyImputed) -> None:
    third, first = imputed.complete([3, 1])
    pd.testing.assert_frame_equal(third, imputed.complete(3))
    pd.testing.assert_frame_equal(first, imputed.complete(1))
    assert len(imputed.complete("all")) == 3


def test_long_stacks_the_sets_with_their_numbers(imputed: MultiplyImputed) -> None:
    long = imputed.complete("long")
    assert list(long.columns) == ["a", "g", "n", ".imp", ".id"]
    assert long[".imp"].tolist() == [1] * 30 + [2] * 30 + [3] * 30
    assert long[".id"].tolist() == list(range(1, 31)) * 3
    second = long[long[".imp"] == 2].drop(columns=[".imp", ".id"])
    pd.testing.assert_frame_equal(second.set_axis(FRAME.index), imputed.complete(2))
    with_original = imputed.complete("long", include_original=True)
    assert with_original[".imp"].tolist()[:30] == [0] * 30
    assert with_original.iloc[:30].isna().sum().sum() == 10


def test_stacked_does_so_without_numbers(imputed: MultiplyImputed) -> None:
    stacked = imputed.complete("stacked")
    assert stacked.shape == (90, 3)
    assert list(stacked.index) == list(range(90))


def test_broad_and_repeated_put_the_sets_side_by_side(imputed: MultiplyImputed) -> None:
    broad = imputed.complete("broad")
    assert list(broad.columns) == ["a.1", "g.1", "n.1", "a.2", "g.2", "n.2", "a.3", "g.3", "n.3"]
    repeated = imputed.complete("repeated")
    assert list(repeated.columns)[:4] == ["a.1", "a.2", "a.3", "g.1"]
    pd.testing.assert_frame_equal(repeated[broad.columns], broad)
    assert broad["a.2"].tolist() == imputed.complete(2)["a"].tolist()
    assert "a.0" in imputed.complete("broad", include_original=True)


def test_the_original_comes_first(imputed: MultiplyImputed) -> None:
    for action in ("all", [1, 2, 3]):
        frames = imputed.complete(action, include_original=True)
        assert len(frames) == 4
        pd.testing.assert_frame_equal(frames[0], FRAME)
    original, second = imputed.complete(2, include_original=True)
    pd.testing.assert_frame_equal(original, FRAME)
    pd.testing.assert_frame_equal(second, imputed.complete(2))


def test_unknown_sets_and_layouts_are_refused(imputed: MultiplyImputed) -> None:
    for number in (0, 4, -1):
        with pytest.raises(PlanError, match=f"there is no set {number}: sets are numbered 1..3"):
            imputed.complete(number)
    with pytest.raises(PlanError, match=r"complete: unknown action 'wide'; use 1..3, all, long"):
        imputed.complete("wide")


def test_a_synthesis_keeps_no_original(synthetic: MultiplyImputed) -> None:
    assert synthetic.original is None
    with pytest.raises(PlanError, match="the original data are not kept with a synthesis"):
        synthetic.complete("long", include_original=True)
    assert list(synthetic.complete(1).index) == list(range(20))


def test_provenance_says_how_the_sets_were_made(
    imputed: MultiplyImputed, synthetic: MultiplyImputed
) -> None:
    p = imputed.provenance
    assert (p.stage, p.m, p.r, p.n, p.k, p.synthesised) == ("imputation", 3, 1, 30, 30, ())
    assert p.methods == {"a": "pmm", "g": "logreg"}
    p = synthetic.provenance
    assert (p.stage, p.m, p.r, p.proper, p.conditioning) == ("synthesis", 2, 1, False, "synthetic")
    assert p.synthesised == ("a", "g", "n")


def test_the_pooling_rule_follows_from_it(
    imputed: MultiplyImputed, synthetic: MultiplyImputed
) -> None:
    assert imputed.pooling_rule == "rubin1987"
    assert synthetic.pooling_rule == "reiter2003"
    both = mice(FRAME, m=2, maxit=1, where="all", method="cart", seed=1)
    assert both.provenance.stage == "imputation and synthesis"
    with pytest.raises(PoolingError, match="impute once"):
        _ = both.pooling_rule


def test_models_are_fitted_to_every_set(imputed: MultiplyImputed) -> None:
    fits = imputed.fit("ols", "a ~ n")
    assert len(fits) == 3
    slope = np.polyfit(imputed.complete(2)["n"], imputed.complete(2)["a"], 1)[0]
    assert dict(zip(fits[1].terms, fits[1].estimates, strict=True))["n"] == pytest.approx(slope)


def test_events_are_a_table(synthetic: MultiplyImputed, imputed: MultiplyImputed) -> None:
    events = synthetic.logged_events
    assert list(events.columns) == ["imputation", "iteration", "variable", "event"]
    assert events.iloc[0].tolist() == [0, 0, "a", "has no predictor yet: drawn from its margin"]
    assert imputed.logged_events.empty


def test_the_long_file_is_written_as_r_reads_it(imputed: MultiplyImputed, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    imputed.to_long_csv(path)
    head = path.read_text().splitlines()
    assert head[0] == ".imp,.id,a,g,n"
    assert head[2] == "0,2,NA,v,2"
    back = pd.read_csv(path)
    assert back.shape == (120, 5)
    assert back[back[".imp"] == 0].isna().sum().sum() == 10
    assert not back[back[".imp"] > 0].isna().any(axis=None)
