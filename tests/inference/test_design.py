"""Terms of a formula that are learnt on some rows and computed for others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synth_tasks.errors import ModelError
from synth_tasks.inference.design import LearntTerms, build_design, learn_terms
from synth_tasks.inference.formula import check_formula

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "y": RNG.standard_normal(50),
        "x": RNG.uniform(1, 9, 50),
        "body height": RNG.uniform(150, 190, 50),
        "g": pd.Categorical(RNG.choice(["u", "v"], 50), ["u", "v", "never"]),
        "o": pd.Categorical(RNG.choice(["a", "b", "c"], 50), ordered=True),
    }
)


def learn(right: str, *available: str) -> tuple[LearntTerms, list[str]]:
    formula = check_formula(f"y ~ {right}", list(FRAME.columns))
    return learn_terms(FRAME, formula, available or tuple(FRAME.columns))


@pytest.mark.parametrize(
    "right", ["x", "x + o", "log(x) * o", "I(x**2) + `body height`", "poly(x, 2)", "bs(x, df=4)"]
)
def test_columns_are_those_of_the_design_without_its_intercept(right: str) -> None:
    terms, left_out = learn(right)
    design = build_design(FRAME, check_formula(f"y ~ {right}", list(FRAME.columns)))
    assert left_out == []
    assert ("(Intercept)", *terms.names) == design.terms
    np.testing.assert_allclose(terms.columns(FRAME), design.x[:, 1:])


@pytest.mark.parametrize("right", ["scale(x)", "poly(x, 3)", "bs(x, df=4)", "g * x", "o"])
def test_other_rows_get_what_was_learnt(right: str) -> None:
    terms, _ = learn(right)
    np.testing.assert_allclose(terms.columns(FRAME[:5]), terms.columns(FRAME)[:5])


def test_a_level_without_rows_has_its_column() -> None:
    terms, _ = learn("g")
    assert terms.names == ("gv", "gnever")


def test_terms_of_other_columns_are_left_out() -> None:
    terms, left_out = learn("x + log(`body height`) + x:o", "x")
    assert terms.names == ("x",)
    assert len(left_out) == 2
    assert "body height" in left_out[0]
    assert terms.columns(FRAME[["x"]]).shape == (50, 1)


def test_no_term_left_is_no_column() -> None:
    terms, left_out = learn("0 + x", "o")
    assert (terms.names, left_out) == ((), ["x"])
    assert terms.columns(FRAME).shape == (50, 0)


def test_a_value_that_is_no_number_is_refused_without_showing_it() -> None:
    terms, _ = learn("log(x)")
    with pytest.raises(
        ModelError, match=r"term 'log\(x\)' is not a finite number in 5 row"
    ) as error:
        terms.columns(FRAME.assign(x=np.where(np.arange(50) < 5, -123.456, 1.0)))
    assert "123" not in str(error.value)


def test_a_spline_is_continued_beyond_its_range() -> None:
    terms, _ = learn("bs(x, df=4)")
    assert np.isfinite(terms.columns(FRAME.assign(x=20.0))).all()
