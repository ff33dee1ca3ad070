"""Which engine runs a problem, and why."""

from typing import Literal, NamedTuple

from odeflow.config.base import ConfigError
from odeflow.engine import diffrax_engine
from odeflow.engine.problem import Lanes, Problem, Progress, Solution


class EngineChoice(NamedTuple):
    """The engine that runs, and the reason where it is not the one asked for first."""

    name: Literal["native", "diffrax"]
    reason: str = ""


def choose_engine(problem: Problem, wanted: Literal["auto", "native", "diffrax"]) -> EngineChoice:
    """The engine for a problem: the native one where `auto` or `native` asks and it applies.

    Raises ConfigError where `native` is demanded and cannot run the problem.
    """
    if wanted == "diffrax":
        return EngineChoice("diffrax", "runtime.engine is diffrax")
    refusal = "the native engine is not part of this version"
    if wanted == "native":
        raise ConfigError(f"runtime.engine: native cannot run this model: {refusal}; use auto")
    return EngineChoice("diffrax", refusal)


def solve(
    problem: Problem, lanes: Lanes, engine: EngineChoice, progress: Progress | None = None
) -> Solution:
    """Solves every lane with the engine chosen."""
    assert engine.name == "diffrax"
    return diffrax_engine.solve(problem, lanes, progress)
