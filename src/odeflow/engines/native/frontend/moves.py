"""Primitives that move elements and do not look at them."""

from collections.abc import Mapping

import numpy as np
from jax.extend.core import JaxprEqn

from odeflow.engines.native.frontend.interpreter import Handler, Interpreter, Values, shape_of


def _broadcast_in_dim(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    shape = equation.params["shape"]
    aligned = [1] * len(shape)
    for dimension, size in zip(equation.params["broadcast_dimensions"], operands[0].shape):
        aligned[dimension] = size
    return [np.broadcast_to(operands[0].reshape(aligned), shape)]


def _reshape(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    x, order = operands[0], equation.params.get("dimensions")
    return [(x if order is None else x.transpose(order)).reshape(equation.params["new_sizes"])]


def _slice(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    starts, limits = equation.params["start_indices"], equation.params["limit_indices"]
    strides = equation.params["strides"] or [1] * operands[0].ndim
    return [operands[0][tuple(map(slice, starts, limits, strides))]]


def _pad(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    x, filling = operands
    result = np.full(shape_of(equation.outvars[0]), filling.item(), object)
    sources, targets = [], []
    for size, new_size, (low, _, interior) in zip(
        x.shape, result.shape, equation.params["padding_config"]
    ):
        place = low + np.arange(size) * (interior + 1)
        inside = (place >= 0) & (place < new_size)
        sources.append(np.flatnonzero(inside))
        targets.append(place[inside])
    result[np.ix_(*targets)] = x[np.ix_(*sources)]
    return [result]


def _iota(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    shape, dimension = equation.params["shape"], equation.params["dimension"]
    line = np.arange(shape[dimension], dtype=equation.params["dtype"])
    return [
        np.moveaxis(np.broadcast_to(line, (*np.delete(shape, dimension), len(line))), -1, dimension)
    ]


def _split(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    places = np.cumsum(equation.params["sizes"])[:-1]
    return list(np.split(operands[0], places, equation.params["axis"]))


def _unstack(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    line = np.moveaxis(operands[0], equation.params["axis"], 0)
    return [line[i, ...] for i in range(len(line))]


def _unchanged(run: Interpreter, equation: JaxprEqn, operands: Values) -> Values:
    return operands


MOVES: Mapping[str, Handler] = {
    "broadcast_in_dim": _broadcast_in_dim,
    "reshape": _reshape,
    "slice": _slice,
    "pad": _pad,
    "iota": _iota,
    "split": _split,
    "unstack": _unstack,
    "squeeze": lambda run, e, x: [np.squeeze(x[0], tuple(e.params["dimensions"]))],
    "expand_dims": lambda run, e, x: [np.expand_dims(x[0], tuple(e.params["dimensions"]))],
    "transpose": lambda run, e, x: [x[0].transpose(e.params["permutation"])],
    "rev": lambda run, e, x: [np.flip(x[0], e.params["dimensions"])],
    "concatenate": lambda run, e, x: [np.concatenate(x, e.params["dimension"])],
    "stack": lambda run, e, x: [np.stack(x, e.params["axis"])],
    "tile": lambda run, e, x: [np.tile(x[0], e.params["reps"])],
    "optimization_barrier": _unchanged,
    "device_put": _unchanged,
    "name": _unchanged,
    "sharding_constraint": _unchanged,
}
