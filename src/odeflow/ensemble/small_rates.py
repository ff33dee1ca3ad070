"""States that start at 0 and grow so slowly that no tolerance controls them.

Their sizes are not in the config: what they can become by t1 is judged by the rates at t0. Those
that start above 0 are for `config.small_states`, which planning asks and which needs no JAX.
"""

import jax
import jax.numpy as jnp
import numpy as np

from odeflow.config.small_states import advised_atol
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
    span = model.declared.t1 - model.declared.t0 if few.t1 is None else few.t1 - model.declared.t0
    t0 = jnp.asarray(model.declared.t0, float)
    slopes = lambda y, args: model.rates(t0, model.unflatten([*y]), model.Args(*args))
    field = jax.vmap(lambda y, args: jnp.stack(model.flatten(slopes(y, args))))
    rates = np.asarray(field(jnp.asarray(few.y0.T), jnp.asarray(few.args.T))).T
    reached = np.max(np.abs(rates) * span, axis=1)
    names = np.array([component.state for component in model.components])
    notes = []
    for name in dict.fromkeys(names):
        here = names == name
        if name in {*model.hidden, *model.derivatives} or few.y0[here].any():
            continue
        size = float(reached[here].max())
        if 0 < size < atol[name]:
            notes.append(
                f"solver.atol: {atol[name]:g} is above what {name}, 0 at t0, comes to "
                f"by t1 at its rate at t0, {size:.2g}, so that no tolerance controls {name}; give "
                f"it {advised_atol(size)} or less (solver.atol can be {{state: number}})"
            )
    return notes
