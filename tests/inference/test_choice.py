"""The rule that holds follows from how sets were made; another is refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from synth_tasks.engine import mice, synthesize
from synth_tasks.errors import PoolingError
from synth_tasks.inference import choose_rule, fit_model, pool


@dataclass(frozen=True)
class Made:
    stage: str = "synthesis"
    m: int = 5
    r: int = 1
    proper: bool = False
    n: int = 100
    k: int = 100


IMPUTED = Made("imputation")
NESTED = Made("imputation and synthesis", r=3)


@pytest.mark.parametrize(
    ("origin", "rule", "reason"),
    [
        (IMPUTED, "rubin1987", "observed ones are real"),
        (Made(), "reiter2003", "fitted to the real sample"),
        (Made(proper=True), "reiter2003", "fitted to the real sample"),
        (NESTED, "reiter2004", "each version synthesised"),
    ],
)
def test_a_rule_is_chosen_and_explained(origin: Made, rule: str, reason: str) -> None:
    chosen, why = choose_rule(origin)
    assert chosen == rule
    assert reason in why


@pytest.mark.parametrize(
    ("origin", "rule"),
    [
        (Made(m=1), "raab2016"),
        (Made(m=1, proper=True), "raab2016_proper"),
        (Made(m=50, proper=True), "rrr2003"),
        (Made(), "population_synthetic"),
        (IMPUTED, "population_imputed"),
    ],
)
def test_a_rule_that_holds_may_be_asked_for(origin: Made, rule: str) -> None:
    assert choose_rule(origin, rule)[0] == rule


@pytest.mark.parametrize(
    ("origin", "rule", "remedy"),
    [
        (Made(), "rubin1987", "these sets come from synthesis; use reiter2003"),
        (IMPUTED, "reiter2003", "these sets come from imputation; use rubin1987"),
        (NESTED, "reiter2003", "come from imputation and synthesis; use reiter2004"),
        (Made("imputation and synthesis", r=1), "auto", "set m and r, or impute once"),
        (Made(m=1), "auto", "raise m .* ask for the rule raab2016"),
        (Made(m=1, proper=True), "auto", "ask for the rule raab2016_proper"),
        (Made(proper=True), "raab2016", "drawn for every set; use reiter2003, or raab2016_proper"),
        (Made(), "rrr2003", "fitted once, not drawn; use reiter2003, or raab2016"),
    ],
)
def test_a_rule_that_does_not_hold_is_refused(origin: Made, rule: str, remedy: str) -> None:
    with pytest.raises(PoolingError, match=remedy):
        choose_rule(origin, rule)


def test_pool_chooses_by_the_provenance_of_sets() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.standard_normal(60)})
    frame["y"] = frame["x"] + rng.standard_normal(60)
    synthetic = synthesize(frame, m=3, k=120, seed=1)
    fits = [fit_model(s, "ols", "y ~ x") for s in synthetic.complete("all")]
    pooled = pool(fits, "auto", origin=synthetic.provenance)
    assert pooled.rule == "reiter2003"
    assert "real sample" in pooled.why
    pd.testing.assert_frame_equal(pooled.table, pool(fits, "reiter2003", n=60).table)
    pd.testing.assert_frame_equal(pooled.table, synthetic.pool("ols", "y ~ x").table)
    holes = frame.mask(rng.random(frame.shape) < 0.2)
    assert mice(holes, m=2, maxit=1, seed=1).pool("ols", "y ~ x").rule == "rubin1987"
    with pytest.raises(PoolingError, match=r"give origin .the provenance of a MultiplyImputed"):
        pool(fits, "auto")
