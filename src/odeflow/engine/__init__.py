"""The batch engines and the choice between them."""

from odeflow.engine.choice import EngineChoice, Resources, choose_engine, solve
from odeflow.engine.problem import (
    Guard,
    Jumps,
    JumpTargets,
    Lanes,
    Problem,
    Progress,
    Solution,
)
from odeflow.engine.reduction import Reduction

__all__ = [
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
    "choose_engine",
    "solve",
]
