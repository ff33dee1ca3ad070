"""Small dense factorisations, triangular solves and convolutions, written out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn

from odeflow.engines.native.frontend.integers import integer_operation
from odeflow.engines.native.frontend.interpreter import (
    Handler,
    Interpreter,
    Values,
    dtype_of,
    shape_of,
    unless_constant,
)
from odeflow.engines.native.program.builder import Builder
from odeflow.engines.native.program.program import Operand
from odeflow.engines.native.program.refusal import Refused

_BOOLEAN, _INT = np.dtype(bool), np.dtype(np.int32)


def _sum_of_products(b: Builder, start: Operand, left: Any, right: Any, sign: str) -> Operand:
    """`start` plus or minus the products of two lines, from the first to the last."""
    for x, y in zip(left, right):
        start = b.apply(sign, start, b.apply("mul", x, y))
    return start


def _lu(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Both factors in one matrix, with partial pivoting: rows are swapped by selections.

    Reference: Golub and Van Loan, Matrix Computations, 4th ed., algorithm 3.4.1.
    """
    x = operands[0]
    factors, pivots, orders = (np.empty(shape_of(v), object) for v in equation.outvars)
    for batch in np.ndindex(x.shape[:-2]):
        matrix = x[batch].astype(object)
        factors[batch], pivots[batch], orders[batch] = _factored(run.builder, matrix)
    return [factors, pivots, orders]


def _factored(b: Builder, matrix: np.ndarray) -> tuple[np.ndarray, list[Operand], list[Operand]]:
    rows: list[list[Operand]] = matrix.tolist()
    order: list[Operand] = list(range(len(rows)))
    pivots: list[Operand] = []
    for k in range(min(matrix.shape)):
        place: Operand = k
        largest = b.apply("abs", rows[k][k])
        for i in range(k + 1, len(rows)):
            size = b.apply("abs", rows[i][k])
            if size == 0:
                continue
            is_larger = b.apply("lt", largest, size)
            place = _select_integer(b, is_larger, i, place)
            largest = b.apply("select", is_larger, size, largest)
        pivots.append(place)
        for i in range(k + 1, len(rows)):
            is_pivot = integer_operation(b, "eq", (place, i), (_INT, _INT), _BOOLEAN, {})
            pairs = [
                (b.apply("select", is_pivot, y, x), b.apply("select", is_pivot, x, y))
                for x, y in zip(rows[k], rows[i])
            ]
            rows[k], rows[i] = [x for x, _ in pairs], [y for _, y in pairs]
            order[k], order[i] = (
                _select_integer(b, is_pivot, order[i], order[k]),
                _select_integer(b, is_pivot, order[k], order[i]),
            )
        for row in rows[k + 1 :]:
            # a column of zeros has no pivot, and nothing to divide
            quotient = b.apply("div", row[k], rows[k][k])
            is_zero = b.apply("eq", rows[k][k], 0.0)
            row[k] = factor = b.apply("select", is_zero, row[k], quotient)
            row[k + 1 :] = [
                b.apply("sub", x, b.apply("mul", factor, y))
                for x, y in zip(row[k + 1 :], rows[k][k + 1 :])
            ]
    return np.array(rows, object), pivots, order


def _select_integer(b: Builder, condition: Operand, x: Operand, y: Operand) -> Operand:
    return integer_operation(b, "select_n", (condition, y, x), (_BOOLEAN, _INT, _INT), _INT, {})


