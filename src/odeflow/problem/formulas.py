"""Formulas in text over named numbers, such as `F1 * dose` and `24 + lag`: names, and a value.

They are read by Python's grammar and computed here, node by node: no code of the user's is run.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from typing import Any

import numpy as np

#: What formulas may call, here and in events that are saved (`importers/expressions/infix.py`).
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "log10": np.log10, "log2": np.log2, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan,
    "abs": np.abs, "min": lambda *x: reduce(np.minimum, x), "max": lambda *x: reduce(np.maximum, x),
}  # fmt: skip
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: np.divide, ast.Pow: np.power,
}  # fmt: skip
_LONGEST = 500


def is_formula(text: str) -> bool:
    """Whether a text is more than a name."""
    return not text.isidentifier()


@lru_cache(maxsize=1024)
def formula_names(text: str) -> frozenset[str]:
    """The names that a formula reads; raises ValueError where it is none."""
    found: set[str] = set()
    _look(text, _parsed(text), found)
    return frozenset(found)


def formula_value(text: str, numbers: Mapping[str, Any]) -> Any:
    """The value of a formula, an array where its numbers are."""
    with np.errstate(all="ignore"):
        return _value(_parsed(text), numbers)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ValueError(f"a formula of more than {_LONGEST} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ValueError(f"{text!r} is neither a name nor a formula such as 'F1 * dose'") from None


def _look(text: str, node: ast.expr, found: set[str]) -> None:
    match node:
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            return
        case ast.Name(name):
            found.add(name)
        case ast.BinOp(left, sign, right) if type(sign) in _BINARY:
            _look(text, left, found)
            _look(text, right, found)
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            _look(text, operand, found)
        case ast.Call(ast.Name(name), [_, *_] as arguments, []) if name in FUNCTIONS:
            for argument in arguments:
                _look(text, argument, found)
        case _:
            raise ValueError(
                f"{text!r}: {ast.unparse(node)!r} has no place in a formula; + - * / **, numbers, "
                f"names and {', '.join(FUNCTIONS)} have"
            )


def _value(node: ast.expr, numbers: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value):
            return float(value)  # pyright: ignore[reportArgumentType]
        case ast.Name(name):
            return numbers[name]
        case ast.BinOp(left, sign, right):
            return _BINARY[type(sign)](_value(left, numbers), _value(right, numbers))
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, numbers)
        case ast.UnaryOp(_, operand):
            return _value(operand, numbers)
        case ast.Call(ast.Name(name), arguments):
            return FUNCTIONS[name](*(_value(argument, numbers) for argument in arguments))
    raise TypeError(ast.dump(node))
