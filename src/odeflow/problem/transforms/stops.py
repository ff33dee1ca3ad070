"""Conditions that end a trajectory, as guards of the engines."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

from odeflow.files.errors import ConfigError
from odeflow.problem.conditions.comparisons import Degree, crossings, outputs
from odeflow.problem.doses import SteadyState, Stop
from odeflow.problem.model import Model, PointFunction
from odeflow.problem.problem import Guard
from odeflow.problem.solver import Tolerances


def stop_guards(stop: Stop | None, model: Model, usual: Tolerances) -> tuple[Guard, ...]:
    """A guard for each condition of `stop`; `usual` are the tolerances of the model's own states.

    A threshold is one that is crossed: where a variable is beyond it already at t0, before the
    doses of that time, it has to come back first. A state that is steady at t0 stops there. Raises
    ConfigError for a variable that the model does not have.
    """
    if stop is None:
        return ()
    if model.stopping is not None:
        conditions = model.stopping.conditions
    else:
        conditions = [one.is_beyond(model) for one in thresholds(stop, model)]
    guards = [Guard(condition) for condition in conditions]
    if stop.steady_state is not None and not moves_with_time(model):
        steady = _is_steady(model, stop.steady_state, usual)
        guards.append(Guard(steady, initial=False, inside=False, after_all=True))
    return tuple(guards)


class Threshold(NamedTuple):
    """A variable that ends a trajectory above a value, or where `sign` is -1 below it."""

    variable: str
    value: float
    sign: int

    def is_beyond(self, model: Model) -> PointFunction:
        """Whether it does, as a function of (t, y, args)."""
        observe = model.observer([self.variable])
        return lambda t, y, args: (
            self.sign * observe(t, y, args)[self.variable] > self.sign * self.value
        )


def thresholds(stop: Stop | None, model: Model) -> list[Threshold]:
    """Those of `stop`, in the order of their guards.

    Raises ConfigError for a variable that the model does not have.
    """
    if stop is None:
        return []
    known = [*model.declared.states, *model.observable_names]
    for name in (*stop.above, *stop.below):
        if name not in known:
            raise ConfigError(
                f"stop: {name!r} is not a state or observable; known: {', '.join(known)}"
            )
    return [
        Threshold(name, value, sign)
        for values, sign in ((stop.above, 1), (stop.below, -1))
        for name, value in values.items()
    ]


def moves_with_time(model: Model) -> bool:
    """Whether the vector field depends on time in another way than by switching at known times.

    Where it does, that the derivative is small says nothing about later: nothing is steady.
    """
    field = lambda t, y, args: model.flat_vector_field(t, y, args)
    t, y, args = model.example()
    point = t, model.flatten(y), list(args)
    if any(info.degree > Degree.steps for info, _ in outputs(field, *point)):
        return True
    known = ("zero", "integers", "halves", "table")
    return any(
        found.info.degree > Degree.steps and (bool(found.info.y) or found.levels not in known)
        for found in crossings(field, *point, evaluate=False)
    )


def comment(stop: Stop | None, model: Model) -> str:
    """What of `stop` cannot be looked for, in one line; "" where there is nothing like that."""
    if stop is None or stop.steady_state is None or not moves_with_time(model):
        return ""
    return (
        f"stop.steady_state is not looked for: {model.declared.origin} depends on time, so what is "
        "at rest at one time may move later; the trajectories go on to their end"
    )


def _is_steady(model: Model, asked: SteadyState, usual: Tolerances) -> Callable[..., Any]:
    """Whether norm(f) < atol + rtol * norm(y), as Diffrax's `steady_state_event`.

    The norm is the root of the mean square over the model's own states, without sensitivities.
    """
    others = {*model.derivatives, *model.hidden}
    rtol, atol = asked.rtol or usual.rtol, asked.atol or usual.least
    own = [component.state not in others for component in model.components]

    def norm(record: Any) -> Any:
        squares = [x * x for x, counts in zip(model.flatten(record), own) if counts]
        return jnp.sqrt(sum(squares) / len(squares))

    return lambda t, y, args: norm(model.rates(t, y, args)) < atol + rtol * norm(y)
