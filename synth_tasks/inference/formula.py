"""Model formulas that are safe to evaluate.

The library formulaic evaluates Python inside formulas, and formulas come from configuration files.
A formula is therefore read here first, in three steps: split into tokens of a small alphabet,
parsed into a syntax tree, and compared with a list of what is allowed. formulaic sees nothing else.

Allowed are columns, the numbers 0 and 1, the operators ``~ + - * / : ** ^ ( )`` and the functions
in `FUNCTIONS`; within a function also other numbers and arithmetic. ``^`` is a power everywhere, as
in R. A column whose name is no Python name (``bmi.z``, or ``body height`` in backticks) works too.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synth_tasks.data.closest import columns_there
from synth_tasks.errors import ModelError

FUNCTIONS = ("I", "log", "log2", "log10", "exp", "sqrt", "center", "scale", "poly", "bs")
ARGUMENTS = ("degree", "df", "raw", "center", "scale", "ddof")

MAX_LENGTH = 1000
MAX_TERMS = 1000
MAX_EXPONENT = 10
MAX_ARGUMENT = 50

TOKENS = re.compile(
    r"\s*(?:(?P<name>[^\W\d][\w.]*|`[^`]*`)"
    r"|(?P<number>\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
    r"|(?P<sign>\*\*|[-+*/:^()=,~]))"
)
ALIAS = "column_alias_"
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


@dataclass(frozen=True)
class Formula:
    """A formula that has been found safe.

    Parameters
    ----------
    text : str
        As the user wrote it, on one line.
    code : str
        The same for formulaic.
    response : str or None
        The column on the left, None if it is transformed.
    columns : tuple of str
        Columns used on either side, in order of appearance.
    aliases : mapping of str to str
        Names in `code` to columns, for columns whose names Python cannot read.
    """

    text: str
    code: str
    response: str | None
    columns: tuple[str, ...]
    aliases: Mapping[str, str]


def check_formula(formula: str, columns: Sequence[str]) -> Formula:
    """Read a formula and refuse it unless it is safe and names known columns only.

    Parameters
    ----------
    formula : str
        For example ``"hgt ~ age + phb"`` or ``"log(wgt) ~ poly(age, 2) * reg"``.
    columns : sequence of str
        Columns of the data.

    Returns
    -------
    Formula

    Raises
    ------
    ModelError
        If the formula cannot be read, holds what is not allowed, or names an unknown column.
    """
    formula = " ".join(formula.split())
    if len(formula) > MAX_LENGTH:
        raise ModelError(
            f"the formula has {len(formula)} characters, at most {MAX_LENGTH} are allowed"
        )
    if formula.count("~") != 1:
        raise ModelError(f"formula '{formula}' must have one '~' between response and predictors")
    aliases: dict[str, str] = {}
    code = _translate(formula, aliases)
    left, right = (_parse(side, formula) for side in code.split("~"))
    try:
        return _check(formula, code, left, right, _Checker(formula, columns, aliases))
    except RecursionError:
        raise ModelError(f"formula '{formula}' is nested too deeply: simplify it") from None


def _check(formula: str, code: str, left: ast.expr, right: ast.expr, checker: _Checker) -> Formula:
    if checker.count_terms(left) != 1 or isinstance(left, ast.Constant):
        raise ModelError(f"formula '{formula}' must have one response on the left of '~'")
    if checker.count_terms(right) > MAX_TERMS:
        raise ModelError(f"formula '{formula}' has more than {MAX_TERMS} terms: leave some out")
    return Formula(
        text=formula,
        code=code,
        response=checker.column(left) if isinstance(left, ast.Name) else None,
        columns=tuple(dict.fromkeys([*checker.columns_in(left), *checker.columns_in(right)])),
        aliases=checker.aliases,
    )


def _translate(formula: str, aliases: dict[str, str]) -> str:
    """Rewrite a formula in Python's alphabet and note in `aliases` which names had to change."""
    alias_of: dict[str, str] = {}
    parts = []
    for kind, text in _tokens(formula):
        name = text.strip("`") if kind == "name" else ""
        if name in ("True", "False") or _is_plain(name):
            parts.append(name)
        elif kind == "name":
            parts.append(alias_of.setdefault(name, f"{ALIAS}{len(alias_of) + 1}_"))
        else:
            parts.append("**" if text == "^" else text)
    aliases.update({alias: name for name, alias in alias_of.items()})
    # formulaic knows a function by the parenthesis that follows its name without a space.
    return re.sub(r"(?<=\w) \(", "(", " ".join(parts))


