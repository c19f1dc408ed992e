"""Risk and utility of settings, and which of them to choose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from synth_tasks.data import Schema, decode
from synth_tasks.disclosure import assess_disclosure
from synth_tasks.disclosure.exact_matches import measure_exact_matches
from synth_tasks.engine import fit_synthesizer
from synth_tasks.engine.workers import one_native_thread
from synth_tasks.release.disclosure_control import control_drawn
from synth_tasks.release.plans import disclosure_keys, formulas
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.release.stages import disclosure_targets
from synth_tasks.sdc import Controlled
from synth_tasks.seeding import generator
from synth_tasks.study.population import Population, make_population
from synth_tasks.study.replicate import run_replicates
from synth_tasks.study.settings import Setting, apply_setting
from synth_tasks.study.summary import tabulate_coverage
from synth_tasks.utility import assess_utility
from synth_tasks.utility.pair import TablePair

# Risk: the part of the figures of a release that copying moves. All are better when smaller.
RISKS = {
    "copied_keys": "rows that copy a real person on the key variables",
    "unique_exact_match": "rows that copy a real person in all variables",
    "repU": "people whose unique keys are met again",
    "DiSCO": "people whose target is told by the keys, correctly",
    "self_linkage_excess": "rows nearest to the person they stand for, beyond chance",
}


def measure_setting(
    spec: ReleaseSpec, setting: Setting, schema: Schema, matrix: np.ndarray, seed: int
) -> dict[str, float]:
    """Measure what a setting gives away and what it keeps.

    Risk and utility are those of sets after the steps of disclosure control (`sdc`), validity that of
    sets as they are drawn.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    setting : Setting
        What differs from it.
    schema : Schema
        The variables.
    matrix : ndarray of shape (n_rows, n_variables)
        Complete data, encoded.
    seed : int
        Root seed; all settings see the same samples.

    Returns
    -------
    dict of str to float
        - the `RISKS`, means over the sets;
        - ``spmse_pair_median`` and ``spmse_pair_max``, over pairs of variables;
        - ``coverage_loss``, that of 95 % intervals against intervals from the samples themselves, mean
          over the estimands, with its Monte Carlo error ``coverage_loss_se``, and
          ``worst_coverage_loss``;
        - ``mean_std_bias``, the mean absolute bias in standard deviations of a real estimate;
        - ``interval_overlap``, mean over the estimands.
    """
    changed = apply_setting(spec, setting)
    population = make_population(changed, schema, matrix)
    figures = _measure_sets(changed, population, seed)
    return figures | _judge_validity(population, spec.frontier.replicates, seed)


def _draw_controlled(
    spec: ReleaseSpec, population: Population, seed: int
) -> Iterator[tuple[int, Controlled]]:
    """Draw the sets of a release, and apply its steps of disclosure control."""
    numbers, real = range(1, population.plan.m + 1), decode(population.matrix, population.schema)
    with one_native_thread():
        fitted = fit_synthesizer(population.plan, population.matrix)
        sets = fitted.draw_sets(seed, numbers)
    for number, encoded in zip(numbers, sets, strict=True):
        drawn = decode(encoded, population.schema)
        yield (
            number,
            control_drawn(
                spec, population.schema, real, drawn, fitted, seed=seed, set_number=number
            ),
        )


def _measure_sets(spec: ReleaseSpec, population: Population, seed: int) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for number, controlled in _draw_controlled(spec, population, seed):
        real, drawn, schema = controlled.real, controlled.frame, controlled.schema
        keys = disclosure_keys(spec, schema)
        measurements = assess_utility(real, drawn, schema, number)
        measurements += assess_disclosure(
            real, drawn, schema, number,
            keys=keys,
            targets=disclosure_targets(spec, schema),
            derived=list(formulas(spec.synthesis.method_by_variable)),
            rng=generator(seed, "frontier", number),
            linkable=len(drawn) == population.plan.k,
        )  # fmt: skip
        pair = TablePair.encode(real, drawn, schema, number)
        exact = measure_exact_matches(pair, keys)[0].value
        found.setdefault("copied_keys", []).append(exact)
        for m in measurements:
            found.setdefault(m.metric, []).append(m.value)
    return {
        **{name: float(np.mean(found[name])) for name in RISKS if name in found},
        "spmse_pair_median": float(np.median(found["spmse_pair"])),
        "spmse_pair_max": float(np.max(found["spmse_pair"])),
    }


def _judge_validity(population: Population, replicates: int, seed: int) -> dict[str, float]:
    done = run_replicates(population, seed, range(1, replicates + 1))
    table = tabulate_coverage(population, done)
    gaps = table["coverage_difference"]
    # Estimands see the same samples: their errors add up, which is the cautious assumption.
    return {
        "coverage_loss": float(-gaps.mean()),
        "coverage_loss_se": float(table["coverage_difference_se"].mean()),
        "worst_coverage_loss": float(-gaps.min()),
        "mean_std_bias": float(table["std_bias"].abs().mean()),
        "interval_overlap": float(table["interval_overlap"].mean()),
    }


def recommend(table: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """Mark which settings are valid, which are not dominated, and which one to choose.

    Parameters
    ----------
    table : DataFrame
        One row a setting, with the figures of `measure_setting`.
    tolerance : float
        Mean loss of coverage that is borne.

    Returns
    -------
    DataFrame
        With the columns ``valid`` (the mean loss of coverage is within the tolerance), ``risk`` (the
        share of rows that copy a real person on the key variables), ``efficient`` (no other
        setting has both less risk and more overlap) and ``recommended`` (of the valid settings that
        with the least risk, among equals the one with the largest overlap; none if none is valid).

    References
    ----------
    Duncan, Keller-McNulty & Stokes (2001). Disclosure risk vs. data utility: the R-U confidentiality
    map. Technical report LA-UR-01-6428, Los Alamos National Laboratory.
    """
    table = table.assign(valid=table["coverage_loss"] <= tolerance, risk=table["copied_keys"])
    risk, utility = table["risk"].to_numpy(), table["interval_overlap"].to_numpy()
    less_risk, more = risk[:, None] > risk, utility[:, None] < utility
    no_worse = (risk[:, None] >= risk) & (utility[:, None] <= utility)
    table["efficient"] = ~(no_worse & (less_risk | more)).any(axis=1)
    table["recommended"] = False
    valid = table[table["valid"]]
    if len(valid):
        best = valid.sort_values(["risk", "interval_overlap"], ascending=[True, False]).index[0]
        table.loc[best, "recommended"] = True
    return table
