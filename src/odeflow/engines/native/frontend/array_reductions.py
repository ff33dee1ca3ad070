"""Sums, products, extremes, scans and sorting along axes, unrolled in a fixed order."""

import math
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn

from odeflow.engines.native.frontend.interpreter import (
    Handler,
    Interpreter,
    Values,
    dtype_of,
    shape_of,
    unless_constant,
)

_BOOLEAN = np.dtype(bool)

#: The primitive that combines two elements.
_REDUCTIONS = {
    "reduce_sum": "add",
    "reduce_prod": "mul",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_and": "and",
    "reduce_or": "or",
    "reduce_xor": "xor",
}

_SCANS = {"cumsum": "add", "cumprod": "mul", "cummax": "max", "cummin": "min"}


def _reduce(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Elements from first to last, the last axis fastest."""
    axes, dtype = equation.params["axes"], dtype_of(equation.invars[0])
    x = np.moveaxis(operands[0], axes, range(len(axes)))
    terms = x.reshape(-1, *x.shape[len(axes) :])
    combined = _REDUCTIONS[equation.primitive.name]
    return [
        reduce(lambda a, c: run.elementwise(combined, (a, c), (dtype, dtype), dtype), _parts(terms))
    ]


def _parts(x: np.ndarray) -> list[np.ndarray]:
    """Slices along the first axis, as arrays even where they are scalars."""
    return [x[i, ...] for i in range(len(x))]


def _scan(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    axis, dtype = equation.params["axis"], dtype_of(equation.invars[0])
    combined = _SCANS[equation.primitive.name]
    terms = _parts(np.moveaxis(operands[0], axis, 0))
    if equation.params["reverse"]:
        terms.reverse()
    totals = terms[:1]
    for term in terms[1:]:
        totals.append(run.elementwise(combined, (totals[-1], term), (dtype, dtype), dtype))
    if equation.params["reverse"]:
        totals.reverse()
    return [np.stack(totals, axis)]


def _arg_extreme(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """The first place of the extreme; NaN is the extreme where there is one."""
    (axis,), dtype = equation.params["axes"], dtype_of(equation.invars[0])
    better = "gt" if equation.primitive.name == "argmax" else "lt"
    out = dtype_of(equation.outvars[0])
    best, *others = _parts(np.moveaxis(operands[0], axis, 0))
    place = np.zeros(best.shape, out)
    for i, x in enumerate(others, start=1):
        taken = run.elementwise(better, (x, best), (dtype, dtype), _BOOLEAN)
        if dtype.kind == "f":
            is_nan = run.elementwise("ne", (x, x), (dtype, dtype), _BOOLEAN)
            was_number = run.elementwise("eq", (best, best), (dtype, dtype), _BOOLEAN)
            pair = (_BOOLEAN, _BOOLEAN)
            first_nan = run.elementwise("and", (is_nan, was_number), pair, _BOOLEAN)
            taken = run.elementwise("or", (taken, first_nan), pair, _BOOLEAN)
        here = np.full(best.shape, i, out)
        place = run.elementwise("select_n", (taken, place, here), (_BOOLEAN, out, out), out)
        best = run.elementwise("select_n", (taken, best, x), (_BOOLEAN, dtype, dtype), dtype)
    return [place]


def _dot_general(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Products of matrices; those with a constant zero are left out of the sums."""
    (contracted, batch) = equation.params["dimension_numbers"]
    dtype = dtype_of(equation.outvars[0])

    def rows(x: np.ndarray, contracted: tuple[int, ...], batch: tuple[int, ...]) -> np.ndarray:
        """The operand as (batch, free, contracted)."""
        rest = [d for d in range(x.ndim) if d not in contracted and d not in batch]
        sizes = [math.prod(x.shape[d] for d in group) for group in (batch, rest, contracted)]
        return x.transpose(*batch, *rest, *contracted).reshape(sizes).astype(object)

    left, right = (rows(*group) for group in zip(operands, contracted, batch))
    result = np.empty((len(left), left.shape[1], right.shape[1]), object)
    zero = dtype.type(0).item()
    for b, i, j in np.ndindex(result.shape):
        total: Any = zero
        for x, y in zip(left[b, i].tolist(), right[b, j].tolist()):
            # A name compares unequal to 0.
            if x != 0 and y != 0:
                term = run.scalar("mul", (x, y), (dtype, dtype), dtype)
                total = run.scalar("add", (total, term), (dtype, dtype), dtype)
        result[b, i, j] = total
    return [result.reshape(shape_of(equation.outvars[0]))]


def _sort(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    """Insertion by exchanges of neighbours, which keeps the order of equals; NaN come last."""
    dtypes = [dtype_of(variable) for variable in equation.invars]
    axis, keys = equation.params["dimension"], equation.params["num_keys"]
    # rows[i] has the i-th elements of all operands.
    rows = [list(row) for row in zip(*(_parts(np.moveaxis(x, axis, 0)) for x in operands))]

    def precedes(one: Values, other: Values, key: int = 0) -> np.ndarray:
        """Lexicographic order of the keys."""
        pair, order = (dtypes[key], dtypes[key]), "lt_to" if dtypes[key].kind == "f" else "lt"
        less = run.elementwise(order, (one[key], other[key]), pair, _BOOLEAN)
        if key + 1 == keys:
            return less
        more = run.elementwise(order, (other[key], one[key]), pair, _BOOLEAN)
        equal = run.elementwise("not", (more,), (_BOOLEAN,), _BOOLEAN)
        later = precedes(one, other, key + 1)
        later = run.elementwise("and", (equal, later), (_BOOLEAN, _BOOLEAN), _BOOLEAN)
        return run.elementwise("or", (less, later), (_BOOLEAN, _BOOLEAN), _BOOLEAN)

    def chosen(condition: np.ndarray, one: Values, other: Values) -> Values:
        return [
            run.elementwise("select_n", (condition, y, x), (_BOOLEAN, dtype, dtype), dtype)
            for x, y, dtype in zip(one, other, dtypes)
        ]

    for end in range(1, len(rows)):
        for i in range(end, 0, -1):
            swap = precedes(rows[i], rows[i - 1])
            low, high = chosen(swap, rows[i], rows[i - 1]), chosen(swap, rows[i - 1], rows[i])
            rows[i - 1], rows[i] = low, high
    return [np.stack(column, axis) for column in zip(*rows)]


REDUCTIONS: Mapping[str, Handler] = {
    **dict.fromkeys(_REDUCTIONS, unless_constant(_reduce)),
    **dict.fromkeys(_SCANS, unless_constant(_scan)),
    "argmax": unless_constant(_arg_extreme),
    "argmin": unless_constant(_arg_extreme),
    "dot_general": unless_constant(_dot_general),
    "sort": unless_constant(_sort),
}
