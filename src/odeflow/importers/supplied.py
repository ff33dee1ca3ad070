"""A user's function whose `args` have a model's data, inputs and delays beside the parameters."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from odeflow.config.model import ModelConfig
from odeflow.importers.complex_states import WithComplex
from odeflow.importers.model_data import Arrays
from odeflow.problem.declaration import ArrayParameter
from odeflow.problem.knots import Knots, piece_value
from odeflow.problem.pieces import Pieces


class Courses:
    """The courses of a model's inputs by name, and the knots that those without jumps share."""

    def __init__(self, inputs: Mapping[str, Pieces]):
        times = [one.knots for one in inputs.values() if one.is_continuous]
        joined = np.unique(np.concatenate(times)) if times else np.empty(0)
        self.knots = Knots(joined) if joined.size else None
        self._pieces = {
            name: one.at_knots(joined) if one.is_continuous else one for name, one in inputs.items()
        }

    def value(self, name: str, t: Any, course: Any) -> Any:
        """The value of an input at a time; `course` is the number of that of several."""
        one = self._pieces[name]
        return piece_value(one, self.knots if one.is_continuous else None, t, course)


@dataclass(frozen=True, eq=False)
class GivenArgs:
    """What functions have for their `args`: the parameters, and what else a config gives them.

    `data` are arrays by name of a file: one with columns is a record of them, one with a single
    array that array. They are constants to JAX, floats in the precision of t, and so are `arrays`,
    the array parameters, but for their factors. Of `courses` the function has the values at t.
    """

    config: ModelConfig
    data: Mapping[str, Arrays]
    arrays: Mapping[str, ArrayParameter]
    courses: Courses

    def __call__(self, t: Any, args: Any) -> Any:
        """The record for a time, of the model's parameters."""
        dtype = jnp.result_type(t)

        def constant(values: np.ndarray) -> Any:
            return jnp.asarray(values, dtype if values.dtype.kind == "f" else None)

        def value(name: str, t: Any, category: Any) -> Any:
            return self.courses.value(name, t, 0 if category is None else _whole(category))

        def chosen(arrays: Any, category: Any) -> Any:
            place = _whole(category)
            return arrays.at[place].get(mode="promise_in_bounds", wrap_negative_indices=False)

        def shaped(numbers: list[Any], shape: tuple[int, ...]) -> Any:
            return jnp.stack(numbers).reshape(shape)

        return self.taking(constant, chosen, value, shaped)(t, args)

    def taking(
        self,
        constant: Callable[[np.ndarray], Any],
        chosen: Callable[[Any, Any], Any],
        value: Callable[[str, Any, Any], Any],
        shaped: Callable[[list[Any], tuple[int, ...]], Any],
    ) -> Callable[[Any, Any], Any]:
        """A function of (t, args) that puts arrays, inputs and delays behind the parameters.

        `constant` makes arrays readable, `chosen` takes that of a category of several, `value`
        gives an input of this name at a time, under a category, None where it has none, and
        `shaped` makes an array of scalars. What odeflow itself adds behind the parameters (an
        infusion's rate) is not the function's.
        """
        number = len(self.config.parameters)
        parts = [_part(name, arrays, constant) for name, arrays in self.data.items()]
        arrays = {name: constant(array.values) for name, array in self.arrays.items()}
        told = self.config.time_after_dose
        behind = [*arrays, *self.config.categories, *([] if told is None else [told])]
        places = {name: number + i for i, name in enumerate(behind)}

        def taken(t: Any, args: Any) -> Any:
            args = tuple(args)
            category = lambda axis: None if axis is None else args[places[axis]]
            scaled = [
                args[places[name]]
                * (numbers[0] if one.by is None else chosen(numbers, category(one.by)))
                for (name, one), numbers in zip(self.arrays.items(), arrays.values())
            ]
            given = self.config.inputs.items()
            inputs = [value(name, t, category(one.by)) for name, one in given]
            if told is not None:
                inputs.append(t - args[places[told]])
            delayed = [
                shaped([args[i] for i in numbers], shape) if shape else args[numbers[0]]
                for numbers, shape in self._delayed
            ]
            return self._record(*args[:number], *scaled, *parts, *inputs, *delayed)

        return taken

    @cached_property
    def _delayed(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The numbers of the parameters that each delay has, and its shape."""
        declared = self.config.declaration()
        shapes = [declared.states[delay.of].shape for delay in declared.delays.values()]
        return [(one.values, shape) for one, shape in zip(declared.delay_places, shapes)]

    @cached_property
    def _record(self) -> Any:
        config = self.config
        names = [*config.parameters, *self.arrays, *self.data, *config.inputs]
        names += [] if config.time_after_dose is None else [config.time_after_dose]
        return namedtuple(f"{config.name}_args", [*names, *config.delays])


@dataclass(frozen=True, eq=False)
class Supplied:
    """Calls `function(t, y, args)` with all that it is given."""

    function: Callable[..., Any]
    given: GivenArgs

    def __call__(self, t: Any, y: Any, args: Any, *more: Any) -> Any:
        """What the function returns."""
        return self.function(t, y, self.given(t, args), *more)


def _whole(category: Any) -> Any:
    """The number of a category, which parameters hold as a float."""
    return jnp.asarray(category).astype(int)


def _part(name: str, arrays: Arrays, constant: Callable[[np.ndarray], Any]) -> Any:
    if None in arrays:
        return constant(arrays[None])
    columns = namedtuple(name, [str(column) for column in arrays])
    return columns(*map(constant, arrays.values()))


def users_own(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as the user wrote it."""
    while isinstance(function, Supplied | WithComplex):
        function = function.function
    return function
