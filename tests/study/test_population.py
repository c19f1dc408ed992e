"""What a study takes for the truth."""

import pandas as pd
import pytest

from synth_tasks.errors import SpecError
from synth_tasks.inference import fit_model
from tests.study.builders import people, population


def test_the_truth_is_what_the_models_say_of_the_population() -> None:
    terms = population().terms
    assert list(terms.columns) == ["analysis", "model", "term", "scale", "true"]
    fit = fit_model(people(), "ols", "y ~ x")
    assert terms.loc[terms["model"] == "ols", "true"].tolist() == fit.estimates.tolist()


def test_correlations_are_told_as_correlations() -> None:
    terms = population().terms
    (found,) = terms.loc[terms["model"] == "correlation", "true"]
    assert found == pytest.approx(people()["x"].corr(people()["y"]))


def test_plug_in_syntheses_are_pooled_by_the_rule_of_reiter() -> None:
    assert population().rule == "reiter2003"


def test_a_study_without_analysis_is_refused() -> None:
    with pytest.raises(SpecError, match="add an analysis"):
        population(analysis=[])


def test_an_analysis_that_cannot_be_fitted_is_refused_by_name() -> None:
    analysis = [{"model": "ols", "formula": "y ~ x + twin"}]
    frame = people().assign(twin=lambda f: 2 * f["x"])
    with pytest.raises(SpecError, match=r"ols: y ~ x \+ twin"):
        population(frame, analysis=analysis, synthesis={"m": 2})


def test_categories_keep_all_their_levels() -> None:
    made = population()
    frame = made.frame(made.matrix[:3])
    assert isinstance(frame["group"].dtype, pd.CategoricalDtype)
    assert list(frame["group"].cat.categories) == ["a", "b", "c"]
