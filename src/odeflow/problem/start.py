"""Initial values that are functions of the parameters, and their derivatives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True, eq=False)
class ComputedStart:
    """Gives states their initial values where functions of the parameters compute them.

    `functions` are in JAX, of all parameters in their order, by the state that each is of; what
    they are without axes is in `parameters`.
    """

    functions: Mapping[str, Callable[[tuple[Any, ...]], Any]]
    parameters: Mapping[str, float]

    def __call__(self, axes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The values by state, samples last; a state that is an axis has that one's."""
        size = np.shape(next(iter(axes.values()))) if axes else (1,)
        args = [np.broadcast_to(axes.get(name, x), size) for name, x in self.parameters.items()]
        found = self._compiled(np.array(args, float).reshape(len(args), *size))
        return {name: np.asarray(x) for name, x in found.items() if name not in axes}

    def along(self, derivatives: Mapping[str, tuple[str, str]]) -> "ComputedStart":
        """The same with the initial values of these derivatives: the state and axis of each."""
        names = list(self.parameters)
        added = {
            name: _derivative(self.functions[state], names.index(axis))
            for name, (state, axis) in derivatives.items()
            if state in self.functions and axis in names
        }
        return replace(self, functions={**self.functions, **added})

    @cached_property
    def _compiled(self) -> Callable[[np.ndarray], dict[str, jax.Array]]:
        def of_one(args: Any) -> dict[str, Any]:
            return {name: function(tuple(args)) for name, function in self.functions.items()}

        return jax.jit(jax.vmap(of_one, in_axes=-1, out_axes=-1))


def _derivative(function: Callable[[tuple[Any, ...]], Any], place: int) -> Callable[..., Any]:
    def derivative(args: tuple[Any, ...]) -> Any:
        at = lambda x: function((*args[:place], x, *args[place + 1 :]))
        return jax.jvp(at, (args[place],), (jnp.ones_like(args[place]),))[1]

    return derivative
