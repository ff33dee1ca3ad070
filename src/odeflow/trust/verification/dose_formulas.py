"""Formulas in doses by Python's own arithmetic: nothing of what computes them for the engines."""

import ast
import math
from collections.abc import Mapping

_FUNCTIONS = {
    "exp": math.exp, "log": math.log, "log10": math.log10, "log2": math.log2, "sqrt": math.sqrt,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh,
    "tanh": math.tanh, "arcsin": math.asin, "arccos": math.acos, "arctan": math.atan,
    "abs": abs, "min": min, "max": max,
}  # fmt: skip


def names_in(text: str) -> set[str]:
    """The quantities that a formula reads."""
    nodes = list(ast.walk(ast.parse(text.strip(), mode="eval")))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called}


def evaluated(text: str, numbers: Mapping[str, float]) -> float:
    """The value of a formula whose names and calls the config has been checked for."""
    code = compile(ast.parse(text.strip(), mode="eval"), "<formula>", "eval")
    known = {name: float(numbers[name]) for name in names_in(text)}
    try:
        return float(eval(code, {"__builtins__": {}, **_FUNCTIONS}, known))
    except (ArithmeticError, ValueError):
        return math.nan
