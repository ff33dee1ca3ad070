"""States that start at 0 and grow so slowly that no tolerance controls them.

Their sizes are not in the config: what they can become by t1 is judged by the rates at t0. Those
that start above 0 are for `config.small_states`, which planning asks and which needs no JAX.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.config.small_states import advised_atol
from odeflow.problem.model import Model
from odeflow.problem.problem import Lanes, Problem

#: How many trajectories are looked at, the first ones.
_LOOKED_AT = 16


def small_rate_notes(problem: Problem, lanes: Lanes) -> list[str]:
    """A line for each state that is 0 at t0 and that its rate there keeps below `solver.atol`.

    A rate of 0 says nothing of what comes later, nor does one of a state that is given doses.
    """
    atol, model = problem.solver.tolerances.atol, problem.model
    if not problem.solver.is_adaptive or problem.jumps is not None:
        return []
    few = lanes.take(np.arange(min(_LOOKED_AT, lanes.y0.shape[1])))
    names = np.array([component.state for component in model.components])
    started = set(names[few.y0.any(axis=1)])
    asked = [x for x in dict.fromkeys(names) if x not in {*model.hidden, *model.derivatives}]
    asked = [name for name in asked if name not in started]
    if not asked:
        return []
    span = model.declared.t1 - model.declared.t0 if few.t1 is None else few.t1 - model.declared.t0
    reached = np.max(np.abs(_rates(model, few)) * span, axis=1)
    notes = []
    for name in asked:
        size = float(reached[names == name].max())
        if 0 < size < atol[name]:
            notes.append(
                f"solver.atol: {atol[name]:g} is above what {name}, 0 at t0, comes to "
                f"by t1 at its rate at t0, {size:.2g}, so that no tolerance controls {name}; give "
                f"it {advised_atol(size)} or less (solver.atol can be {{state: number}})"
            )
    return notes


def _rates(model: Model, lanes: Lanes) -> Float[np.ndarray, "component lane"]:
    """The rates of all components at t0, state by state: there may be thousands of components."""
    t0, states = jnp.asarray(model.declared.t0, float), model.declared.states.values()
    ends = np.cumsum([math.prod(state.shape) for state in states])

    def rates(y: Any, args: Any) -> Any:
        parts = zip(jnp.split(y, ends[:-1]), states)
        leaves = [part.reshape(state.shape) for part, state in parts]
        found = model.rates(t0, model.State(*leaves), model.Args(*args))
        return jnp.concatenate([jnp.ravel(x) for x in found])

    return np.asarray(jax.vmap(rates)(jnp.asarray(lanes.y0.T), jnp.asarray(lanes.args.T))).T
