"""Formulas: what they may hold, and what they compute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.errors import ExpressionError
from synth_tasks.expressions import (
    FUNCTIONS,
    MAX_DEPTH,
    MAX_LENGTH,
    Expression,
    dependency_order,
)

WGT = np.array([20.0, 70.5, 3.65])
HGT = np.array([100.0, 180.0, 50.1])
GEN = np.array(["G1", "G2", "G1"], dtype=object)
COLUMNS = {"wgt": WGT, "hgt": HGT, "gen": GEN, "body weight": WGT, "a^b": HGT}


def compute(text: str) -> np.ndarray:
    return Expression(text).evaluate(COLUMNS)


# --- computing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~ wgt / (hgt / 100)**2", WGT / (HGT / 100) ** 2),
        ("~ I(wgt / (hgt/100)^2)", WGT / (HGT / 100) ** 2),
        ("wgt", WGT),
        ("-wgt^2", -(WGT**2)),
        ("2^3^2", 512.0),
        ("+wgt - hgt * 2", WGT - HGT * 2),
        ("wgt // 7 + wgt % 7", WGT // 7 + WGT % 7),
        ("`body weight` * 2", WGT * 2),
        ("`a^b` + `body weight`", HGT + WGT),
        ("abs(-wgt)", WGT),
        ("sqrt(wgt) + exp(-wgt)", np.sqrt(WGT) + np.exp(-WGT)),
        ("log(wgt) + log2(wgt) + log10(wgt)", np.log(WGT) + np.log2(WGT) + np.log10(WGT)),
        ("floor(wgt) + ceil(wgt)", np.floor(WGT) + np.ceil(WGT)),
        ("round(wgt, 1)", np.round(WGT, 1)),
        ("min(wgt, 50) + max(wgt, 50)", WGT + 50),
        ("clip(wgt, 10, 50)", np.clip(WGT, 10, 50)),
        ("where(wgt > 50, hgt, 1)", np.where(WGT > 50, HGT, 1)),
        ("10 < wgt <= 20", [True, False, False]),
        ("wgt >= 20 and not hgt == 180", [True, False, False]),
        ("wgt < 20 or hgt != 100", [False, True, True]),
        ("(wgt > 10) + (hgt > 90)", [2.0, 2.0, 0.0]),
        ("-(wgt > 10)", [-1.0, -1.0, 0.0]),
        ("gen == 'G1'", [True, False, True]),
        ('gen != "G1"', [False, True, False]),
        ("where(gen == 'G^1', 1, 0)", [0.0, 0.0, 0.0]),
        ("True", 1.0),
    ],
)
def test_a_formula_means_what_numpy_means(text: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(compute(text), expected, rtol=1e-15)


def test_texts_are_left_alone() -> None:
    labels = {"g": np.array(["a^b", "`a`", "c"], dtype=object)}
    assert Expression("g == 'a^b'").evaluate(labels).tolist() == [True, False, False]
    assert Expression("g == '`a`'").evaluate(labels).tolist() == [False, True, False]
    assert Expression("where(g == 'c', 'a^b', g)").evaluate(labels).tolist() == [
        "a^b",
        "`a`",
        "a^b",
    ]


def test_numeric_labels_are_numbers() -> None:
    labels = {"grade": np.array([1, 2, 10], dtype=object)}
    assert Expression("grade * 2 > 3").evaluate(labels).tolist() == [False, True, True]


@pytest.mark.parametrize("text", ["9**9**9", "grade**grade**grade**grade", "10.0**400", "1 / 0"])
def test_what_grows_without_bound_is_infinite(text: str) -> None:
    result = Expression(text).evaluate({"grade": np.array([9, 10], dtype=object)})
    assert np.isinf(result).all()


def test_division_by_zero_is_left_to_the_caller() -> None:
    assert np.isnan(compute("log(-wgt) + 0/0")).all()


def test_names_are_the_columns_read() -> None:
    assert Expression("min(wgt, `body weight`) + log(hgt)").names == {"wgt", "hgt", "body weight"}
    assert Expression("1 + 2").names == set()


def test_unknown_columns_are_named() -> None:
    formula = Expression("wgt + waist", origin="method of 'bmi'")
    message = "method of 'bmi': unknown column 'waist'; the data have wgt, hgt"
    with pytest.raises(ExpressionError, match=message):
        formula.require_columns(["wgt", "hgt"])
    with pytest.raises(ExpressionError, match="unknown column 'waist'"):
        formula.evaluate(COLUMNS)
    Expression("wgt").require_columns(["wgt", "hgt"])


def test_equal_texts_are_equal_formulas() -> None:
    assert Expression(" ~ wgt ") == Expression("~ wgt", origin="elsewhere")
    assert len({Expression("wgt"), Expression("wgt"), Expression("hgt")}) == 2
    assert repr(Expression("wgt / 2")) == "Expression('wgt / 2')"


# --- the whitelist --------------------------------------------------------------------------------

HOSTILE = [
    "__import__('os').system('true')",
    "open('/etc/passwd')",
    "eval('1')",
    "exec('1')",
    "getattr(wgt, 'tofile')",
    "wgt.tofile('x')",
    "wgt.__class__",
    "().__class__.__bases__",
    "wgt[0]",
    "wgt[1:2]",
    "[wgt]",
    "(wgt, hgt)",
    "{wgt}",
    "{'a': wgt}",
    "{**wgt}",
    "[x for x in wgt]",
    "(x for x in wgt)",
    "lambda: 1",
    "(lambda: 1)()",
    "(x := 1)",
    "wgt if hgt else 1",
    "f'{wgt}'",
    "wgt @ hgt",
    "wgt << 99",
    "wgt >> 1",
    "wgt | 1",
    "wgt & 1",
    "~~wgt",
    "wgt is hgt",
    "wgt in hgt",
    "wgt not in hgt",
    "abs(*wgt)",
    "abs(x=wgt)",
    "abs(**wgt)",
    "abs(wgt)(1)",
    "abs()",
    "abs(wgt, 1)",
    "clip(wgt, 1)",
    "None",
    "...",
    "1j",
    "b'a'",
    "_wgt",
    "__builtins__",
    "__column_0",
    "await wgt",
    "yield",
    "*wgt",
    "wgt; hgt",
    "wgt\nhgt",
    "import os",
    "wgt = 1",
    "del wgt",
    "assert wgt",
    "",
    "~",
    "  ",
    "`",
    "``",
    "`wgt",
    "wgt +",
    "((wgt)",
    "\x00",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_everything_else_is_refused_when_read(text: str) -> None:
    with pytest.raises(ExpressionError):
        Expression(text)


def test_a_function_is_no_value() -> None:
    with pytest.raises(ExpressionError, match="unknown column 'abs'"):
        compute("abs")


def test_refusals_say_what_to_do() -> None:
    def refusal(text: str) -> str:
        with pytest.raises(ExpressionError) as caught:
            Expression(text, origin="post of 'tv'")
        return str(caught.value)

    assert refusal("sin(wgt)") == (
        f"post of 'tv': unknown function 'sin'; use {', '.join(FUNCTIONS)}"
    )
    assert refusal("clip(tv, 1)") == "post of 'tv': clip() takes 3 argument(s), 2 given"
    assert refusal("tv[0]").startswith("post of 'tv': Subscript is not allowed in a formula: use")
    assert refusal("tv +") == (
        "post of 'tv': 'tv +' is not a formula: write e.g. wgt / (hgt/100)**2"
    )
    assert refusal("~ ") == "post of 'tv': the formula is empty"


def test_length_and_depth_are_limited() -> None:
    assert Expression("wgt" + "+1" * (MAX_DEPTH // 2)).names == {"wgt"}
    with pytest.raises(ExpressionError, match=f"nested deeper than {MAX_DEPTH}"):
        Expression("-" * (MAX_DEPTH + 1) + "wgt")
    with pytest.raises(ExpressionError, match=f"longer than {MAX_LENGTH} characters"):
        Expression("1 + " * MAX_LENGTH + "1")
    with pytest.raises(ExpressionError):
        Expression("(" * 450 + "1" + ")" * 450)


# --- texts cannot be computed with ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "gen + 1",
        "gen + gen",
        "gen * 2",
        "'%999999999d' % wgt",
        "'ab' * 999999999",
        "'5' * 2",
        "where(wgt > 0, '%9d', 'b') % 5",
        "-gen",
        "not gen",
        "gen and wgt",
        "gen < 1",
        "sqrt(gen)",
        "round(gen, 1)",
        "round(wgt, hgt)",
        "max(gen, 1)",
        "9" * 400,
    ],
)
def test_a_formula_that_mixes_texts_and_numbers_is_refused_without_a_value(text: str) -> None:
    with pytest.raises(ExpressionError, match="mixes numbers and categories") as caught:
        compute(text)
    assert "G1" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_long_formulas_are_shown_in_part() -> None:
    with pytest.raises(ExpressionError) as caught:
        compute("gen + " + " + ".join(["wgt"] * 100))
    assert len(str(caught.value)) < 200


# --- order ----------------------------------------------------------------------------------------


def formulas(**texts: str) -> dict[str, Expression]:
    return {name: Expression(text) for name, text in texts.items()}


def test_passive_variables_come_after_their_inputs() -> None:
    given_order = formulas(c="a + b", a="x", b="a * 2", d="y")
    assert dependency_order(given_order) == ["a", "d", "b", "c"]
    assert dependency_order({}) == []


@pytest.mark.parametrize(
    "circle", [{"a": "a + 1"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a", "d": "x"}]
)
def test_a_circle_is_refused(circle: dict[str, str]) -> None:
    names = ", ".join(name for name in circle if name != "d")
    with pytest.raises(ExpressionError, match=f"the formulas of {names} depend on each other"):
        dependency_order(formulas(**circle))


# --- whatever is typed ----------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*"+-*/%^()~`'\"<>=!,.[]{}:@ \n\\", "**", "==", "and ", "or ", "not ", "wgt", "gen", "`a^b`", "9",
     "1e308", "'G1'", "where(", "round(", "clip(", "abs(", "I(", "lambda ", "if ", "_x", "é", "0x",
     "1j"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=14).map("".join))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_any_text_is_computed_or_refused(text: str) -> None:
    try:
        result = compute(text)
    except ExpressionError:
        return
    assert np.shape(result) in ((), (3,))


OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "^", "<", "==", "and", "or"]
OPERANDS = st.sampled_from(["wgt", "hgt", "gen", "2", "0", "'G1'", "1e300", "True", "`a^b`"])


def compose(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.tuples(inner, st.sampled_from(OPERATORS), inner)
    calls = st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner, inner, inner)
    return binary.map(lambda b: f"({b[0]} {b[1]} {b[2]})") | calls.map(
        lambda c: f"{c[0]}({', '.join(c[1 : 1 + FUNCTIONS[c[0]][1]])})"
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(OPERANDS, compose, max_leaves=12))
def test_any_allowed_formula_is_computed_or_refused(text: str) -> None:
    formula = Expression(text)
    try:
        result = formula.evaluate(COLUMNS)
    except ExpressionError:
        assert "gen" in text or "'G1'" in text or "round" in text
    else:
        assert np.shape(result) in ((), (3,))


def test_the_greater_of_two_texts_is_no_number() -> None:
    with pytest.raises(ExpressionError, match="mixes numbers and categories"):
        Expression("wgt + max('G1', 'G2')").evaluate({"wgt": np.ones(2)})


@pytest.mark.parametrize("text", ["x**2", "x^2"])
def test_squares_are_right_to_the_last_digit(text: str) -> None:
    x = np.random.default_rng(1).uniform(0.5, 2, 2000)
    np.testing.assert_array_equal(Expression(text).evaluate({"x": x}), x * x)
