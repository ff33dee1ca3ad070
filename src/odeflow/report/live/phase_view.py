"""A phase portrait: one variable against another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from odeflow.report.live.drawn_axes import at_place, thinned, values_axis
from odeflow.report.live.parts import parts
from odeflow.report.live.picture import Line, Marks, Picture, Points
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved
from odeflow.report.live.stored import Stored

#: Single trajectories.
_SINGLE = 60


def phase_picture(stored: Stored, selection: Selection) -> Picture:
    """Some of the stored trajectories."""
    across, up = selection.variables[:2]
    most = min(stored.most_courses(name, _SINGLE) for name in (across, up))
    grouped = parts(stored, selection, most)
    lines, seen = [], []
    for number, part in enumerate(grouped):
        rows = stored.succeeded(part.rows.numbers)
        x, y = (stored.courses(name, rows, selection.places) for name in (across, up))
        for one, other in zip(x, y):
            lines.append(Line("stored", one, other, part.name, number))
        seen.append((x.ravel(), y.ravel()))
    xs, ys = (np.concatenate([pair[i] for pair in seen]) for i in (0, 1))
    if selection.log_values is None:  # shapes mean something on axes of one kind
        selection = replace(selection, log_values=False)
    axes = [values_axis(stored, selection, n, v) for n, v in ((across, xs), (up, ys))]
    lines = [line._replace(x=axes[0].shown(line.x), y=axes[1].shown(line.y)) for line in lines]
    total = sum(part.rows.total for part in grouped)
    return Picture(f"{across} {up}", axes[0], axes[1], lines=lines, note=thinned(len(lines), total))


def phase_marks(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    nearest: int | None,
) -> Marks:
    """What is solved with its start, and what is stored nearest to it."""
    names = selection.variables[:2]
    lines, points = [], []
    if nearest is not None:
        row = np.array([nearest])
        x, y = (stored.courses(name, row, selection.places)[0] for name in names)
        lines.append(Line("nearest", picture.x.shown(x), picture.y.shown(y), "nearest stored"))
    for number, (name, one) in enumerate(solved):
        x, y = (at_place(stored, selection, variable, one) for variable in names)
        lines.append(Line("solved", picture.x.shown(x), picture.y.shown(y), name, number))
        points.append(Points("solved", x[:1], y[:1], name="start", number=number))
    return Marks(lines, points)
