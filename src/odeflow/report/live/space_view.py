"""An array state over place and time."""

from collections.abc import Sequence

import numpy as np

from odeflow.report.live.drawn_axes import time_axis
from odeflow.report.live.picture import CellMap, Picture, PictureAxis
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved
from odeflow.report.live.stored import Stored
from odeflow.report.units import with_units

#: Ends the key of the panel of what is stored, beside that of what is solved.
_STORED = " stored"


def space_pictures(stored: Stored, selection: Selection) -> list[Picture]:
    """Panels of what is solved and of the stored trajectory that is nearest to it."""
    name = selection.variables[0]
    y = PictureAxis(f"{' and '.join(stored.places_of(name))} (number)")
    colour, time = PictureAxis(with_units(stored.ensemble[name])), time_axis(stored, selection)
    return [
        Picture(name, time._replace(log=False), y, colour=colour, title="solved now"),
        Picture(f"{name}{_STORED}", time._replace(log=False), y, colour=colour,
                title="nearest stored"),
    ]  # fmt: skip


def space_cells(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    nearest: int | None,
) -> CellMap | None:
    """What a panel shows; None where there is nothing."""
    name = selection.variables[0]
    if picture.key.endswith(_STORED):
        values = None if nearest is None else stored.courses(name, np.array([nearest]))[0]
    else:
        values = solved[0].trajectory.values[name] if solved else None
    if values is None:
        return None
    flat = values.reshape(len(values), -1)
    return CellMap(stored.times, np.arange(flat.shape[1], dtype=float), flat.T)