def _is_plain(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith(ALIAS)


def _tokens(formula: str) -> Iterator[tuple[str, str]]:
    position, end = 0, len(formula)
    while position < end:
        match = TOKENS.match(formula, position)
        if match is None:
            character = formula[position:].lstrip()[0]
            raise ModelError(
                f"formula '{formula}' holds the character {character}, which is not allowed: "
                "use columns, numbers, + - * / : ^ ( ) and functions"
            )
        yield str(match.lastgroup), match[str(match.lastgroup)]
        position = match.end()


def _parse(side: str, formula: str) -> ast.expr:
    # ':' is no Python operator; '@' has no other use here and its precedence does not matter.
    try:
        return ast.parse(side.replace(":", "@").strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise ModelError(
            f"formula '{formula}' cannot be read: check its operators and parentheses"
        ) from None


class _Checker:
    """Compares a syntax tree with what is allowed."""

    def __init__(self, formula: str, columns: Sequence[str], aliases: Mapping[str, str]) -> None:
        self.formula, self.known, self.aliases = formula, columns, aliases

    def column(self, node: ast.Name) -> str:
        """Return the column that a name stands for."""
        name = self.aliases.get(node.id, node.id)
        if name not in self.known:
            raise ModelError(
                f"formula '{self.formula}' names the unknown column '{name}': "
                + columns_there(name, self.known)
            )
        return name

    def columns_in(self, node: ast.AST) -> list[str]:
        """Return the columns below a node in order of appearance."""
        functions = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in functions]
        return [self.column(n) for n in sorted(names, key=lambda n: n.col_offset)]

    def count_terms(self, node: ast.expr) -> int:
        """Check what stands outside functions and return into how many terms it expands at most."""
        match node:
            case ast.Name():
                self.column(node)
                return 1
            case ast.Constant(value=0 | 1):
                return 1
            case ast.Call():
                self.check_call(node)
                return 1
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return self.count_terms(node.operand)
            case ast.BinOp(op=ast.Pow()):
                exponent = self.number(node.right, minimum=1, maximum=MAX_EXPONENT)
                return min(self.count_terms(node.left) ** int(exponent), MAX_TERMS + 1)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.count_terms(node.left) + self.count_terms(node.right)
            case ast.BinOp(op=ast.Mult() | ast.Div() | ast.MatMult()):
                left, right = self.count_terms(node.left), self.count_terms(node.right)
                crossed = left * right if isinstance(node.op, ast.MatMult) else left * right + left
                return min(crossed + right, MAX_TERMS + 1)
        raise self.refusal()

    def check_call(self, node: ast.Call) -> None:
        """Check a function and its arguments."""
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in FUNCTIONS:
            raise ModelError(
                f"formula '{self.formula}' calls a function that is not allowed: "
                f"use one of {', '.join(FUNCTIONS)}"
            )
        if not node.args or not all(k.arg in ARGUMENTS for k in node.keywords):
            raise ModelError(
                f"formula '{self.formula}': {name}() needs a column first, "
                f"then numbers or {', '.join(f'{a}=' for a in ARGUMENTS)}"
            )
        self.check_arithmetic(node.args[0])
        for option in [*node.args[1:], *(k.value for k in node.keywords)]:
            self.number(option, minimum=0, maximum=MAX_ARGUMENT)

    def check_arithmetic(self, node: ast.expr) -> None:
        """Check the first argument of a function."""
        match node:
            case ast.Name():
                self.column(node)
            case ast.Constant(value=int() | float()):
                pass
            case ast.Call():
                self.check_call(node)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                self.check_arithmetic(node.operand)
            case ast.BinOp(op=ast.Pow()):
                # A power of a constant could be a number too long to compute.
                if not self.columns_in(node.left):
                    raise self.refusal()
                self.check_arithmetic(node.left)
                self.number(node.right, minimum=-MAX_EXPONENT, maximum=MAX_EXPONENT)
            case ast.BinOp() if isinstance(node.op, ARITHMETIC):
                self.check_arithmetic(node.left)
                self.check_arithmetic(node.right)
            case _:
                raise self.refusal()

    def number(self, node: ast.expr, *, minimum: float, maximum: float) -> float:
        """Return a number that must be written out and lie within limits."""
        sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
        literal: Any = node.operand if isinstance(node, ast.UnaryOp) else node
        value = literal.value if isinstance(literal, ast.Constant) else None
        if isinstance(value, (int, float)) and minimum <= sign * value <= maximum:
            return sign * value
        raise ModelError(
            f"formula '{self.formula}': exponents and options of functions must be numbers, "
            f"here from {minimum} to {maximum}"
        )

    def refusal(self) -> ModelError:
        """Return the error for everything that has no place in a formula."""
        return ModelError(
            f"formula '{self.formula}' holds an expression that is not allowed: "
            "put arithmetic on a column into I(), e.g. I(age^2)"
        )
