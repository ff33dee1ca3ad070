"""The batch engines, the choice between them, and further attempts at what failed.

A `Problem` and `Lanes` come in, a `Solution` goes out. `diffrax` is the reference, `native` the
fast one, `shared` what both follow. No engine reads or writes a result, or knows what a design, a
chunk or a dataset is.
"""

from odeflow.engines.choice import (
    Device,
    EngineChoice,
    Resources,
    Wanted,
    choose_engine,
    missing_device,
    solve,
)
from odeflow.engines.shared.watch import counted_before
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
