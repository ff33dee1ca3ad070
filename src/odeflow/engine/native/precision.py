"""Source in float32: Numba takes a literal for a float64, and its sums with float32 are float64."""

import ast
from collections.abc import Sequence

import numpy as np

from odeflow.engine.native.functions import IN_DOUBLE


class _Single(ast.NodeTransformer):
    """Wraps literals, and functions that compute in float64, in `real(...)`."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return _real(node) if isinstance(node.value, float) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return _real(node) if ast.unparse(node.func) in IN_DOUBLE else node


def _real(node: ast.expr) -> ast.Call:
    return ast.Call(ast.Name("real", ast.Load()), [node], [])


def in_precision(lines: Sequence[str], dtype: np.dtype) -> list[str]:
    """The statements with arithmetic in `dtype` throughout."""
    if dtype == np.float64:
        return list(lines)
    return [ast.unparse(_Single().visit(ast.parse(line))) for line in lines]
