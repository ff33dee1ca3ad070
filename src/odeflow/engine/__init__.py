"""The batch engines and the choice between them."""

from odeflow.engine.choice import EngineChoice, Resources, choose_engine, solve
from odeflow.engine.problem import Lanes, Problem, Progress, Solution
from odeflow.engine.reduction import Reduction

__all__ = [
    "EngineChoice",
    "Lanes",
    "Problem",
    "Progress",
    "Reduction",
    "Resources",
    "Solution",
    "choose_engine",
    "solve",
]
