"""The policies that come with the package: what they let pass and what they stop."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from expectations.gate import run_gate
from expectations.suites import Suite, build_suite, load_suite
from synth_tasks.disclosure import EXCESS_METRICS, METRICS, assess_excess, cross_fit
from synth_tasks.ledger import make_ledger
from synth_tasks.release.spec import build_spec
from synth_tasks.seeding import generator
from synth_tasks.utility import GENERAL_METRICS, SPECIFIC_METRICS
from synth_tasks.utility import METRICS as UTILITY_METRICS
from tests.disclosure.leaks import (
    KEYS,
    TARGETS,
    Cart,
    as_callable,
    draw_people,
    schema_of_people,
    syntheses,
)
from tests.release.builders import people_content

PROFILES = {"public": "gate", "strict": "strict", "research": "research"}
KNOWN = {m.name for m in (*METRICS, *EXCESS_METRICS, *UTILITY_METRICS, *GENERAL_METRICS,
                          *SPECIFIC_METRICS)}  # fmt: skip
LEAKS = ("cart, 1 % outliers", "cart, 2 % copies", "cart, 10 % copies", "bootstrap")
N = 6000


def policy(profile: str) -> Suite:
    spec = build_spec(people_content(), base=Path())
    return load_suite(spec, f"expectations/default/{PROFILES[profile]}.json")


def with_control(profile: str) -> Suite:
    """Keep what judges the cross-fitted figures."""
    suite, names = policy(profile), {metric.name for metric in EXCESS_METRICS}
    kept = [e for e in suite["expectations"] if e["meta"]["metric"] in names]
    return {**suite, "expectations": kept}


@cache
def ledger(name: str, seed: int) -> pd.DataFrame:
    """Measure one synthesis of a population of people."""
    people = draw_people(N, np.random.default_rng(seed))
    synthesis = Cart(minbucket=10) if name == "leaves of 10" else syntheses()[name]
    cross = cross_fit(people, schema_of_people(), as_callable(synthesis, seed), seed, "test")
    return make_ledger(
        assess_excess(cross, keys=KEYS, targets=TARGETS, rng=generator(seed, "excess"))
    )


def stopped(profile: str, name: str, seed: int) -> bool:
    return not run_gate(with_control(profile), ledger(name, seed), n_sets=1).passed


@pytest.mark.parametrize("profile", PROFILES)
class TestEveryProfile:
    def test_is_understood_by_great_expectations(self, profile: str) -> None:
        suite = policy(profile)
        assert len(build_suite("gate", suite["expectations"]).expectations) >= 20

    def test_judges_known_metrics_and_gives_a_source_for_every_bound(self, profile: str) -> None:
        for item in policy(profile)["expectations"]:
            assert item["meta"]["metric"] in KNOWN
            assert len(item["meta"]["source"]) > 10
            assert item["severity"] in ("critical", "warning", "info")

    def test_refuses_by_evidence(self, profile: str) -> None:
        """A critical bound on what has a control is one on the end of its interval."""
        for item in with_control(profile)["expectations"]:
            if item["severity"] == "critical":
                assert item["kwargs"]["column"] == "lower"


def test_strict_allows_less_than_public_and_research_more() -> None:
    bounds = {}
    for profile in PROFILES:
        for item in with_control(profile)["expectations"]:
            if item["severity"] == "critical":
                name = item["meta"]["metric"]
                bounds.setdefault(name, {})[profile] = item["kwargs"]["max_value"]
    assert len(bounds) == 9
    for bound in bounds.values():
        assert bound["strict"] < bound["public"] < bound["research"]


def test_the_public_policy_passes_clean_trees_and_stops_a_small_leak() -> None:
    assert not stopped("public", "leaves of 10", 1)
    assert stopped("public", "cart, 1 % outliers", 1)


@pytest.mark.slow
def test_the_public_policy_over_twenty_seeds() -> None:
    """Clean syntheses pass, leaking ones are stopped; the rates are printed."""
    clean = ("other people", "independent", "cart", "leaves of 10")
    rates: dict[str, float] = {}
    for name in (*clean, *LEAKS):
        rates[name] = float(np.mean([stopped("public", name, seed) for seed in range(20)]))
        ledger.cache_clear()
    print(*(f"{name}: {rate:.2f}" for name, rate in rates.items()), sep="\n")
    assert max(rates[name] for name in clean) <= 0.1
    assert min(rates[name] for name in LEAKS) >= 0.95
