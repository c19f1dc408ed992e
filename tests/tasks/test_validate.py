"""A policy is checked against the columns before any work."""

import pandas as pd
import pytest

from synth_tasks.data import Schema, infer_schema
from synth_tasks.errors import SpecError
from synth_tasks.release.spec import ReleaseSpec
from synth_tasks.tasks.validate import check_targets
from tests.release.builders import gate_item, make_people, people_spec, write_gate

KEYS = ["hgt", "region", "stage"]


@pytest.fixture
def schema() -> Schema:
    return infer_schema(pd.DataFrame(make_people()[KEYS]))


def spec_of(folder, metric: str, **disclosure) -> ReleaseSpec:
    write_gate(folder, gate_item("exact_match", max_value=1), gate_item(metric, max_value=1))
    return people_spec(folder, disclosure=disclosure)


@pytest.mark.parametrize(
    "disclosure",
    [
        {"keys": KEYS, "targets": []},
        {"keys": KEYS, "targets": ["stage"]},
        {"keys": [], "targets": []},
    ],
    ids=["all are keys", "the target is a key", "the first three columns are keys"],
)
@pytest.mark.parametrize("metric", ["disco_excess", "attribute_prediction", "dcap", "below_l"])
def test_what_cannot_be_measured_without_targets_cannot_be_judged(
    tmp_path, schema, metric, disclosure
):
    with pytest.raises(SpecError, match=f"judges '{metric}': name fewer disclosure.keys, or other"):
        check_targets(spec_of(tmp_path, metric, **disclosure), schema)


def test_what_needs_no_targets_may_be_judged_without_them(tmp_path, schema):
    check_targets(spec_of(tmp_path, "repU_excess", keys=KEYS, targets=[]), schema)


def test_one_target_is_enough(tmp_path, schema):
    check_targets(spec_of(tmp_path, "disco_excess", keys=KEYS[:2], targets=[]), schema)
