"""`y0`, `args` and `in_axes` as many trajectories: which leaf has a value for each of them."""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.api.layout import Leaf, PytreeLayout
from odeflow.problem.problem import rows_below

#: Stands for None among axes: trees of axes would lose it.
_SHARED = object()
_is_none = lambda x: x is None


class Batch(NamedTuple):
    """The leaves of `y0`, then those of `args`, and the axis of each along which trajectories lie.

    An axis is None where all trajectories share the leaf; `lanes` is None where they share every
    one, so that there is one trajectory. `y` and `args` are the layouts of one trajectory.
    """

    leaves: tuple[Any, ...]
    axes: tuple[int | None, ...]
    lanes: int | None
    y: PytreeLayout
    args: PytreeLayout

    def rows(
        self, first: int = 0, last: int | None = None
    ) -> tuple[Float[np.ndarray, "component lane"], Float[np.ndarray, "number lane"]]:
        """The components of `y0` and `args` of trajectories, float64: by default of all."""
        lanes, count = self.lanes, len(self.y.leaves)
        if lanes is None:
            columns = [np.asarray(leaf).reshape(-1, 1) for leaf in self.leaves]
            return _joined(columns[:count]), _joined(columns[count:])
        some = range(lanes)[first:last]
        lanes, rows = len(some), []
        for leaf, axis in zip(self.leaves, self.axes):
            values = np.asarray(leaf)
            if axis is None:
                rows.append(np.broadcast_to(values.reshape(-1, 1), (values.size, lanes)))
            else:
                values = np.moveaxis(values, axis, -1)[..., some.start : some.stop]
                rows.append(values.reshape(prod(values.shape[:-1]), lanes))
        args = rows_below(rows[count:]) if rows[count:] else np.empty((0, lanes))
        return rows_below(rows[:count]), args

    @property
    def copied(self) -> int:
        """How many numbers of each trajectory `rows` copies."""
        count = len(self.y.leaves)
        parts = ((self.y, slice(count)), (self.args, slice(count, None)))
        return sum(layout.size for layout, part in parts if self._is_copied(part))

    def _is_copied(self, part: slice) -> bool:
        """Whether leaves are not in memory as rows: several, of which lanes do not share all."""
        leaves, axes = self.leaves[part], self.axes[part]
        if all(axis is None for axis in axes):
            return False
        return len(leaves) > 1 or any(leaf.dtype != np.float64 for leaf in leaves)

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


class Trees(NamedTuple):
    """What `y0`, `args` and `in_axes` look like: what decides an `Arrangement`.

    `structure` is that of the pair of `y0` and `args`, `kinds` are the shapes and types of their
    leaves. `types` tell apart axes that are equal, as 1, 1.0 and True.
    """

    structure: Any
    kinds: tuple[Any, ...]
    axes: tuple[Any, ...]
    axes_structure: Any
    types: tuple[type, ...]


class Arrangement(NamedTuple):
    """What a `Batch` has beside its leaves."""

    axes: tuple[int | None, ...]
    lanes: int | None
    y: PytreeLayout
    args: PytreeLayout


def flattened(y0: Any, args: Any, in_axes: Any) -> tuple[tuple[Any, ...], Trees]:
    """The leaves of `y0` and `args`, which are arrays now, and what `arranged` is asked for.

    Arguments:
        y0: pytree of real numbers or arrays.
        args: pytree of real numbers or arrays.
        in_axes: an integer or None for both, or a pair for `y0` and `args`; each is a prefix of
            their trees.
    """
    found, structure = jax.tree.flatten((y0, args))
    leaves = tuple([leaf if type(leaf) is np.ndarray else _array(leaf) for leaf in found])
    kinds = tuple([(leaf.shape, leaf.dtype) for leaf in leaves])
    axes, axes_structure = jax.tree.flatten(in_axes)
    return leaves, Trees(structure, kinds, tuple(axes), axes_structure, tuple(map(type, axes)))


def _array(leaf: Any) -> Any:
    return leaf if isinstance(leaf, jax.Array | np.ndarray) else np.asarray(leaf)


def arranged(trees: Trees) -> Arrangement:
    """The trajectories that trees stand for, with `in_axes` as in `jax.vmap`.

    Raises:
        TypeError: a leaf is not an array of real numbers.
        ValueError: `in_axes` does not fit, or leaves have different numbers of trajectories.
    """
    try:
        return _kept_arrangement(trees)
    except TypeError:  # what nobody can hash is no axis; this says so
        return _arrangement(trees)


