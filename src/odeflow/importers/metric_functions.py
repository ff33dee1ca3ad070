"""The user's own metrics: functions of a saved course and the parameters, in JAX or NumPy."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from odeflow.config.summary import SummaryConfig
from odeflow.config.validate import nearest
from odeflow.files.errors import ConfigError
from odeflow.importers.functions import load_function

_KEY = "summary.functions"
#: Values of the variables by name, (sample, time, ...); of the parameters, (sample,).
Courses = Mapping[str, Float[np.ndarray, "sample time ..."]]
Parameters = Mapping[str, Float[np.ndarray, " sample"]]


class MetricFunctions:
    """The functions of `summary.functions`, loaded and called once.

    Arguments:
        summary: names the functions, and the metrics that they return with their units.
        study: the folder that their files are relative to.
        shapes: of each variable of a course, at one time.
        parameters: names of the parameters.
        t: the saved times.

    Raises:
        ConfigError: one that does not load, that fails on a made-up course, or that returns
            something else than the numbers named in `summary.function_units`.
    """

    def __init__(
        self,
        summary: SummaryConfig,
        study: Path,
        shapes: Mapping[str, tuple[int, ...]],
        parameters: list[str],
        t: Float[np.ndarray, " time"],
    ):
        jax.config.update("jax_enable_x64", True)
        self._course: Any = namedtuple("Course", ["t", *shapes])
        self._args: Any = namedtuple("Args", parameters)
        self._t, self.units = np.asarray(t, float), dict(summary.function_units)
        self._functions = {
            reference: load_function(reference, study, _KEY) for reference in summary.functions
        }
        wave = 1 + 0.5 * np.sin(np.linspace(0, 31, len(self._t)))
        course = self._course(
            self._t,
            *(
                np.broadcast_to(wave.reshape(-1, *[1] * len(shape)), (len(wave), *shape)).copy()
                for shape in shapes.values()
            ),
        )
        args = self._args(*[1.0] * len(parameters))
        self._calls: dict[str, Callable[[Any, Any], dict[str, np.ndarray]]] = {}
        returned: dict[str, str] = {}
        for reference, function in self._functions.items():
            for name in self._tried(reference, function, course, args):
                if name in returned:
                    raise ConfigError(
                        f"{_KEY}: {reference} and {returned[name]} both return {name!r}; rename one"
                    )
                returned[name] = reference
        for name in self.units:
            if name not in returned:
                raise ConfigError(
                    f"summary.function_units: no function returns {name!r}{nearest(name, returned)}"
                )

    def _tried(self, reference: str, function: Any, course: Any, args: Any) -> list[str]:
        """Calls a function with a made-up course; returns the names of what it gives."""
        try:
            seen = jax.eval_shape(function, course, args)
        except Exception:  # JAX cannot trace it: NumPy then, which says what is wrong
            self._calls[reference] = self._by_rows(reference, function)
            seen = _called(reference, function, course, args, "a made-up course")
        else:
            axes = (self._course(None, *[0] * (len(course) - 1)), 0 if len(args) else None)
            self._calls[reference] = jax.jit(jax.vmap(function, in_axes=axes))
        if not isinstance(seen, Mapping):
            raise ConfigError(
                f"{_KEY}: {reference} returns no names; it has to return {{name: number}}"
            )
        for name, value in seen.items():
            if name not in self.units:
                raise ConfigError(
                    f"{_KEY}: {reference} returns {name!r}, which summary.function_units does not "
                    f"name{nearest(str(name), self.units)}"
                )
            shape = np.shape(value)
            if shape:
                raise ConfigError(
                    f"{_KEY}: {reference}: {name} is an array of shape {tuple(shape)}; a metric is "
                    "one number"
                )
        return list(seen)

    def _by_rows(self, reference: str, function: Any) -> Any:
        def call(course: Any, args: Any) -> dict[str, np.ndarray]:
            found = [
                _called(
                    reference,
                    function,
                    self._course(course.t, *(values[i] for values in course[1:])),
                    self._args(*(float(values[i]) for values in args)),
                    "one of the trajectories",
                )
                for i in range(len(course[1]))
            ]
            return {name: np.array([float(one[name]) for one in found]) for name in found[0]}

        return call

    def __call__(self, courses: Courses, parameters: Parameters) -> dict[str, np.ndarray]:
        """The metrics of trajectories by name, one number each."""
        course = self._course(self._t, *(courses[name] for name in self._course._fields[1:]))
        args = self._args(*(parameters[name] for name in self._args._fields))
        if not len(course[1]):
            return {name: np.empty(0) for name in self.units}
        found = {}
        for call in self._calls.values():
            found |= {name: np.asarray(x, float) for name, x in call(course, args).items()}
        return found


def _called(reference: str, function: Any, course: Any, args: Any, what: str) -> Any:
    try:
        with np.errstate(all="ignore"):
            return function(course, args)
    except Exception as error:
        text = str(error).split("\n", 1)[0]
        raise ConfigError(
            f"{_KEY}: {reference} raises {type(error).__name__} for {what}: {text}"
        ) from error
