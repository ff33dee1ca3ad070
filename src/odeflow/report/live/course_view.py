"""Time courses: a band and a median of what is stored, single trajectories, and what is solved."""

from collections.abc import Sequence

import numpy as np

from odeflow.report.live.drawn_axes import at_place, thinned, time_axis, values_axis
from odeflow.report.live.parts import parts
from odeflow.report.live.picture import Band, Line, Marks, Picture
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved
from odeflow.report.live.stored import Stored

#: Trajectories that a band is of, and single ones beside it.
_OF_BAND, _SINGLE = 400, 30
#: Where the edges of a band are, per cent.
_EDGES = (5, 50, 95)


def course_picture(stored: Stored, selection: Selection, name: str) -> Picture:
    """What is stored of a variable."""
    most = stored.most_courses(name, _OF_BAND)
    bands, lines, seen, read = [], [], [], 0
    grouped = parts(stored, selection, most)
    for number, part in enumerate(grouped):
        rows = stored.succeeded(part.rows.numbers)
        values = stored.courses(name, rows, selection.places)
        read += len(rows)
        if not len(values):
            continue
        low, middle, high = _spread(values)
        whole = _whole_quantiles(stored, selection, name) if len(grouped) == 1 else None
        low, middle, high = whole or (low, middle, high)
        bands.append(Band(stored.times, low, high, part.name, number))
        lines.append(Line("median", stored.times, middle, part.name, number))
        if len(grouped) == 1:
            step = max(len(values) // _SINGLE, 1)
            lines += [Line("stored", stored.times, y) for y in values[::step][:_SINGLE]]
        seen.append(values.ravel())
    drawn = np.concatenate(seen) if seen else np.empty(0)
    y = values_axis(stored, selection, name, drawn)
    total = sum(part.rows.total for part in grouped)
    return Picture(
        name,
        time_axis(stored, selection),
        y,
        [b._replace(low=y.shown(b.low), high=y.shown(b.high)) for b in bands],
        [line._replace(y=y.shown(line.y)) for line in lines],
        title=_place_words(stored, selection, name),
        note=thinned(read, total),
    )


def course_marks(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    nearest: int | None,
) -> Marks:
    """What is solved, and the stored trajectory that is nearest to what is set."""
    lines = [] if nearest is None else [_nearest(stored, selection, picture, nearest)]
    for number, (name, one) in enumerate(solved):
        y = at_place(stored, selection, picture.key, one)
        lines.append(Line("solved", one.times, picture.y.shown(y), name, number))
    return Marks(lines, [])


def _whole_quantiles(
    stored: Stored, selection: Selection, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Quantiles over all trajectories, where the summary has them and nothing is left out."""
    if stored.summary is None or selection.slices or selection.condition is not None:
        return None
    if f"{name}_quantiles" not in stored.summary or stored.places_of(name):
        return None
    quantiles = stored.summary[f"{name}_quantiles"]
    levels = quantiles["quantile"].values.tolist()
    if not all(percent / 100 in levels for percent in _EDGES):
        return None
    low, middle, high = (quantiles.sel(quantile=percent / 100).values for percent in _EDGES)
    return low, middle, high


def _spread(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values).any(axis=0)
    found = np.full((3, values.shape[1]), np.nan)
    if known.any():
        found[:, known] = np.nanpercentile(values[:, known], _EDGES, axis=0)
    return found


def _nearest(stored: Stored, selection: Selection, picture: Picture, row: int) -> Line:
    y = stored.courses(picture.key, np.array([row]), selection.places)[0]
    return Line("nearest", stored.times, picture.y.shown(y), "nearest stored")


def _place_words(stored: Stored, selection: Selection, name: str) -> str:
    places = stored.places_of(name)
    return ", ".join(f"{dim} {selection.places.get(dim, 0)}" for dim in places)
