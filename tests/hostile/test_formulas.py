import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synth_tasks import fit_model
from synth_tasks.expressions import Expression
from synth_tasks.inference.formula import check_formula
from tests.hostile.strategies import TEXTS, cases, only_typed_errors

COLUMNS = {
    "x": np.array([1.0, 2.0, np.nan]),
    "n": np.array([2.0**60, 0.0, -1.0]),
    "c": np.array(["a", None, "b"], dtype=object),
    "body height": np.array([1.0, -1.0, 0.5]),
}
WORDS = st.sampled_from(
    [
        "x", "n", "c", "`body height`", "y", "`", "1", "0", "-1", "1e308", "1e999", "9" * 400, "0x10",
        "1j", "'a'", '"a"', "f'{x}'", "b'a'", "+", "-", "*", "/", "//", "%", "**", "^", "@", "~", "<",
        "==", "!=", "<=", " and ", " or ", " not ", " in ", " is ", " if ", " else ", "(", ")", ",",
        "[", "]", "{", "}", ":", ":=", ";", ".", "=", "\\", "\n", "\0", "#", "lambda x: x", "yield",
        "I(", "abs(", "sqrt(", "exp(", "log(", "floor(", "round(", "min(", "max(", "clip(", "where(",
        "poly(", "bs(", "scale(", "True", "None", "__class__", "x.real", "open('f')", "*x", "**x",
    ]
)  # fmt: skip


ARITHMETIC = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "^"])
COMPARISONS = st.sampled_from(["<", "<=", "==", "!=", ">", ">="])


def operations(part):
    call = st.sampled_from(["abs", "sqrt", "exp", "log", "floor", "ceil", "I", "log2", "log10"])
    return st.one_of(
        st.builds(
            "({} {} {})".format,
            part,
            ARITHMETIC,
            part,
        ),
        st.builds("({} {} {})".format, part, COMPARISONS, part),
        st.builds("({} {} {})".format, part, st.sampled_from(["and", "or"]), part),
        st.builds("{}({})".format, call, part),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max", "round"]), part, part),
        st.builds("where({}, {}, {})".format, part, part, part),
        st.builds("clip({}, {}, {})".format, part, part, part),
        st.builds("(-{})".format, part),
        st.builds("(not {})".format, part),
    )


OPERANDS = st.sampled_from(["x", "n", "c", "`body height`", "0", "1e308", "9" * 400, "'a'", "True"])
WELL_FORMED = st.recursive(OPERANDS, operations, max_leaves=8)


@cases()
@given(st.lists(WORDS | TEXTS, max_size=10).map("".join))
def test_any_text_is_an_expression_or_refused(text):
    with only_typed_errors():
        Expression(text).evaluate(COLUMNS)


@cases(500)
@given(WELL_FORMED)
@example("round(x, 1e308)")
@example("round(c, 1)")
@example("min('a', 'b')")
@example("clip(c, 'a', 'b')")
@example("where(c, 'a', x)")
def test_any_expression_is_computed_or_refused(text):
    with only_typed_errors():
        result = Expression(text).evaluate(COLUMNS)
        assert result.size <= 3
        assert result.nbytes <= 3000


@cases()
@given(st.lists(WORDS | TEXTS, max_size=10).map("".join), st.sampled_from(["", "x ~ ", "~"]))
def test_any_text_is_a_formula_or_refused(text, left):
    with only_typed_errors():
        check_formula(left + text, list(COLUMNS))


@cases(60, 1500)
@given(st.lists(WORDS, max_size=6).map("".join))
def test_any_formula_is_fitted_or_refused(text):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(30, 3)), columns=["x", "n", "body height"])
    frame["c"] = rng.choice(["a", "b"], 30)
    with only_typed_errors():
        fit_model(frame, "ols", f"x ~ {text}")


DEEP = {
    "minus": "-" * 990 + "x",
    "not": "not " * 240 + "x",
    "parentheses": "(" * 480 + "x" + ")" * 480,
    "sum": "+".join(["x"] * 490),
    "power": "**".join(["x"] * 330),
    "calls": "I(" * 300 + "x" + ")" * 300,
    "comparisons": "<".join(["x"] * 490),
    "long": "x" * 10**6,
    "names": "`" * 999,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_and_long_formulas_are_computed_or_refused(text):
    with only_typed_errors():
        Expression(text).evaluate(COLUMNS)
    for formula in (f"x ~ {text}", f"{text} ~ x", f"x ~ I({text})", f"x ~ poly(x, {text})"):
        with only_typed_errors():
            check_formula(formula, list(COLUMNS))


@pytest.mark.parametrize("text", ["x" * 30 + " + ".join([""] * 99), "(a + b)**10", "x:x:x:x"])
def test_a_formula_cannot_grow_without_bound(text):
    with only_typed_errors():
        check_formula(f"x ~ {text}", ["x", "a", "b"])
