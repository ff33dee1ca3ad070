"""Steps that the error estimate let through although it means nothing there.

Where a step is far too long, the error estimate is a number among many: at a relative tolerance of
0.01 it is small by chance once in a hundred times. A step across the pole of a rate law (a
Michaelis-Menten substrate at -km, say) may then be kept, and what follows is the right solution of
another problem. Explicit methods at their limit of stability try such steps again and again.

A step is *wild* where both hold. Measured by the state before it alone its error is above
`MOST_GROWTH` tolerances: the tolerance that it met is the size of what it ended at. (A state that
goes through zero is small for a moment: it counts as `MOVED` of what its slope says that the step
changes it by, or oscillators were wild wherever a step begins near zero.) And the slopes
at its two ends do not explain the change, by more than `MOST_CURVATURE` of the state and the
changes that they stand for. At rtol `SAFE_RTOL` and below no step is looked at. A lane ends before
a wild step as `suspect`, and the retry ladder solves it again at `SAFE_RTOL`.
"""

from typing import Any

import jax.numpy as jnp

from odeflow.problem.solver import SAFE_RTOL, Solver

MOST_GROWTH, MOST_CURVATURE = 3.0, 0.05
#: What ends no larger than its slope says has not grown; with all of it, steps across poles pass.
MOVED = 1 / 3
#: Below this many absolute tolerances a state's size does not matter.
NOISE = 100.0


def looks_for_wild_steps(solver: Solver) -> bool:
    """Whether the tolerance is so loose that steps may be wild."""
    return solver.is_adaptive and solver.tolerances.rtol > SAFE_RTOL


def is_wild(
    rtol: float, atol: Any, change: Any, sizes: tuple[Any, Any], slopes: tuple[Any, Any], error: Any
) -> Any:
    """Whether a step is wild: vectors over the components of its change, the sizes |y| before and
    after it, the slopes there times its length, and the error estimate.
    """
    size = jnp.maximum(sizes[0], MOVED * jnp.abs(slopes[0]))
    growth = jnp.mean((error / (atol + rtol * size)) ** 2)
    explained = jnp.abs(change - 0.5 * (slopes[0] + slopes[1]))
    room = NOISE * atol + jnp.maximum(*sizes) + jnp.abs(slopes[0]) + jnp.abs(slopes[1])
    return (growth > MOST_GROWTH**2) & jnp.any(explained > MOST_CURVATURE * room)
