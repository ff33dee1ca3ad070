"""A pytree of arrays as numbered components, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod
from typing import Any

import jax
import jax.numpy as jnp


@dataclass(frozen=True)
class Leaf:
    """One array of a pytree: its place there, its shape, and its type where that is not a float."""

    name: str
    shape: tuple[int, ...]
    dtype: str | None = None

    @property
    def size(self) -> int:
        """Number of its components."""
        return prod(self.shape)


@dataclass(frozen=True)
class PytreeLayout:
    """The structure of a pytree, without its numbers; hashable."""

    structure: Any
    leaves: tuple[Leaf, ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.structure, self.leaves))

    @cached_property
    def size(self) -> int:
        """Number of components of all leaves."""
        return sum(leaf.size for leaf in self.leaves)

    @cached_property
    def parts(self) -> tuple[slice, ...]:
        """Where the components of each leaf are."""
        ends = [0, *accumulate(leaf.size for leaf in self.leaves)]
        return tuple(slice(*pair) for pair in zip(ends, ends[1:]))

    def pack(self, leaves: Sequence[Any]) -> Any:
        """The pytree of these leaves."""
        return jax.tree.unflatten(self.structure, leaves)

    def unflatten(self, components: Any) -> Any:
        """The pytree of a vector of components, in JAX; leaves of integers are integers again."""
        leaves = []
        for leaf, part in zip(self.leaves, self.parts):
            value = jnp.reshape(components[part], leaf.shape)
            leaves.append(value if leaf.dtype is None else value.astype(leaf.dtype))
        return self.pack(leaves)

    def flatten(self, tree: Any, dtype: Any, what: str) -> Any:
        """The components of a pytree of this structure as a vector, in JAX.

        Raises ValueError that says what `what` returned where the structure is another one, and
        TypeError where numbers are complex.
        """
        leaves, structure = jax.tree.flatten(tree)
        leaves = [jnp.asarray(leaf) for leaf in leaves]
        shapes = [leaf.shape for leaf in leaves]
        expected = [leaf.shape for leaf in self.leaves]
        if structure != self.structure or shapes != expected:
            raise ValueError(
                f"{what} returned {_described(structure, shapes)}; "
                f"y0 is {_described(self.structure, expected)}: return one derivative for each leaf"
            )
        for leaf in leaves:
            if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
                raise TypeError(f"{what} returned {leaf.dtype} numbers; real ones are needed")
        return jnp.concatenate([jnp.ravel(leaf).astype(dtype) for leaf in leaves])


def layout_of(tree: Any) -> PytreeLayout:
    """The layout of a pytree of arrays or of what JAX says of their shapes and types."""
    paths, structure = jax.tree_util.tree_flatten_with_path(tree)
    leaves = []
    for path, leaf in paths:
        floating = jnp.issubdtype(leaf.dtype, jnp.floating)
        name = jax.tree_util.keystr(path)
        leaves.append(Leaf(name, tuple(leaf.shape), None if floating else str(leaf.dtype)))
    return PytreeLayout(structure, tuple(leaves))


def _described(structure: Any, shapes: Sequence[tuple[int, ...]]) -> str:
    return str(jax.tree.unflatten(structure, [f"array{shape}" for shape in shapes]))
