"""States that start below `solver.atol`, which then controls nothing while they are that small.

A tolerance of 1e-8 for an amount of 2e-12 permits any value that is not seen beside 1e-8. The
remedy is a smaller tolerance, never a looser one.
"""

from collections.abc import Mapping

import numpy as np

from odeflow.config.root import Config
from odeflow.config.solver import SolverConfig

#: What is advised: this part of the initial value.
_PART = 1e-6


def start_sizes(config: Config, axes: Mapping[str, float]) -> dict[str, float]:
    """The size of each state at t0, |y| or the largest of an array, where known and not 0.

    `axes` are the values of a sample's axes, of which those named as states are initial values.
    """
    sizes = {name: _size(state.initial_values) for name, state in config.model.states.items()}
    sizes |= {name: abs(axes[name]) for name in sizes if name in axes}
    return {name: size for name, size in sizes.items() if size > 0}


def below_atol(solver: SolverConfig, sizes: Mapping[str, float]) -> list[str]:
    """The states among them that start below their absolute tolerance; none for constant steps."""
    if solver.stepsize_controller == "constant":
        return []
    return [name for name, size in sizes.items() if size < _atol(solver, name)]


def advised_atol(size: float) -> str:
    """A tolerance for a state of that size."""
    return f"{10 ** np.floor(np.log10(_PART * size)):.0e}"


def small_state_notes(config: Config) -> list[str]:
    """A line for each state that starts below its tolerance; an axis' states are left out."""
    # those that are found at t0 start elsewhere than their initial values say
    found = config.model.algebraic if config.model.free is None else config.model.free
    varied = {*config.design.axes, *found}
    sizes = {k: v for k, v in start_sizes(config, {}).items() if k not in varied}
    return [
        f"solver.atol: {_atol(config.solver, name):g} is above the initial value of {name}, "
        f"{sizes[name]:g}, so that no tolerance controls {name} while it is that small; give it "
        f"{advised_atol(sizes[name])} or less (solver.atol can be {{state: number}})"
        for name in below_atol(config.solver, sizes)
    ]


def _atol(solver: SolverConfig, state: str) -> float:
    return solver.tolerances([state]).atol.get(state, 0.0)


def _size(initial: np.ndarray) -> float:
    return float(np.max(np.abs(initial)))
