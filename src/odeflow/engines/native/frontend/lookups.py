"""Reading and writing elements at places that may depend on traced numbers."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn
from jax.lax import GatherScatterMode

from odeflow.engines.native.frontend.elementwise import scalar_operation
from odeflow.engines.native.frontend.integers import choose, is_tree
from odeflow.engines.native.frontend.interpreter import (
    Handler,
    Interpreter,
    Values,
    dtype_of,
    is_traced,
    object_array,
    shape_of,
)
from odeflow.engines.native.program.program import Operand
from odeflow.engines.native.program.table import ConstantTable

#: The primitive that combines what is there with an update; None: the update stands.
_SCATTERS = {
    "scatter": None,
    "scatter-add": "add",
    "scatter-sub": "sub",
    "scatter-mul": "mul",
    "scatter-min": "min",
    "scatter-max": "max",
}

_BOOLEAN = np.dtype(bool)
#: Constants among which selections choose faster than memory is read.
_FEW = 8


def _window(starts: Sequence[int], sizes: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(start, start + size) for start, size in zip(starts, sizes))


def _dynamic_slice(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    x, *starts = operands
    sizes, dtype = equation.params["slice_sizes"], dtype_of(equation.invars[0])
    bounds = tuple((0, n - size) for n, size in zip(x.shape, sizes))
    if _is_memory(run, x, starts):
        corners = [_within(run, start.item(), *bound) for start, bound in zip(starts, bounds)]
        return [_entries(run, x, corners, sizes, dtype)]
    return [
        choose(
            run.builder,
            tuple(start.item() for start in starts),
            bounds,
            lambda *chosen: x[_window(chosen, sizes)],
            lambda condition, one, other: run.select(condition, one, other, dtype),
        )
    ]


def _gather(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    x, indices = operands
    numbers, dtype = equation.params["dimension_numbers"], dtype_of(equation.invars[0])
    sizes, mapped = equation.params["slice_sizes"], numbers.start_index_map
    fills = equation.params["mode"] == GatherScatterMode.FILL_OR_DROP
    dropped = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    filling = _filling(equation.params["fill_value"], dtype)
    # Where an index out of bounds gives a filling, one place beyond either end stands for all.
    beyond = 1 if fills else 0
    bounds = tuple((-beyond, x.shape[d] - sizes[d] + beyond) for d in mapped)

    def window(batch: tuple[int, ...], chosen: tuple[int, ...]) -> np.ndarray:
        starts = [0] * x.ndim
        for d, i in zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims):
            starts[d] = batch[i]
        for d, start in zip(mapped, chosen):
            starts[d] = start
        if any(not 0 <= start <= n - s for start, n, s in zip(starts, x.shape, sizes)):
            return np.full([s for d, s in enumerate(sizes) if d not in dropped], filling, object)
        return np.squeeze(x[_window(starts, sizes)], dropped)

    def read(batch: tuple[int, ...], places: Sequence[Operand]) -> np.ndarray:
        starts: list[Operand] = [0] * x.ndim
        for d, i in zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims):
            starts[d] = batch[i]
        is_there: Operand = True
        for d, place in zip(mapped, places):
            starts[d] = _within(run, place, 0, x.shape[d] - sizes[d])
            if fills:
                same = run.builder.apply("eq", place, starts[d])
                is_there = run.builder.apply("and", is_there, same)
        found = np.squeeze(_entries(run, x, starts, sizes, dtype), dropped)
        return run.select(is_there, found, np.full(found.shape, filling, object), dtype)

    result = np.empty(shape_of(equation.outvars[0]), object)
    batches = indices.shape[:-1]
    by_batch = np.moveaxis(result, numbers.offset_dims, range(len(batches), result.ndim))
    for batch in np.ndindex(batches):
        if _is_memory(run, x, indices[batch]):
            by_batch[(*batch, ...)] = read(batch, indices[batch].tolist())
            continue
        # The ellipsis makes numpy copy elements, not keep a scalar's array as an element.
        by_batch[(*batch, ...)] = choose(
            run.builder,
            tuple(indices[batch].tolist()),
            bounds,
            lambda *chosen, batch=batch: window(batch, chosen),
            lambda condition, one, other: run.select(condition, one, other, dtype),
        )
    return [result]


def _is_memory(run: Interpreter, x: np.ndarray, places: Any) -> bool:
    """Whether elements are read from memory: constants, at a place that is a rounded number."""
    if is_traced(x) or x.dtype.kind == "c" or x.size <= _FEW:
        return False
    flat = [place for part in places for place in np.ravel(part).tolist()]
    return any(isinstance(place, str) and not is_tree(run.builder, place) for place in flat)


def _within(run: Interpreter, place: Operand, low: int, high: int) -> Operand:
    """The nearest place between two."""
    bounded = (float(low), place, float(high))
    return scalar_operation(run.builder, "clamp", bounded, run.builder.dtype, {})


def _entries(
    run: Interpreter,
    x: np.ndarray,
    starts: Sequence[Operand],
    sizes: Sequence[int],
    dtype: np.dtype,
) -> np.ndarray:
    """A window of constants from places within bounds, read from memory."""
    b = run.builder
    strides = [math.prod(x.shape[d + 1 :]) for d in range(x.ndim)]
    table = ConstantTable(np.ascontiguousarray(x, b.dtype).ravel())
    corner: Operand = 0.0
    for start, stride in zip(starts, strides):
        corner = b.apply("add", b.apply("mul", start, float(stride)), corner)
    result = np.empty(tuple(sizes), object)
    for place in np.ndindex(*sizes):
        offset = float(sum(i * stride for i, stride in zip(place, strides)))
        number = b.apply("entry", table, b.apply("add", corner, offset))
        if dtype.kind == "b":
            number = b.apply("ne", number, 0.0)
        elif dtype.kind in "iu" and not isinstance(number, str):
            number = int(number)
        result[place] = number
    return result


def _filling(value: Any, dtype: np.dtype) -> Operand:
    """What stands for an element out of bounds; JAX's choice where the user made none."""
    if value is not None:
        return np.asarray(value, dtype).item()
    if dtype.kind in "fc":
        return float("nan")
    if dtype.kind == "b":
        return True
    return int(np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max)


