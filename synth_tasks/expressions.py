"""Formulas for passive variables and post-processing, parsed to a whitelist and never run as code.

A formula may hold column names, numbers, texts (to compare categories with), arithmetic, comparisons,
``and``/``or``/``not`` and the functions in `FUNCTIONS`. Everything else is refused when the formula is
read, before any data are touched. R's ``~ I(wgt / (hgt/100)^2)`` is understood as well, and a column
whose name is not a word is written between backticks: ``` `body weight` * 2 ```.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from synth_tasks.data.closest import columns_there
from synth_tasks.errors import ExpressionError

TOKENS = re.compile(r"""`(?P<name>[^`]+)`|'[^']*'|"[^"]*"|\^""")
MAX_LENGTH = 1000
MAX_DEPTH = 40

BINARY_OPERATORS: dict[type[ast.operator], Callable] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    # Not np.power, of which squares are wrong in the last digit with NumPy 2.0.
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type[ast.cmpop], Callable] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
UNARY_OPERATORS: dict[type[ast.unaryop], Callable] = {
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Not: np.logical_not,
}


def _identity(value: np.ndarray) -> np.ndarray:
    return value


# name -> (function, number of arguments)
FUNCTIONS: dict[str, tuple[Callable, int]] = {
    "I": (_identity, 1),
    "abs": (np.abs, 1),
    "sqrt": (np.sqrt, 1),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "log2": (np.log2, 1),
    "log10": (np.log10, 1),
    "floor": (np.floor, 1),
    "ceil": (np.ceil, 1),
    "round": (lambda x, decimals: np.round(x, int(decimals)), 2),
    "min": (np.minimum, 2),
    "max": (np.maximum, 2),
    "clip": (np.clip, 3),
    "squeeze": (np.clip, 3),  # the name that R's mice gives it
    "where": (np.where, 3),
}


class Expression:
    """A checked formula over columns.

    Parameters
    ----------
    text : str
        For instance ``"~ wgt / (hgt/100)**2"``; a leading ``~`` is allowed, ``^`` is read as ``**``.
    origin : str
        The setting it comes from, for error messages.

    Raises
    ------
    ExpressionError
        If the formula contains anything that is not on the whitelist.

    Examples
    --------
    >>> bmi = Expression("~ wgt / (hgt / 100)**2")
    >>> sorted(bmi.names)
    ['hgt', 'wgt']
    >>> bmi.evaluate({"wgt": np.array([20.0]), "hgt": np.array([100.0])})
    array([20.])
    """

    def __init__(self, text: str, origin: str = "formula") -> None:
        self.text = text.strip()
        self.origin = origin
        self._quoted: dict[str, str] = {}
        self._tree = self._parse()
        self._check(self._tree, depth=0)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the columns that the formula reads."""
        functions = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        return frozenset(
            self._column(node.id)
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Name) and id(node) not in functions
        )

    def require_condition(self) -> None:
        """Raise an error if the formula computes a number instead of asking whether something holds."""
        is_number = isinstance(self._tree, (ast.Constant, ast.BinOp)) or (
            isinstance(self._tree, ast.UnaryOp) and not isinstance(self._tree.op, ast.Not)
        )
        if is_number:
            raise ExpressionError(
                f"{self.origin}: '{self._shown}' is no condition: compare, e.g. age < 16"
            )

    def require_columns(self, columns: Sequence[str]) -> None:
        """Raise an error if the formula reads a column that is not among `columns`."""
        for name in sorted(self.names):
            if name not in columns:
                raise ExpressionError(
                    f"{self.origin}: unknown column '{name}'; {columns_there(name, columns)}"
                )

    def evaluate(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the formula.

        Parameters
        ----------
        columns : mapping of str to ndarray of shape (n_rows,)
            Numbers, or labels for categories.

        Returns
        -------
        ndarray of shape (n_rows,) or ()
            Division by zero and the like give infinite or NaN values, which the caller must judge.
        """
        with np.errstate(all="ignore"):
            try:
                return np.asarray(self._evaluate(self._tree, columns))
            except (TypeError, ValueError, OverflowError):
                # The original message may quote a value of the data.
                raise ExpressionError(
                    f"{self.origin}: '{self._shown}' mixes numbers and categories: compare a category "
                    "with a text, compute with numbers only"
                ) from None

    @property
    def _shown(self) -> str:
        return self.text if len(self.text) <= 60 else self.text[:57] + "..."

    # --- reading ---------------------------------------------------------------------------------

    def _parse(self) -> ast.expr:
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(f"{self.origin}: longer than {MAX_LENGTH} characters: shorten it")
        source = TOKENS.sub(self._translate, self.text.removeprefix("~").strip())
        if not source:
            raise ExpressionError(f"{self.origin}: the formula is empty")
        try:
            return ast.parse(source, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise ExpressionError(
                f"{self.origin}: '{self._shown}' is not a formula: write e.g. wgt / (hgt/100)**2"
            ) from None

    def _translate(self, match: re.Match[str]) -> str:
        """Write R's power and quoted names in Python; leave texts alone."""
        if match[0] == "^":
            return "**"
        if match["name"] is None:
            return match[0]
        placeholder = f"__column_{len(self._quoted)}"
        self._quoted[placeholder] = match["name"]
        return placeholder

    def _column(self, name: str) -> str:
        return self._quoted.get(name, name)

    def _check(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"{self.origin}: nested deeper than {MAX_DEPTH}: simplify it")
        for child in self._operands(node):
            self._check(child, depth + 1)

    def _operands(self, node: ast.expr) -> list[ast.expr]:
        """Return the parts of an allowed node; refuse every other node."""
        match node:
            case ast.Name(id=name) if name in self._quoted or not name.startswith("_"):
                return []
            case ast.Constant(value=bool() | int() | float() | str()):
                return []
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY_OPERATORS:
                return [left, right]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY_OPERATORS:
                return [operand]
            case ast.BoolOp(values=values):
                return values
            case ast.Compare(left=left, ops=ops, comparators=others) if all(
                type(op) in COMPARISONS for op in ops
            ):
                return [left, *others]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
                expected = FUNCTIONS[name][1]
                if len(arguments) != expected:
                    raise ExpressionError(
                        f"{self.origin}: {name}() takes {expected} argument(s), "
                        f"{len(arguments)} given"
                    )
                return arguments
            case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
                raise ExpressionError(
                    f"{self.origin}: unknown function '{name}'; use {', '.join(FUNCTIONS)}"
                )
        raise ExpressionError(
            f"{self.origin}: {type(node).__name__} is not allowed in a formula: use column names, "
            "numbers, arithmetic, comparisons and functions"
        )

    # --- computing -------------------------------------------------------------------------------

    def _evaluate(self, node: ast.expr, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        match node:
            case ast.Name(id=name):
                if self._column(name) not in columns:
                    raise ExpressionError(f"{self.origin}: unknown column '{self._column(name)}'")
                return _as_operand(columns[self._column(name)])
            case ast.Constant(value=str() as text):
                return np.asarray(text, dtype=object)
            case ast.Constant(value=number):
                # Floating point keeps 9**9**9 from eating the memory: it becomes infinite.
                return np.asarray(float(number))  # type: ignore[arg-type]
            case ast.BinOp(left=left, op=op, right=right):
                operate = BINARY_OPERATORS[type(op)]
                a, b = self._evaluate(left, columns), self._evaluate(right, columns)
                return operate(_as_numbers(a), _as_numbers(b))
            case ast.UnaryOp(op=op, operand=operand):
                return UNARY_OPERATORS[type(op)](_as_numbers(self._evaluate(operand, columns)))
            case ast.BoolOp(op=op, values=values):
                combine = np.logical_and if isinstance(op, ast.And) else np.logical_or
                parts = [as_truth(self._evaluate(value, columns)) for value in values]
                result = parts[0]
                for part in parts[1:]:
                    result = combine(result, part)
                return result
            case ast.Compare(left=left, ops=ops, comparators=others):
                operands = [self._evaluate(part, columns) for part in (left, *others)]
                result = np.asarray(True)
                for comparison, a, b in zip(ops, operands, operands[1:], strict=False):
                    holds = COMPARISONS[type(comparison)](a, b)
                    result = np.logical_and(result, holds & _is_known(a) & _is_known(b))
                return result
            case ast.Call(func=ast.Name(id=name), args=arguments):
                # numpy gives a bare text, not an array, for two texts.
                return np.asarray(
                    FUNCTIONS[name][0](*(self._evaluate(a, columns) for a in arguments))
                )
        raise AssertionError(f"unchecked node {type(node).__name__}")


def _as_operand(values: np.ndarray) -> np.ndarray:
    """Turn labels that are numbers into floating point, which overflows instead of growing."""
    values = np.asarray(values)
    if values.dtype == object and all(
        v is None or isinstance(v, (bool, int, float)) for v in values.flat
    ):
        return values.astype(float)
    return values


def _is_known(values: np.ndarray) -> np.ndarray:
    """Tell which values are there: with a missing one no comparison holds, not even ``!=``."""
    if values.dtype == object:
        return np.array([value is not None for value in values.flat], dtype=bool).reshape(
            values.shape
        )
    return ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)


def as_truth(values: np.ndarray) -> np.ndarray:
    """Read numbers as true or false; a missing one is neither, and does not count as true."""
    numbers = _as_numbers(values)
    return (numbers != 0) & ~np.isnan(numbers)


def _as_numbers(values: np.ndarray) -> np.ndarray:
    """Refuse texts, which numpy would repeat, join or format up to any size; let truth count as 1."""
    if values.dtype.kind not in "biuf":
        raise TypeError("texts cannot be computed with")
    return values.astype(float)


def dependency_order(formulas: Mapping[str, Expression]) -> list[str]:
    """Order passive variables so that each comes after those it is computed from.

    Parameters
    ----------
    formulas : mapping of str to Expression
        Passive variable and its formula.

    Returns
    -------
    list of str

    Raises
    ------
    ExpressionError
        If formulas depend on each other in a circle.
    """
    ordered: list[str] = []
    remaining = dict(formulas)
    while remaining:
        ready = [name for name, e in remaining.items() if not (e.names & remaining.keys())]
        if not ready:
            circle = ", ".join(sorted(remaining))
            raise ExpressionError(
                f"the formulas of {circle} depend on each other in a circle: "
                "compute one of them from other columns"
            )
        ordered += ready
        for name in ready:
            del remaining[name]
    return ordered
