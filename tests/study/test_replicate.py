"""Replicates of a study."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synth_tasks.inference import fit_model, pool, summarize
from synth_tasks.release.spec import change_spec
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stages import load_source
from synth_tasks.study import Replicates, make_population, run_replicates
from synth_tasks.study.replicate import FIGURES, _sample
from tests.study.builders import people, population

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found() -> Replicates:
    return run_replicates(population(), 7, range(1, 7))


def same(a: Replicates, b: Replicates) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("numbers", "estimates", "statistics", "linkage")
    ) and a.failures.equals(b.failures)


def test_every_replicate_gets_figures_for_every_estimand(found: Replicates) -> None:
    assert found.estimates.shape == (6, 2, 7, len(FIGURES))
    assert np.isfinite(found.estimates).all()
    assert len(found.failures) == 0


@pytest.mark.parametrize(
    "chunks", [[range(1, 7)], [range(4, 7), range(1, 4)], [[n] for n in (6, 2, 3, 1, 5, 4)]]
)
def test_chunks_do_not_change_a_byte(found: Replicates, chunks: list[range]) -> None:
    parts = [run_replicates(population(), 7, chunk) for chunk in chunks]
    assert same(Replicates.join(parts), found)


def test_rows_analysed_at_once_do_not_change_a_byte(
    found: Replicates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth_tasks.study.replicate.ROWS_AT_ONCE", 1)
    assert same(run_replicates(population(), 7, range(1, 7)), found)


def test_another_seed_gives_other_samples(found: Replicates) -> None:
    other = run_replicates(population(), 8, range(1, 7))
    slopes = (other.estimates[:, :, 1, 0], found.estimates[:, :, 1, 0])
    assert not np.isclose(*slopes).any()


def test_the_figures_are_those_of_the_models_and_the_pooling_rule(found: Replicates) -> None:
    made = population()
    one = _sample(made, 7, 1)
    on_sample = summarize(fit_model(made.frame(one.sample), "ols", "y ~ x"))
    fits = [fit_model(made.frame(s), "ols", "y ~ x") for s in one.sets]
    pooled = pool(fits, "reiter2003").table
    for position, table in enumerate((on_sample, pooled)):
        np.testing.assert_allclose(found.estimates[0, position, :2], table[list(FIGURES)])


def test_a_sample_holds_rows_of_the_population_drawn_with_replacement() -> None:
    made = population()
    sample = _sample(made, 7, 1).sample
    assert sample.shape == made.matrix.shape
    rows = {tuple(row) for row in made.matrix}
    assert {tuple(row) for row in sample} <= rows
    assert len({tuple(row) for row in sample}) < 0.75 * len(sample)


def test_what_cannot_be_estimated_is_counted_and_left_out() -> None:
    """A category of one person is missing from a third of the samples."""
    frame = people(40).assign(group=lambda f: np.where(f.index == 0, "rare", "common"))
    frame["group"] = pd.Categorical(frame["group"])
    made = population(frame, analysis=[{"model": "ols", "formula": "y ~ group"}])
    found = run_replicates(made, 1, range(1, 31))
    failed = set(found.failures.query("source == 'bootstrap'")["replicate"])
    assert 3 <= len(failed) <= 22
    lacking = np.isnan(found.estimates[:, 0]).all(axis=(1, 2))
    assert set(found.numbers[lacking]) == failed
    assert found.failures["reason"].str.contains("formula 'y ~ group'").all()


def test_the_scheme_of_mice_links_rows_to_people() -> None:
    """About one row in five of boys lies nearest to the person it was made from."""
    linked = {}
    for conditioning in ("observed", "synthetic"):
        spec = change_spec(
            read_spec(ROOT / "deployments" / "study.yaml"),
            {"synthesis": {"conditioning": conditioning, "m": 2}},
        )
        source = load_source(spec)
        made = make_population(spec, source.schema, source.matrix)
        linked[conditioning] = run_replicates(made, 3, range(1, 5)).linkage.mean()
    assert 0.1 < linked["observed"] < 0.35
    assert linked["synthetic"] < 0.02