def _dynamic_update_slice(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    x, update, *starts = operands
    result = x.astype(object)
    indices = object_array([start.item() for start in starts], (len(starts),))
    dtypes = (dtype_of(equation.invars[0]), dtype_of(equation.invars[2]) if starts else None)
    _write(run, result, update, indices, list(range(x.ndim)), [0] * x.ndim, None, True, dtypes)
    return [result]


def _scatter(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    x, indices, updates = operands
    numbers = equation.params["dimension_numbers"]
    result = x.astype(object)
    batches = indices.shape[:-1]
    by_batch = np.moveaxis(updates, numbers.update_window_dims, range(len(batches), updates.ndim))
    single = sorted((*numbers.inserted_window_dims, *numbers.operand_batching_dims))
    clips = equation.params["mode"] != GatherScatterMode.FILL_OR_DROP
    dtypes = (dtype_of(equation.invars[0]), dtype_of(equation.invars[1]))
    combined = _SCATTERS[equation.primitive.name]
    for batch in np.ndindex(batches):
        starts = [0] * x.ndim
        for d, i in zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims):
            starts[d] = batch[i]
        update = by_batch[(*batch, ...)]
        for d in single:
            update = np.expand_dims(update, d)
        mapped = [int(d) for d in numbers.scatter_dims_to_operand_dims]
        _write(run, result, update, indices[batch], mapped, starts, combined, clips, dtypes)
    return [result]


def _write(
    run: Interpreter,
    result: np.ndarray,
    update: np.ndarray,
    indices: np.ndarray,
    mapped: list[int],
    starts: list[int],
    combined: str | None,
    clips: bool,
    dtypes: tuple[np.dtype, Any],
) -> None:
    """Writes one window at `starts`, its dimensions `mapped` at the indices, into `result`.

    Where an index depends on traced numbers, each place that it may be keeps what it has or takes
    the update. Out of bounds, a window is moved inside if `clips`, else not written.
    """
    dtype, index_dtype = dtypes
    highest = [n - size for n, size in zip(result.shape, update.shape)]
    choices: list[list[tuple[int, Operand]]] = []
    for d, index in zip(mapped, indices.tolist()):
        if clips:
            low, high = np.asarray(0, index_dtype), np.asarray(highest[d], index_dtype)
            clamped = (low, object_array([index], ()), high)
            index = run.elementwise("clamp", clamped, (index_dtype,) * 3, index_dtype).item()
        places = range(highest[d] + 1)
        if isinstance(index, str):
            choices.append([(place, _equals(run, index, place, index_dtype)) for place in places])
        else:
            choices.append([(index, True)] if index in places else [])
    for choice in product(*choices):
        here = list(starts)
        hit: Operand = True
        for d, (place, condition) in zip(mapped, choice):
            here[d] = place
            hit = run.builder.apply("and", hit, condition)
        window = _window(here, update.shape)
        old, new = result[window], update
        if combined is not None:
            new = run.elementwise(combined, (old, update), (dtype, dtype), dtype)
        result[window] = run.select(hit, new, old, dtype)


def _equals(run: Interpreter, index: str, place: int, dtype: np.dtype) -> Operand:
    pair = (object_array([index], ()), object_array([place], ()))
    return run.elementwise("eq", pair, (dtype, dtype), _BOOLEAN).item()


LOOKUPS: Mapping[str, Handler] = {
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather,
    **dict.fromkeys(_SCATTERS, _scatter),
}
