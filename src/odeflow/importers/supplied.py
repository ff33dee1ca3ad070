"""A user's function whose `args` have the arrays of `model.data` beside the parameters."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.importers.model_data import Arrays


@dataclass(frozen=True, eq=False)
class Supplied:
    """Calls `function(t, y, args)` with `data`, arrays by name of a file, among the args.

    A file with columns is a record of them, one with a single array that array; they are
    constants to JAX, floats in the precision of t.
    """

    function: Callable[..., Any]
    config: ModelConfig
    data: Mapping[str, Arrays]

    def __call__(self, t: Any, y: Any, args: Any) -> Any:
        """What the function returns."""
        dtype = jnp.result_type(t)

        def constant(values: np.ndarray) -> Any:
            return jnp.asarray(values, dtype if values.dtype.kind == "f" else None)

        return self.function(t, y, self.taking(constant)(args))

    def taking(self, constant: Callable[[np.ndarray], Any]) -> Callable[[Any], Any]:
        """A function that puts the arrays behind the parameters; `constant` makes them readable.

        What odeflow itself adds behind the parameters (an infusion's rate) is not the function's.
        """
        names = list(self.config.parameters)
        record = namedtuple(f"{self.config.name}_args", [*names, *self.data])
        parts = [_part(name, arrays, constant) for name, arrays in self.data.items()]
        return lambda args: record(*tuple(args)[: len(names)], *parts)


def _part(name: str, arrays: Arrays, constant: Callable[[np.ndarray], Any]) -> Any:
    if None in arrays:
        return constant(arrays[None])
    columns = namedtuple(name, [str(column) for column in arrays])
    return columns(*map(constant, arrays.values()))


def supplied(
    function: Callable[..., Any], config: ModelConfig, data: Mapping[str, Arrays]
) -> Callable[..., Any]:
    """The function with the data among its args; as it is where there is none."""
    return Supplied(function, config, data) if data else function


def users_own(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the user wrote it."""
    return function.function if isinstance(function, Supplied) else function
