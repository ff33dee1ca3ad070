"""The batch engines and the choice between them."""

from odeflow.engines.choice import (
    Device,
    EngineChoice,
    Resources,
    Wanted,
    choose_engine,
    missing_device,
    solve,
)
from odeflow.engines.diffrax.events import counted_before
from odeflow.problem.problem import Guard, Jumps, JumpTargets, Lanes, Problem, Progress, Solution
from odeflow.problem.reductions import Reduction

__all__ = [
    "Device",
    "EngineChoice",
    "Guard",
    "JumpTargets",
    "Jumps",
    "Lanes",
    "Problem",
    "Progress",
    "Reduction",
    "Resources",
    "Solution",
    "Wanted",
    "choose_engine",
    "counted_before",
    "missing_device",
    "solve",
]
