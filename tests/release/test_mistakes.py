"""Errors that teach: an unknown key leads to the one that was meant."""

from pathlib import Path

import pytest

from synth_tasks.errors import SpecError
from synth_tasks.release.spec_files import parse_spec

MINIMAL = "dataset: {name: people, source: {csv: people.csv}}\n"


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse_spec(text, base=Path("."), origin="release.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "dataset: {name: x, source: {csv: a}, licens: MIT}",
            "dataset.licens: unknown key, did you mean 'licence'?",
        ),
        (MINIMAL + "synthesys: {m: 5}", "synthesys: unknown key, did you mean 'synthesis'?"),
        (MINIMAL + "disclosure: {key: [age]}", "disclosure.key: unknown key, did you mean 'keys'?"),
        (
            MINIMAL + "variables: {kind: {categoris: [a]}}",
            "variables.kind.categoris: unknown key, did you mean 'categories'?",
        ),
        (
            MINIMAL + "imputation: {quick_predictors: {mincorr: 0.2}}",
            "imputation.quick_predictors.mincorr: unknown key, did you mean 'mincor' or 'minpuc'?",
        ),
        (
            MINIMAL + "analysis: [{model: ols, formla: y ~ x}]",
            "analysis.0.formla: unknown key, did you mean 'formula'?",
        ),
        (MINIMAL + "smoothing: density", "smoothing: unknown key here, it belongs to synthesis"),
        (
            MINIMAL + "imputation: {licence: MIT}",
            "imputation.licence: unknown key here, it belongs to dataset",
        ),
    ],
)
def test_an_unknown_key_leads_to_the_right_one(text, expected):
    assert refusal(text) == f"release.yaml: {expected}"


def test_a_key_like_no_other_is_answered_with_all_keys():
    message = refusal(MINIMAL + "study: {zzz: 1}")
    assert message == "release.yaml: study.zzz: unknown key; known are replicates"


def test_keys_that_are_not_for_users_are_not_suggested():
    assert "'base'" not in refusal(MINIMAL + "bas: 1")
