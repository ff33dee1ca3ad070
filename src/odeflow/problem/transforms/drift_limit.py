"""Steps that drift too far from what is conserved, for the engines to take again, shorter.

A condition that rejects a step must leave room for those to come: once the steps before have used
up all of the drift that is allowed, no shorter step helps. So a trajectory is given its drift as
time passes, in equal parts, which bounds the error per unit step: at t an invariant may be away
from its value at t0 by max_drift scale (t - t0)/(t1 - t0). What one step leaves over is for the
next ones. The change in a step of length h is of the order h^(p+1) and what it is given of the
order h, so that some step is short enough, unless its rounding is more than that: a step that is
given less than one rounding of the scale, and rejected, ends the trajectory.

Reference: Hairer, Lubich and Wanner, Geometric Numerical Integration, 2nd ed., section IX.8, for
the drift of methods that conserve nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from odeflow.problem.declaration import Parameter
from odeflow.problem.model import Jumping, Model
from odeflow.problem.problem import Lanes, Problem
from odeflow.problem.transforms.invariants import Drift

#: What is allowed from the first step on, in roundings of the scale: those of evaluating I.
_FLOOR_ULPS = 16
#: And what is kept away from the limit, in the same: the drift is judged in other arithmetic.
_MARGIN_ULPS = 2
#: Numbers of a lane for each invariant: I(t0), what may be added at t0, and with each unit of time.
_NUMBERS = 3


class DriftLimit(NamedTuple):
    """A problem that rejects steps, whose model has the limits of a lane as further parameters."""

    problem: Problem
    drift: Drift
    max_drift: float

    def limited(self, lanes: Lanes) -> Lanes:
        """Lanes with their limits as the last parameters."""
        model, dtype = self.problem.model.declared, self.problem.dtype
        start, scale = self.drift.starts(lanes.y0, lanes.args, dtype)
        t1 = np.full(lanes.size, model.t1) if lanes.t1 is None else lanes.t1
        epsilon = float(np.finfo(dtype).eps)
        largest = self.max_drift - _MARGIN_ULPS * epsilon
        first = min(_FLOOR_ULPS * epsilon, largest)
        rows = []
        for name in self.drift.own:
            rate = (largest - first) * scale[name] / (t1 - model.t0)
            rows += [start[name], first * scale[name], rate]
        return replace(lanes, args=np.concatenate([lanes.args, np.array(rows)]))


def with_drift_limit(problem: Problem, drift: Drift, max_drift: float) -> DriftLimit:
    """The problem that rejects a step where an invariant drifts further than its time allows.

    `problem` observes the invariants, see `invariants.with_invariants`.
    """
    model = problem.model
    observe = model.observer(drift.names)
    count, t0 = len(model.declared.parameters), model.declared.t0

    def cut(function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of (t, y, args, ...) that is given the model's own parameters only."""
        return lambda t, y, args, *more: function(t, y, model.Args(*args[:count]), *more)

    def drifts(h: Any, t: Any, y: Any, args: Any) -> tuple[Any, Any]:
        values = observe(t, y, model.Args(*args[:count]))
        limits = args[count:]
        rejected, vain = jnp.asarray(False), jnp.asarray(False)
        for number, name in enumerate(drift.names):
            start, first, rate = limits[_NUMBERS * number : _NUMBERS * (number + 1)]
            # what is not a number drifts too
            drifted = ~(jnp.abs(values[name] - start) <= first + rate * (t - t0))
            rejected = rejected | drifted
            # a state that is too large to be changed by so short a step would hide the drift
            vain = vain | (drifted & (_FLOOR_ULPS * rate * h <= first))
        return rejected, vain

    limited = replace(
        problem,
        model=_with_parameters(model, _NUMBERS * len(drift.names), cut),
        stops=tuple(replace(guard, condition=cut(guard.condition)) for guard in problem.stops),
        rejected=drifts,
    )
    return DriftLimit(limited, drift, max_drift)


def _with_parameters(model: Model, number: int, cut: Callable[..., Any]) -> Model:
    """The model with further parameters, which its functions do not see."""
    prefix = "limit"
    while any(name.startswith(prefix) for name in model.declared.parameters):
        prefix += "_"
    added = {f"{prefix}{i}": Parameter(value=0.0) for i in range(number)}
    stopping = model.stopping
    return replace(
        model,
        declared=model.declared.with_parameters(added),
        function=cut(model.function),
        observables_function=model.observables_function and cut(model.observables_function),
        events=tuple(event.each(cut) for event in model.events),
        jumping=model.jumping and Jumping(*map(cut, model.jumping)),
        stopping=stopping and stopping._replace(values=cut(stopping.values)),
        algebraic=model.algebraic and model.algebraic.each(cut),
    )