def _triangular_solve(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Substitution, forward or backward."""
    params, b = equation.params, run.builder
    a, right = (x.astype(object) for x in operands)
    # x a = b is a^T x^T = b^T.
    if not params["left_side"]:
        right = right.swapaxes(-1, -2)
    is_transposed = bool(params["transpose_a"]) == bool(params["left_side"])
    if is_transposed:
        a = a.swapaxes(-1, -2)
    n = a.shape[-1]
    steps = range(n) if params["lower"] != is_transposed else range(n - 1, -1, -1)
    result = np.zeros(right.shape, object)
    for batch in np.ndindex(*right.shape[:-2], right.shape[-1]):
        matrix, column = a[batch[:-1]], (*batch[:-1], slice(None), batch[-1])
        values, known = right[column].tolist(), []
        for i in steps:
            value = _sum_of_products(b, values[i], matrix[i, known], result[column][known], "sub")
            if not params["unit_diagonal"]:
                value = b.apply("div", value, matrix[i, i])
            result[(*batch[:-1], i, batch[-1])] = value
            known.append(i)
    return [result if params["left_side"] else result.swapaxes(-1, -2)]


def _cholesky(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """The lower factor, row by row; NaN where the matrix is not positive definite."""
    b, x = run.builder, operands[0].astype(object)
    result = np.full(x.shape, 0.0, object)
    for batch in np.ndindex(x.shape[:-2]):
        matrix, factor = x[batch], result[batch]
        is_definite: Operand = True
        for i in range(len(matrix)):
            for j in range(i + 1):
                rest = _sum_of_products(b, matrix[i, j], factor[i, :j], factor[j, :j], "sub")
                is_diagonal = i == j
                if is_diagonal:
                    is_definite = b.apply("and", is_definite, b.apply("lt", 0.0, rest))
                factor[i, j] = (
                    b.apply("sqrt", rest) if is_diagonal else b.apply("div", rest, factor[j, j])
                )
        for place, value in np.ndenumerate(factor):
            factor[place] = b.apply("select", is_definite, value, np.nan)
    return [result]


def _custom_linear_solve(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """The user's (or jax.numpy.linalg's) own solver, applied to the right-hand sides."""
    lengths, jaxprs = equation.params["const_lengths"], equation.params["jaxprs"]
    before = lengths.matvec + lengths.vecmat
    constants = operands[before : before + lengths.solve]
    right = operands[sum(lengths) :]
    return run.evaluate(jaxprs.solve.jaxpr, jaxprs.solve.consts, [*constants, *right])


def _convolution(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Sums of products over windows, as `jax.numpy.convolve` and stencils need them."""
    params = equation.params
    numbers, groups = params["dimension_numbers"], params["feature_group_count"]
    if params["batch_group_count"] != 1:
        raise Refused("a convolution with groups of batches")
    dtype = dtype_of(equation.outvars[0])
    x = _spread(operands[0].transpose(numbers.lhs_spec), params["lhs_dilation"])
    kernel = operands[1].transpose(numbers.rhs_spec).astype(object)
    x = _padded(x, params["padding"])
    shape = shape_of(equation.outvars[0])
    result = np.empty([shape[d] for d in numbers.out_spec], object)
    channels, per_group = kernel.shape[1], len(kernel) // groups
    for place in np.ndindex(result.shape):
        sample, feature, *where = place
        start = feature // per_group * channels
        windows = tuple(
            slice(w * stride, w * stride + (size - 1) * dilation + 1, dilation)
            for w, stride, size, dilation in zip(
                where, params["window_strides"], kernel.shape[2:], params["rhs_dilation"]
            )
        )
        window = x[(sample, slice(start, start + channels), *windows)].ravel().tolist()
        weights = kernel[feature].ravel().tolist()
        result[place] = _sum_of_products(run.builder, 0.0, window, weights, "add")
    if dtype != run.builder.dtype:
        raise Refused(f"a convolution in {dtype}")
    return [result.transpose(np.argsort(numbers.out_spec))]


def _spread(x: np.ndarray, dilation: tuple[int, ...]) -> np.ndarray:
    """Zeros between the elements of the spatial dimensions."""
    sizes = [(n - 1) * d + 1 for n, d in zip(x.shape[2:], dilation)]
    result = np.full((*x.shape[:2], *sizes), 0.0, object)
    result[(..., *(slice(None, None, d) for d in dilation))] = x
    return result


def _padded(x: np.ndarray, padding: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Zeros around the spatial dimensions; a negative width cuts."""
    added = [(0, 0), (0, 0), *((max(low, 0), max(high, 0)) for low, high in padding)]
    x = np.pad(x, added, constant_values=0.0)  # type: ignore[arg-type]
    cuts = [slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(x.shape[2:], padding)]
    return x[(..., *cuts)]


LINEAR_ALGEBRA: Mapping[str, Handler] = {
    "lu": unless_constant(_lu),
    "triangular_solve": unless_constant(_triangular_solve),
    "cholesky": unless_constant(_cholesky),
    "custom_linear_solve": unless_constant(_custom_linear_solve),
    "conv_general_dilated": unless_constant(_convolution),
}