@lru_cache(maxsize=256)
def _kept_arrangement(trees: Trees) -> Arrangement:
    """As `_arrangement`, worked out once."""
    return _arrangement(trees)


def _arrangement(trees: Trees) -> Arrangement:
    in_axes = jax.tree.unflatten(trees.axes_structure, trees.axes)
    pair = in_axes if isinstance(in_axes, tuple | list) else (in_axes, in_axes)
    if len(pair) != 2:
        raise ValueError(f"in_axes: a pair for y0 and args is needed, found {len(pair)} entries")
    y_structure, arg_structure = trees.structure.children()
    count, kinds = y_structure.num_leaves, trees.kinds
    y_axes = _axes("y0", pair[0], jax.tree.unflatten(y_structure, range(count)))
    arg_numbers = range(arg_structure.num_leaves)
    arg_axes = _axes("args", pair[1], jax.tree.unflatten(arg_structure, arg_numbers))
    names = [*_names("y0", y_structure), *_names("args", arg_structure)]
    for name, (_, dtype) in zip(names, kinds):
        _check_type(name, dtype)
    if not count:
        raise ValueError("y0 has no leaves: there is nothing to solve")
    found, lanes, first = [], None, ""
    for name, (shape, _), axis in zip(names, kinds, (*y_axes, *arg_axes)):
        if axis is _SHARED:
            found.append(None)
            continue
        if not isinstance(axis, int) or isinstance(axis, bool):
            raise ValueError(f"in_axes: {name} has {axis!r}; an integer or None is needed")
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"in_axes: {name} has shape {shape}, which has no axis {axis}; "
                "write None for what all trajectories share"
            )
        size = shape[axis]
        if lanes not in (None, size):
            raise ValueError(
                f"{name} has {size} trajectories along axis {axis}, {first} has {lanes}; "
                "in_axes says which leaves have one value for each"
            )
        lanes, first = size, first or name
        found.append(axis % len(shape))
    records = tuple(map(_one, names, kinds, found))
    y = PytreeLayout(y_structure, tuple(Leaf(r.name, r.shape) for r in records[:count]))
    if y.size == 0:
        raise ValueError("y0 has no components: there is nothing to solve")
    return Arrangement(tuple(found), lanes, y, PytreeLayout(arg_structure, records[count:]))


def _axes(name: str, prefix: Any, tree: Any) -> list[Any]:
    """The axis of each leaf of a tree, where `prefix` has one for each subtree."""
    spread = lambda axis, part: jax.tree.map(lambda _: _SHARED if axis is None else axis, part)
    try:
        return jax.tree.leaves(jax.tree.map(spread, prefix, tree, is_leaf=_is_none))
    except (ValueError, TypeError) as error:
        raise ValueError(f"in_axes: {prefix!r} is not a prefix of the tree of {name}") from error


def _names(name: str, structure: Any) -> list[str]:
    """What the leaves of a tree are called."""
    tree = jax.tree.unflatten(structure, range(structure.num_leaves))
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [name + jax.tree_util.keystr(path) for path, _ in paths]


def _check_type(place: str, dtype: Any) -> None:
    """Raises TypeError that names a leaf that is not an array of real numbers."""
    if not jnp.issubdtype(dtype, jnp.bool_) and not jnp.issubdtype(dtype, jnp.number):
        raise TypeError(
            f"{place} is of type {dtype}; arrays of real numbers are needed: "
            "let the vector field close over anything else"
        )
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError(f"{place} is complex; split it into its real and imaginary parts")


def _one(name: str, kind: tuple[tuple[int, ...], Any], axis: int | None) -> Leaf:
    """What one trajectory has of a leaf; integers and booleans stay what they are."""
    shape, dtype = kind
    if axis is not None:
        shape = shape[:axis] + shape[axis + 1 :]
    floating = jnp.issubdtype(dtype, jnp.floating)
    return Leaf(name, shape, None if floating else str(dtype))


def _joined(columns: Sequence[np.ndarray]) -> np.ndarray:
    """One column of all of them, float64."""
    if not columns:
        return np.empty((0, 1))
    joined = columns[0] if len(columns) == 1 else np.concatenate(columns)
    return joined.astype(float, copy=False)
