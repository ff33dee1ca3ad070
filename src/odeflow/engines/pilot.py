"""The lanes by which a method is chosen, and what they stand for."""

from collections.abc import Callable
from dataclasses import dataclass

from odeflow.engines.choice import Resources
from odeflow.problem.problem import Lanes


@dataclass(frozen=True)
class Pilot:
    """Lanes, and how many trajectories they stand for: infinity where there may be ever more."""

    lanes: Lanes
    trajectories: float


#: Makes a pilot; None where there are no lanes that any chunk would take.
PilotMaker = Callable[[Resources], Pilot | None]
