"""A metric over one or two axes of the design."""

from collections.abc import Mapping, Sequence

import numpy as np

from odeflow.report.live.drawn_axes import design_axis, thinned
from odeflow.report.live.parts import parts
from odeflow.report.live.picture import CellMap, Marks, Picture, PictureAxis, Points
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved, metric_of
from odeflow.report.live.stored import Stored
from odeflow.report.scales import metric_dust, value_scale
from odeflow.report.units import with_units

#: Points and cells of a picture.
_POINTS, _CELLS = 5000, 20_000


def metric_picture(stored: Stored, selection: Selection) -> Picture:
    """Cells of a grid, else points."""
    metric, (first, *rest) = selection.metric, selection.axes
    assert metric is not None and stored.summary is not None
    rows = stored.rows(selection, _CELLS if rest else _POINTS)
    values = stored.metric(metric, rows.numbers)
    known = values[np.isfinite(values)]
    log = selection.log_values
    asked = "auto" if log is None else "log" if log else "linear"
    scale = value_scale(known, metric_dust(metric, stored.config), asked)
    measured = PictureAxis(with_units(stored.summary[metric]), scale.kind == "log", scale.floor)
    x = design_axis(stored, first)
    over = stored.axis_values(first, rows.numbers)
    note = thinned(len(rows.numbers), rows.total)
    if not rest:
        found = []
        for number, part in enumerate(parts(stored, selection, _POINTS)):
            own = part.rows.numbers
            y = measured.shown(stored.metric(metric, own))
            at = stored.axis_values(first, own)
            found.append(Points("stored", at, y, None, part.name, number))
        return Picture(metric, x, measured, points=found, note=note)
    y, up = design_axis(stored, rest[0]), stored.axis_values(rest[0], rows.numbers)
    if first in stored.dims and rest[0] in stored.dims:
        cells = _grid_cells(over, up, values)
        held = [dim for dim in stored.dims if dim not in (first, rest[0])]
        free = [dim for dim in held if len(stored.levels_inside(dim, selection)) > 1]
        note = f"The mean over {' and '.join(free)}." if free else ""
        return Picture(metric, x, y, cells=cells, colour=measured, note=note)
    shown = Points("stored", over, up, measured.shown(values))
    return Picture(metric, x, y, points=[shown], colour=measured, note=note)


def _grid_cells(x: np.ndarray, y: np.ndarray, values: np.ndarray) -> CellMap:
    """The mean over whatever else varies."""
    across, i = np.unique(x, return_inverse=True)
    up, j = np.unique(y, return_inverse=True)
    known = np.isfinite(values)
    total, number = np.zeros((len(up), len(across))), np.zeros((len(up), len(across)))
    np.add.at(total, (j[known], i[known]), values[known])
    np.add.at(number, (j[known], i[known]), 1)
    with np.errstate(invalid="ignore"):
        return CellMap(across, up, total / number)


def metric_marks(
    stored: Stored, selection: Selection, solved: Sequence[Solved], values: Mapping[str, float]
) -> Marks:
    """The metric of what is solved."""
    first, *rest = selection.axes
    assert selection.metric is not None
    if first not in values or any(axis not in values for axis in rest):
        return Marks([], [])
    points = []
    for number, (name, one) in enumerate(solved):
        found = np.array([metric_of(stored, selection.metric, one)])
        up = np.array([values[rest[0]]]) if rest else found
        colour = found if rest else None
        points.append(Points("solved", np.array([values[first]]), up, colour, name, number))
    return Marks([], points)
