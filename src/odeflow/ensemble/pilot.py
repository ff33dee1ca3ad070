"""The lanes by which `solver.method: auto` chooses: rows of the design, the same for any chunk.

What a chunk's folder is named by decides them. So of a design that can go on they are first rows,
however many there may be, and of a table, whose rows are not in that name, there are none.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from odeflow.config.design import SEQUENTIAL
from odeflow.design import number_of_samples, rows
from odeflow.engines.choice import Resources
from odeflow.engines.pilot import Pilot, PilotMaker
from odeflow.ensemble.build import Axes, Built

#: Lanes of one vector.
_LANES = 8


#: Gives axes what trajectories start from, where that is found before.
Started = Callable[[Axes, Resources], Axes]


def pilot_of(built: Built, study: Path, started: Started) -> PilotMaker:
    """What makes the pilot of a built experiment."""

    def pilot_at(axes: Axes, trajectories: float, resources: Resources) -> Pilot:
        return Pilot(built.lanes(started(axes, resources), resources), trajectories)

    def pilot(resources: Resources) -> Pilot | None:
        design = built.config.design
        if design.kind == "table":
            return None
        if design.kind in SEQUENTIAL:
            first = design.model_copy(update={"size": _LANES})
            return pilot_at(rows(first, 0, _LANES, study), math.inf, resources)
        number = number_of_samples(design, study)
        if design.random_effects is not None:  # later subjects may be left out
            return pilot_at(rows(design, 0, 1, study), math.inf, resources)
        places = np.unique(np.linspace(0, number - 1, min(_LANES, number)).astype(int))
        parts = [rows(design, int(place), int(place) + 1, study) for place in places]
        axes = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        return pilot_at(axes, number, resources)

    return pilot
