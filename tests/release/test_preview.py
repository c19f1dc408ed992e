"""A release is shown before it is made."""

import pytest

from synth_tasks.release.preview import Preview, preview_release
from synth_tasks.release.stages import load_source
from tests.release.builders import BMI, MARKER, make_site, people_spec


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


def preview_of(site, **sections) -> Preview:
    spec = people_spec(site, **sections)
    return preview_release(spec, load_source(spec), cores=2)


def test_variables_are_shown_as_they_will_be_drawn(site):
    shown = {v.name: v for v in preview_of(site).variables}
    assert list(shown)[:4] == ["region", "hgt", "wgt", "stage"]
    assert (shown["stage"].kind, shown["stage"].n_missing) == ("ordinal", 6)
    assert (shown["stage"].imputation, shown["stage"].synthesis) == ("polr", "cart")
    assert (shown["bmi"].imputation, shown["bmi"].synthesis) == (BMI, BMI)
    assert (shown["hgt"].imputation, shown["hgt"].synthesis) == ("", "norm")
    assert shown["hgt"].predictors == ("region",)
    assert set(shown["wgt"].predictors) == {"region", "hgt"}


def test_what_is_kept_has_no_method(site):
    shown = {v.name: v for v in preview_of(site, synthesis={"keep": ["region"]}).variables}
    assert shown["region"].synthesis == ""


def test_settings_are_put_in_words(site):
    facts = preview_of(site, imputation={"m": 4}).facts
    assert facts["imputation"].startswith("4 times, 2 sweeps over wgt,")
    assert facts["synthesis"] == "12 sets of 90 rows, pooled by reiter2004"
    assert facts["keys"] == "hgt, region"
    assert facts["gate"] == "gate.json"
    assert facts["suites"] == "made from the schema, made from the schema, made from the schema"


def test_forests_and_more_sets_cost_more(site):
    cheap = preview_of(site).cost.seconds
    forest = preview_of(site, synthesis={"method": "rf", "options": {}}).cost.seconds
    many = preview_of(site, synthesis={"m": 50}).cost.seconds
    assert forest["fit"] > cheap["fit"]
    assert many["draw"] > 10 * cheap["draw"]


def test_no_value_of_the_data_is_shown(site):
    assert str(MARKER) not in repr(preview_of(site))
