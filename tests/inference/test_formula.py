"""Formulas are refused unless they are safe."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_tasks.errors import ModelError
from synth_tasks.inference.formula import check_formula

COLUMNS = ["age", "hgt", "wgt", "hc", "phb", "bmi.z", "body height", "class"]


@pytest.mark.parametrize(
    "right",
    [
        "__import__('os').system('id')",
        "I(__import__(os))",
        "age.__class__",
        "I(age.values.tofile)",
        "I((age).real)",
        "`__import__`",
        "`age.__class__.__mro__`",
        "'age'",
        '"age"',
        "I(lambda: age)",
        "I((lambda x: x)(age))",
        "I([age])",
        "{age}",
        "I({1: age})",
        "I(age if age else hc)",
        "I(age for age in hc)",
        "I(a := age)",
        "I(age @ hc)",
        "I(age; hc)",
        "I(age % 2)",
        "I(age < 2)",
        "I(age << 2)",
        "I(age[0])",
        "I(*age)",
        "I(**age)",
        "eval(age)",
        "C(phb)",
        "Q(age)",
        "hashed(age)",
        "log(log)(age)",
        "np.log(age)",
        "age # hc",
        "age | hc",
        "age \\ hc",
        "f'{age}'",
    ],
)
def test_code_is_refused(right):
    with pytest.raises(ModelError):
        check_formula(f"hgt ~ {right}", COLUMNS)


@pytest.mark.parametrize(
    "right",
    [
        "I(9**9**9**9)",
        "I((9**9)**9)",
        "I(age**(9**9))",
        "I(age**1000)",
        "(age + wgt + hc + phb)^1000",
        "(age + wgt + hc + phb)^10",
        "(age + wgt) * (age + hc)^6 * (wgt + hc)^6",
        "poly(age, 1000000)",
        "bs(age, df = 1000000)",
        "+".join(["age"] * 2000),
        "(" * 400 + "age" + ")" * 400,
    ],
)
def test_formulas_that_would_never_end_are_refused(right):
    with pytest.raises(ModelError):
        check_formula(f"hgt ~ {right}", COLUMNS)


@pytest.mark.parametrize(
    "formula",
    ["hgt", "", "~ age", "hgt ~", "hgt ~ age ~ hc", "hgt + wgt ~ age", "1 ~ age", "hgt ~ age hc",
     "hgt ~ age +", "hgt ~ (age", "hgt ~ log()", "hgt ~ 3 + age"],
)  # fmt: skip
def test_formulas_that_make_no_sense_are_refused(formula):
    with pytest.raises(ModelError):
        check_formula(formula, COLUMNS)


def test_unknown_column_is_named_with_those_there_are():
    with pytest.raises(ModelError, match="unknown column 'height': the data have age, hgt, wgt"):
        check_formula("hgt ~ age + height", COLUMNS)


def test_message_is_one_line():
    with pytest.raises(ModelError) as refusal:
        check_formula("hgt ~ age\n + height", COLUMNS)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("formula", "columns"),
    [
        ("hgt ~ age + phb", ("hgt", "age", "phb")),
        ("hgt ~ 1", ("hgt",)),
        ("hgt ~ 0 + age - 1", ("hgt", "age")),
        ("log(hgt) ~ (age + hc)^2 + age:phb", ("hgt", "age", "hc", "phb")),
        ("hgt ~ poly(age, 3) * phb / hc", ("hgt", "age", "phb", "hc")),
        ("hgt ~ bs(age, df = 5, degree = 2)", ("hgt", "age")),
        ("hgt ~ I(wgt / (hgt / 100)^2) + sqrt(exp(-age))", ("hgt", "wgt", "age")),
        ("hgt ~ bmi.z + log(`body height`) + class", ("hgt", "bmi.z", "body height", "class")),
    ],
)
def test_columns_are_found_in_order(formula, columns):
    assert check_formula(formula, COLUMNS).columns == columns


def test_response_is_named_only_if_it_is_a_plain_column():
    assert check_formula("bmi.z ~ age", COLUMNS).response == "bmi.z"
    assert check_formula("log(hgt) ~ age", COLUMNS).response is None


def read_or_refuse(text):
    try:
        return check_formula(text, COLUMNS)
    except ModelError:
        return None


@given(
    st.lists(
        st.sampled_from(
            [*COLUMNS, *"~~+-*/:^(),=.'`[]{}", "**", "I(", "log(", "2", "0", "__", " "]
        ),
        max_size=15,
    ).map("".join)
    | st.text(max_size=30)
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_read_or_refused(text):
    formula = read_or_refuse(text)
    assert formula is None or set(formula.columns) <= set(COLUMNS)
    assert formula is None or not set("'\"`.[]{}|@;\\") & set(formula.code)
