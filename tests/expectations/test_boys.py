"""The suites of boys: met by the real, completed and synthetic data, and by nothing that is wrong."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synth_tasks
from expectations.derive import add_residuals
from expectations.suites import load_suite, run_suite
from synth_tasks.data import decode
from synth_tasks.engine import fit_synthesizer
from synth_tasks.engine.mice import run_plan
from synth_tasks.release.plans import formulas, plan_imputation, plan_synthesis
from synth_tasks.release.spec_files import read_spec
from synth_tasks.release.stages import SourceTable, load_source

SPEC = read_spec(Path(synth_tasks.__file__).parents[1] / "deployments" / "boys.yaml")
FORMULAS = formulas(SPEC.synthesis.method_by_variable)


@pytest.fixture(scope="module")
def source() -> SourceTable:
    return load_source(SPEC)


@pytest.fixture(scope="module")
def completed(source) -> np.ndarray:
    plan, matrix = plan_imputation(
        SPEC.model_copy(update={"imputation": SPEC.imputation.model_copy(update={"maxit": 1})}),
        source.schema,
        source.matrix,
    )
    return run_plan(plan, matrix, pd.RangeIndex(len(source.matrix)), 1).sets[0]


@pytest.fixture(scope="module")
def synthetic(source, completed) -> np.ndarray:
    plan = plan_synthesis(SPEC, source.schema, completed)
    return fit_synthesizer(plan, completed, 1).draw(1, 1)


def judge(stage: str, matrix: np.ndarray, schema, plant=None) -> list[str]:
    """Return what a suite has against a table, after something was planted in it."""
    frame = decode(matrix, schema)
    if stage != "source":
        frame = add_residuals(frame, matrix, schema, FORMULAS)
    suite = load_suite(SPEC, getattr(SPEC.policy, stage))
    table = frame if plant is None else plant(frame)
    result = run_suite(suite, table, subject="boys", parameters={"n_rows": len(matrix)})
    return [check.description for check in result.checks if not check.success]


def test_the_data_as_they_arrive_meet_their_suite(source):
    assert judge("source", source.matrix, source.schema) == []


def test_the_completed_data_meet_their_suite(source, completed):
    assert judge("completed", completed, source.schema) == []


def test_a_synthetic_set_meets_its_suite(source, synthetic):
    assert judge("synthetic", synthetic, source.schema) == []


def plant(column: str, value: object):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).tolist()
        values[5] = value
        dtype = frame[column].dtype if frame[column].dtype.kind == "f" else object
        return frame.assign(**{column: pd.Series(values, dtype=dtype)})

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (plant("age", np.nan), "age is never missing"),
        (plant("reg", None), "reg is never missing"),
        (plant("reg", "elsewhere"), "reg is one of north, east, west, south, city"),
        (plant("hgt", 500.0), "hgt lies between 40 and 220 cm"),
        (plant("tv", -1.0), "tv lies between 1 and 25 ml"),
        (lambda f: f.iloc[:-1], "the number of rows is as specified"),
        (lambda f: f[[*f.columns[1:], "age"]], "the columns are age, hgt, wgt, bmi, hc, gen, phb,"),
    ],
)
@pytest.mark.parametrize("stage", ["completed", "synthetic"])
def test_a_planted_error_is_found(source, synthetic, stage, change, found):
    failures = judge(stage, synthetic, source.schema, change)
    assert any(description.startswith(found) for description in failures), failures


@pytest.mark.parametrize("stage", ["completed", "synthetic"])
def test_a_body_mass_index_that_is_off_is_found(source, synthetic, stage):
    off = synthetic.copy()
    off[7, source.schema.position("bmi")] += 0.5
    (failure,) = judge(stage, off, source.schema)
    assert failure.startswith("bmi ")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (plant("reg", "elsewhere"), "reg is one of"),
        (plant("age", np.nan), "age is never missing"),
        (plant("wgt", 1e6), "wgt lies between 1 and 150 kg"),
        (lambda f: f.assign(hgt=np.nan), "hgt is observed in at least 95% of rows"),
        (lambda f: f.head(150), "there are at least 200 rows"),
        (lambda f: f.drop(columns="tv"), "the columns are"),
    ],
)
def test_a_planted_error_in_the_source_is_found(source, change, found):
    failures = judge("source", source.matrix, source.schema, change)
    assert any(description.startswith(found) for description in failures), failures
