"""The model with which a release shows how it is analysed, as each language writes it."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from synth_tasks.data import Kind, Schema
from synth_tasks.release.r_code import quote
from synth_tasks.release.spec import ReleaseSpec

TERM = r"(?:[A-Za-z]\w*|`[^`\\]+`)"
PLAIN_FORMULA = re.compile(rf"^{TERM} ~ (?:1|{TERM}(?: \+ {TERM})*)$", re.ASCII)
PARTS = re.compile(r"`[^`]*`|[^`]+|`")
# Words that a formula cannot use as names, in Python, in its formulas, or in R.
RESERVED = {*keyword.kwlist, "C", "I", "Q", "F", "T", "TRUE", "FALSE", "NULL", "NA", "NaN", "Inf"} | {
    "function", "next", "repeat",
}  # fmt: skip
# What both languages code alike.
KINDS = (Kind.NUMERIC, Kind.INTEGER, Kind.NOMINAL, Kind.BINARY)


@dataclass(frozen=True, slots=True)
class ExampleFormula:
    """One least squares model.

    Parameters
    ----------
    statsmodels : str
        For `statsmodels.formula.api`.
    r : str
        For R.
    own : str or None
        For `fit_model`; None if its formulas cannot say it.
    """

    statsmodels: str
    r: str
    own: str | None


def choose_example(spec: ReleaseSpec, schema: Schema) -> ExampleFormula:
    """Choose a model that gives the same in Python and R: an ols of the spec, or a mean or share.

    Parameters
    ----------
    spec : ReleaseSpec
        The release.
    schema : Schema
        Variables of the published sets.

    Returns
    -------
    ExampleFormula
    """
    for analysis in spec.analysis:
        formula = _tidy(analysis.formula or "")
        names = [name.strip("`") for name in re.findall(TERM, formula, re.ASCII)]
        is_ols = analysis.model == "ols" and PLAIN_FORMULA.match(formula)
        if is_ols and all(_is_coded_alike(name, schema) for name in names):
            in_r = re.sub(TERM, lambda m: _in_r(m[0].strip("`")), formula, flags=re.ASCII)
            in_python = re.sub(TERM, lambda m: _in_python(m[0].strip("`")), formula, flags=re.ASCII)
            return ExampleFormula(in_python, in_r, in_r)
    drawn = [v for v in schema if v.name not in spec.synthesis.keep]
    for variable in drawn:
        if variable.kind in (Kind.NUMERIC, Kind.INTEGER) and not variable.keep_missing:
            return _mean(variable.name)
    categories = [v for v in drawn if v.is_categorical and not v.keep_missing]
    if not categories:
        name = drawn[0].name
        in_python = f"I(Q({quote(name)}).isna() * 1) ~ 1"
        return ExampleFormula(in_python, f"I(is.na(`{name}`) * 1) ~ 1", None)
    variable = categories[0]
    share = "" if variable.kind is Kind.BOOLEAN else f" == {quote(variable.categories[0])}"
    in_python = f"I((Q({quote(variable.name)}){share}) * 1) ~ 1"
    return ExampleFormula(in_python, f"I((`{variable.name}`{share}) * 1) ~ 1", None)


def _tidy(formula: str) -> str:
    """Put single blanks around signs, but not in names between backticks."""
    parts = (
        part if part.startswith("`") else re.sub(r"\s*([~+])\s*", r" \1 ", part)
        for part in PARTS.findall(formula.strip())
    )
    return "".join(parts)


def _mean(name: str) -> ExampleFormula:
    in_r = f"{_in_r(name)} ~ 1"
    return ExampleFormula(f"{_in_python(name)} ~ 1", in_r, None if "`" in name else in_r)


def _in_python(name: str) -> str:
    return name if _is_word(name) else f"Q({quote(name)})"


def _in_r(name: str) -> str:
    return name if _is_word(name) else f"`{name}`"


def _is_coded_alike(name: str, schema: Schema) -> bool:
    variable = schema[name]
    texts = all(isinstance(label, str) for label in variable.categories)
    return variable.kind in KINDS and texts


def _is_word(name: str) -> bool:
    is_word = re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII)
    return bool(is_word) and name not in RESERVED
