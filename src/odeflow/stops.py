"""Conditions of the config that end a trajectory, as guards of the engines."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from odeflow.config.base import ConfigError
from odeflow.config.doses import SteadyState
from odeflow.config.root import Config
from odeflow.engine import Guard
from odeflow.model import Model


def stop_guards(config: Config, model: Model) -> tuple[Guard, ...]:
    """A guard for each condition of `stop`.

    A threshold is one that is crossed: where a variable is beyond it already at t0, it has to come
    back first. A state that is steady at t0 stops there. Raises ConfigError for a variable that
    the model does not have.
    """
    stop = config.stop
    if stop is None:
        return ()
    known = [*config.model.states, *model.observable_names]
    for name in (*stop.above, *stop.below):
        if name not in known:
            raise ConfigError(
                f"stop: {name!r} is not a state or observable; known: {', '.join(known)}"
            )
    guards = [
        Guard(_beyond(model, name, threshold, sign))
        for thresholds, sign in ((stop.above, 1), (stop.below, -1))
        for name, threshold in thresholds.items()
    ]
    if stop.steady_state is not None:
        guards.append(Guard(_is_steady(config, model, stop.steady_state), initial=False))
    return tuple(guards)


def _beyond(model: Model, name: str, threshold: float, sign: int) -> Callable[..., Any]:
    observe = model.observer([name])
    return lambda t, y, args: sign * observe(t, y, args)[name] > sign * threshold


def _is_steady(config: Config, model: Model, tolerances: SteadyState) -> Callable[..., Any]:
    """Whether norm(f) < atol + rtol * norm(y), as Diffrax's `steady_state_event`.

    The norm is the root of the mean square over the model's own states, without sensitivities.
    """
    least = config.solver.atol
    least = min(least.values()) if isinstance(least, dict) else least
    rtol, atol = tolerances.rtol or config.solver.rtol, tolerances.atol or least
    own = [component.state not in model.derivatives for component in model.components]

    def norm(record: Any) -> Any:
        squares = [x * x for x, counts in zip(model.flatten(record), own) if counts]
        return jnp.sqrt(sum(squares) / len(squares))

    return lambda t, y, args: norm(model.vector_field(t, y, args)) < atol + rtol * norm(y)
