"""What sensitivities are where a stop ends a trajectory: total derivatives, and that of its time.

The end of a trajectory is y(tau(p), p), so its derivative is dy/dp + f dtau/dp. Where the condition
is g > 0, dtau/dp = -(g_y dy/dp + g_p) / (g_t + g_y f), which `saltation` remembers, as it does
where a dose or an event has made the condition true. There is no such derivative where a trajectory
touches its threshold, or ends at rest, which is noticed after steps only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from odeflow.problem.derivative_names import time_derivative_names
from odeflow.problem.doses import Stop
from odeflow.problem.model import Model, Stopping
from odeflow.problem.solver import Tolerances
from odeflow.problem.transforms.saltation import Parts, Saltation, no_derivative
from odeflow.problem.transforms.saltation_events import SaltationEvents
from odeflow.problem.transforms.stops import Threshold, thresholds

#: Tolerances that a trajectory has to pass its threshold by, before it turns back, or to have come
#: from, so that it crosses it.
_TOUCHES = 100.0


def stopping(
    stop: Stop | None,
    model: Model,
    jumps: Saltation,
    derivatives: Mapping[str, tuple[str, str]],
    tolerances: Tolerances,
) -> Stopping | None:
    """What `stop` does in the model with sensitivities of `model`; None without a stop.

    `derivatives` are the names of all sensitivities, with the variable and axis of each;
    `tolerances` those of the model's states.
    """
    if stop is None:
        return None
    names = tuple(time_derivative_names(jumps.axes, model.declared))
    at_stop = _AtStop(tolerances, model, jumps, derivatives, names, thresholds(stop, model))
    return Stopping(names, SaltationEvents(jumps).stops(), at_stop)


@dataclass(frozen=True, eq=False)
class _AtStop:
    """The derivatives by name where stops have fired, a function of (t, y, args, fired)."""

    tolerances: Tolerances
    model: Model
    jumps: Saltation
    derivatives: Mapping[str, tuple[str, str]]
    names: Sequence[str]
    thresholds: Sequence[Threshold]

    def __call__(self, t: Any, y: Any, args: Any, fired: Any) -> dict[str, Any]:
        jumps, parts = self.jumps, self.jumps.parts(y)
        own, seeds = jumps.seeds(args)
        crosses, moved = jnp.asarray(False), jnp.zeros(len(jumps.axes), t.dtype)
        if self.thresholds:
            crosses = jnp.any(fired[: len(self.thresholds)])
            unknown = self._touches(t, parts, own, fired)
            moved = jnp.where(unknown | (parts.moved == no_derivative(t)), jnp.nan, parts.moved)
        # of one at rest the time is that of a step
        at = jumps.moving_time(t, parts, args, jnp.where(crosses, moved, 0.0), 1)
        values = {n: jnp.where(crosses, x, jnp.nan) for n, x in zip(self.names, moved)}
        along = dict(zip(jumps.axes, at.along))
        observed = {}
        if self.model.observables_function is not None:
            observe, point = self.model.observables, (t, parts.state, own)
            times = jnp.where(crosses, moved, 0.0)
            observed = {
                axis: jax.jvp(observe, point, (time, along[axis], seed))[1]
                for axis, time, seed in zip(jumps.axes, times, seeds)
            }
        for name, (variable, axis) in self.derivatives.items():
            is_state = variable in self.model.declared.states
            record = along[axis]._asdict() if is_state else observed[axis]
            values[name] = record[variable]
        return values

    def _touches(self, t: Any, parts: Parts, args: Any, fired: Any) -> Any:
        """Whether what has crossed its threshold may only touch it, as far as tolerances tell.

        With g' and g'' along the trajectory, it goes beyond by g'^2 / (2 |g''|) at most.
        """
        one = jnp.ones_like(t)
        found = jnp.asarray(False)
        for number, threshold in enumerate(self.thresholds):

            def beyond(t: Any, y: Any, threshold: Threshold = threshold) -> Any:
                observe = self.model.observer([threshold.variable])
                return observe(t, y, args)[threshold.variable] - threshold.value

            def rate(t: Any, y: Any, beyond: Any = beyond) -> Any:
                slope = self.jumps.field(t, y, args, parts.held)
                return jax.jvp(beyond, (t, y), (one, slope))

            slope = self.jumps.field(t, parts.state, args, parts.held)
            (distance, speed), (_, bend) = jax.jvp(rate, (t, parts.state), (one, slope))
            doubt = _TOUCHES * self._tolerance(threshold)
            touches = (abs(distance) <= doubt) & (speed * speed <= 2 * doubt * abs(bend))
            found |= fired[number] & touches
        return found

    def _tolerance(self, threshold: Threshold) -> float:
        """What a variable is uncertain by beside its threshold."""
        tolerances = self.tolerances
        return tolerances.of(threshold.variable) + tolerances.rtol * abs(threshold.value)
