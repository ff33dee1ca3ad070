"""`y0`, `args` and `in_axes` as many trajectories: which leaf has a value for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Float

from odeflow.api.layout import Leaf, PytreeLayout
from odeflow.problem.problem import rows_below

#: Stands for None among axes: trees of axes would lose it.
_SHARED = object()


@dataclass(frozen=True)
class Batch:
    """The leaves of `y0`, then those of `args`, and the axis of each along which trajectories lie.

    An axis is None where all trajectories share the leaf; `lanes` is None where they share every
    one, so that there is one trajectory. `y` and `args` are the layouts of one trajectory.
    """

    leaves: tuple[Any, ...]
    axes: tuple[int | None, ...]
    lanes: int | None
    y: PytreeLayout
    args: PytreeLayout

    @property
    def is_traced(self) -> bool:
        """Whether some leaf is known only to a transformation of JAX."""
        return any(isinstance(leaf, Tracer) for leaf in self.leaves)

    def rows(self) -> tuple[Float[np.ndarray, "component lane"], Float[np.ndarray, "number lane"]]:
        """The components of `y0` and `args` of all trajectories, float64."""
        lanes = 1 if self.lanes is None else self.lanes
        rows = []
        for leaf, axis in zip(self.leaves, self.axes):
            values = np.asarray(leaf)
            if axis is None:
                rows.append(np.broadcast_to(values.reshape(-1, 1), (values.size, lanes)))
            else:
                values = np.moveaxis(values, axis, -1)
                rows.append(values.reshape(prod(values.shape[:-1]), lanes))
        count = len(self.y.leaves)
        return _joined(rows[:count], lanes), _joined(rows[count:], lanes)

    def traced(self, dtype: Any) -> list[Any]:
        """Each leaf as a JAX array (lane, component)."""
        lanes = 1 if self.lanes is None else self.lanes
        arrays = []
        for leaf, axis in zip(self.leaves, self.axes):
            values = jnp.asarray(leaf).astype(dtype)
            if axis is None:
                flat = jnp.reshape(values, (1, -1))
                arrays.append(jnp.broadcast_to(flat, (lanes, flat.shape[1])))
            else:
                values = jnp.moveaxis(values, axis, 0)
                arrays.append(jnp.reshape(values, (lanes, prod(values.shape[1:]))))
        return arrays


def batched(y0: Any, args: Any, in_axes: Any) -> Batch:
    """The trajectories that `y0` and `args` stand for, with `in_axes` as in `jax.vmap`.

    Arguments:
        y0: pytree of real numbers or arrays.
        args: pytree of real numbers or arrays.
        in_axes: an integer or None for both, or a pair for `y0` and `args`; each is a prefix of
            their trees.

    Raises:
        TypeError: a leaf is not an array of real numbers.
        ValueError: `in_axes` does not fit, or leaves have different numbers of trajectories.
    """
    pair = in_axes if isinstance(in_axes, tuple | list) else (in_axes, in_axes)
    if len(pair) != 2:
        raise ValueError(f"in_axes: a pair for y0 and args is needed, found {len(pair)} entries")
    y_axes, arg_axes = _axes("y0", pair[0], y0), _axes("args", pair[1], args)
    y_leaves, y_names, y_structure = _leaves("y0", y0)
    arg_leaves, arg_names, arg_structure = _leaves("args", args)
    if not y_leaves:
        raise ValueError("y0 has no leaves: there is nothing to solve")
    leaves, names = (*y_leaves, *arg_leaves), (*y_names, *arg_names)
    found, lanes, first = [], None, ""
    for name, leaf, axis in zip(names, leaves, (*y_axes, *arg_axes)):
        if axis is _SHARED:
            found.append(None)
            continue
        if not isinstance(axis, int) or isinstance(axis, bool):
            raise ValueError(f"in_axes: {name} has {axis!r}; an integer or None is needed")
        if not -leaf.ndim <= axis < leaf.ndim:
            raise ValueError(
                f"in_axes: {name} has shape {leaf.shape}, which has no axis {axis}; "
                "write None for what all trajectories share"
            )
        size = leaf.shape[axis]
        if lanes not in (None, size):
            raise ValueError(
                f"{name} has {size} trajectories along axis {axis}, {first} has {lanes}; "
                "in_axes says which leaves have one value for each"
            )
        lanes, first = size, first or name
        found.append(axis % leaf.ndim)
    count = len(y_leaves)
    records = tuple(map(_one, names, leaves, found))
    y = PytreeLayout(y_structure, tuple(Leaf(r.name, r.shape) for r in records[:count]))
    if y.size == 0:
        raise ValueError("y0 has no components: there is nothing to solve")
    return Batch(leaves, tuple(found), lanes, y, PytreeLayout(arg_structure, records[count:]))


def _axes(name: str, prefix: Any, tree: Any) -> list[Any]:
    """The axis of each leaf of a tree, where `prefix` has one for each subtree."""
    is_none = lambda x: x is None
    spread = lambda axis, part: jax.tree.map(lambda _: _SHARED if axis is None else axis, part)
    try:
        return jax.tree.leaves(jax.tree.map(spread, prefix, tree, is_leaf=is_none))
    except (ValueError, TypeError) as error:
        raise ValueError(f"in_axes: {prefix!r} is not a prefix of the tree of {name}") from error


def _leaves(name: str, tree: Any) -> tuple[list[Any], list[str], Any]:
    """Arrays, names and structure; raises TypeError that names a leaf that is not an array."""
    paths, structure = jax.tree_util.tree_flatten_with_path(tree)
    arrays, names = [], []
    for path, leaf in paths:
        place = name + jax.tree_util.keystr(path)
        if not isinstance(leaf, jax.Array | np.ndarray):
            leaf = np.asarray(leaf)
        if leaf.dtype != bool and not jnp.issubdtype(leaf.dtype, jnp.number):
            raise TypeError(
                f"{place} is of type {leaf.dtype}; arrays of real numbers are needed: "
                "let the vector field close over anything else"
            )
        if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
            raise TypeError(f"{place} is complex; split it into its real and imaginary parts")
        arrays.append(leaf)
        names.append(place)
    return arrays, names, structure


def _one(name: str, leaf: Any, axis: int | None) -> Leaf:
    """What one trajectory has of a leaf; integers and booleans stay what they are."""
    shape = tuple(leaf.shape)
    if axis is not None:
        shape = shape[:axis] + shape[axis + 1 :]
    floating = jnp.issubdtype(leaf.dtype, jnp.floating)
    return Leaf(name, shape, None if floating else str(leaf.dtype))


def _joined(rows: Sequence[np.ndarray], lanes: int) -> np.ndarray:
    if not rows:
        return np.empty((0, lanes))
    return rows_below(rows)
