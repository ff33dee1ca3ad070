"""The batch engines and the choice between them."""

from odeflow.engine.choice import EngineChoice, Resources, choose_engine, solve
from odeflow.engine.problem import Lanes, Problem, Progress, Solution

__all__ = [
    "EngineChoice",
    "Lanes",
    "Problem",
    "Progress",
    "Resources",
    "Solution",
    "choose_engine",
    "solve",
]
