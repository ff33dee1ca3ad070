"""The pictures of a selection: what is stored of it, and where what is solved lies on that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from odeflow.config.metrics import TimeCourses, metric_function, wanted_metrics
from odeflow.design import CONDITION
from odeflow.ensemble.one_trajectory import OneTrajectory
from odeflow.report.live.picture import Axis, Band, Cells, Line, Marks, Picture, Points
from odeflow.report.live.selection import Selection
from odeflow.report.live.stored import Rows, Stored
from odeflow.report.scales import dust_of, is_log_axis, metric_dust, value_scale
from odeflow.report.units import with_units

#: Trajectories that a band is of, single ones beside it, points and cells of a picture.
_OF_BAND, _SINGLE, _POINTS, _CELLS = 400, 30, 5000, 20_000
#: Where the edges of a band are, per cent.
_EDGES = (5, 50, 95)
#: Ends the key of a panel of what is stored, where another one has what is solved.
_STORED = " stored"
#: Groups that can be told apart.
MOST_GROUPS = 7


class Solved(NamedTuple):
    """A trajectory that was just solved, and the condition that it is under, if any."""

    name: str
    trajectory: OneTrajectory


class Part(NamedTuple):
    """Rows of a group, with its name."""

    name: str
    rows: Rows


def pictures(stored: Stored, selection: Selection) -> list[Picture]:
    """What is stored of a selection, one picture for each panel.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
    """
    match selection.view:
        case "courses":
            return [_courses(stored, selection, name) for name in selection.variables]
        case "phase":
            return [_phase(stored, selection)] if len(selection.variables) > 1 else []
        case "metric":
            return [_metric(stored, selection)] if selection.metric and selection.axes else []
        case "space":
            return _space(stored, selection) if selection.variables else []


def marks(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    values: Mapping[str, float],
    nearest: int | None,
) -> Marks:
    """What is solved, on one of the pictures.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
        picture: one of `pictures`.
        solved: trajectories, one for each condition that is shown.
        values: what is set, by coordinate of the design.
        nearest: the row of the stored trajectory that is nearest to that.
    """
    match selection.view:
        case "courses":
            lines = [] if nearest is None else [_nearest(stored, selection, picture, nearest)]
            for number, (name, one) in enumerate(solved):
                y = _at_place(stored, selection, picture.key, one)
                lines.append(Line("solved", one.times, picture.y.shown(y), name, number))
            return Marks(lines, [])
        case "phase":
            return _phase_marks(stored, selection, picture, solved, nearest)
        case "metric":
            return _metric_marks(stored, selection, solved, values)
        case "space":
            return Marks([], [], _space_cells(stored, selection, picture, solved, nearest))


def metric_of(stored: Stored, name: str, one: OneTrajectory) -> float:
    """A metric of a trajectory that was solved; NaN where it failed or the metric is another's."""
    if one.status.is_failure:
        return float("nan")
    if name in one.metrics:
        return float(one.metrics[name])
    for variable, values in one.values.items():
        wanted = wanted_metrics(stored.config.summary, variable)
        metric = name.removeprefix(f"{variable}_")
        if name == f"{variable}_{metric}" and metric in wanted and values.ndim == 1:
            with np.errstate(invalid="ignore"):
                course = TimeCourses(np.asarray(values, float), one.times)
                return float(metric_function(metric, wanted[metric])(course))
    return float("nan")


def parts(stored: Stored, selection: Selection, most: int) -> list[Part]:
    """The rows of a selection in groups: of a coordinate, else of the conditions, else one.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
        most: rows of all groups together, at most.
    """
    rows = stored.rows(selection, most)
    group = selection.group
    if group is None and selection.condition is None and 1 < len(stored.conditions) <= MOST_GROUPS:
        group = CONDITION
    if group is None:
        return [Part("", rows)]
    numbers = (
        stored.ensemble[CONDITION].values[rows.numbers]
        if group == CONDITION
        else stored.axis_values(group, rows.numbers)
    )
    levels = np.unique(numbers)[:MOST_GROUPS]
    words = stored.level_words(group, list(levels))
    share = rows.total / max(len(rows.numbers), 1)
    found = []
    for word, level in zip(words, levels):
        own = rows.numbers[numbers == level]
        found.append(Part(word, Rows(own, round(len(own) * share))))
    return found


def _courses(stored: Stored, selection: Selection, name: str) -> Picture:
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
    y = _values_axis(stored, selection, name, drawn)
    total = sum(part.rows.total for part in grouped)
    return Picture(
        name,
        _time(stored, selection),
        y,
        [b._replace(low=y.shown(b.low), high=y.shown(b.high)) for b in bands],
        [line._replace(y=y.shown(line.y)) for line in lines],
        title=_place_words(stored, selection, name),
        note=_thinned(read, total),
    )


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


def _phase(stored: Stored, selection: Selection) -> Picture:
    across, up = selection.variables[:2]
    most = min(stored.most_courses(name, _SINGLE * 2) for name in (across, up))
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
    axes = [_values_axis(stored, selection, n, v) for n, v in ((across, xs), (up, ys))]
    lines = [line._replace(x=axes[0].shown(line.x), y=axes[1].shown(line.y)) for line in lines]
    total = sum(part.rows.total for part in grouped)
    return Picture(
        f"{across} {up}", axes[0], axes[1], lines=lines, note=_thinned(len(lines), total)
    )


def _phase_marks(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    nearest: int | None,
) -> Marks:
    names = selection.variables[:2]
    lines, points = [], []
    if nearest is not None:
        row = np.array([nearest])
        x, y = (stored.courses(name, row, selection.places)[0] for name in names)
        lines.append(Line("nearest", picture.x.shown(x), picture.y.shown(y), "nearest stored"))
    for number, (name, one) in enumerate(solved):
        x, y = (_at_place(stored, selection, variable, one) for variable in names)
        lines.append(Line("solved", picture.x.shown(x), picture.y.shown(y), name, number))
        points.append(Points("solved", x[:1], y[:1], name="start", number=number))
    return Marks(lines, points)


def _metric(stored: Stored, selection: Selection) -> Picture:
    metric, (first, *rest) = selection.metric, selection.axes
    assert metric is not None and stored.summary is not None
    rows = stored.rows(selection, _CELLS if rest else _POINTS)
    values = stored.metric(metric, rows.numbers)
    known = values[np.isfinite(values)]
    log = selection.log_values
    asked = "auto" if log is None else "log" if log else "linear"
    scale = value_scale(known, metric_dust(metric, stored.config), asked)
    measured = Axis(with_units(stored.summary[metric]), scale.kind == "log", scale.floor)
    x = _design_axis(stored, first)
    over = stored.axis_values(first, rows.numbers)
    note = _thinned(len(rows.numbers), rows.total)
    if not rest:
        found = []
        for number, part in enumerate(parts(stored, selection, _POINTS)):
            own = part.rows.numbers
            y = measured.shown(stored.metric(metric, own))
            at = stored.axis_values(first, own)
            found.append(Points("stored", at, y, None, part.name, number))
        return Picture(metric, x, measured, points=found, note=note)
    y, up = _design_axis(stored, rest[0]), stored.axis_values(rest[0], rows.numbers)
    if first in stored.dims and rest[0] in stored.dims:
        cells = _grid_cells(over, up, values)
        held = [dim for dim in stored.dims if dim not in (first, rest[0])]
        free = [dim for dim in held if len(stored.levels_inside(dim, selection)) > 1]
        note = f"The mean over {' and '.join(free)}." if free else ""
        return Picture(metric, x, y, cells=cells, colour=measured, note=note)
    shown = Points("stored", over, up, measured.shown(values))
    return Picture(metric, x, y, points=[shown], colour=measured, note=note)


def _grid_cells(x: np.ndarray, y: np.ndarray, values: np.ndarray) -> Cells:
    """The mean over whatever else varies."""
    across, i = np.unique(x, return_inverse=True)
    up, j = np.unique(y, return_inverse=True)
    known = np.isfinite(values)
    total, number = np.zeros((len(up), len(across))), np.zeros((len(up), len(across)))
    np.add.at(total, (j[known], i[known]), values[known])
    np.add.at(number, (j[known], i[known]), 1)
    with np.errstate(invalid="ignore"):
        return Cells(across, up, total / number)


def _metric_marks(
    stored: Stored, selection: Selection, solved: Sequence[Solved], values: Mapping[str, float]
) -> Marks:
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


def _space(stored: Stored, selection: Selection) -> list[Picture]:
    """Panels of what is solved and of the stored trajectory that is nearest to it."""
    name = selection.variables[0]
    y = Axis(f"{' and '.join(stored.places_of(name))} (number)")
    colour, time = Axis(with_units(stored.ensemble[name])), _time(stored, selection)
    return [
        Picture(name, time._replace(log=False), y, colour=colour, title="solved now"),
        Picture(f"{name}{_STORED}", time._replace(log=False), y, colour=colour,
                title="nearest stored"),
    ]  # fmt: skip


def _space_cells(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    nearest: int | None,
) -> Cells | None:
    name = selection.variables[0]
    if picture.key.endswith(_STORED):
        values = None if nearest is None else stored.courses(name, np.array([nearest]))[0]
    else:
        values = solved[0].trajectory.values[name] if solved else None
    if values is None:
        return None
    flat = values.reshape(len(values), -1)
    return Cells(stored.times, np.arange(flat.shape[1], dtype=float), flat.T)


def _nearest(stored: Stored, selection: Selection, picture: Picture, row: int) -> Line:
    y = stored.courses(picture.key, np.array([row]), selection.places)[0]
    return Line("nearest", stored.times, picture.y.shown(y), "nearest stored")


def _at_place(stored: Stored, selection: Selection, name: str, one: OneTrajectory) -> np.ndarray:
    places = tuple(selection.places.get(dim, 0) for dim in stored.places_of(name))
    return one.values[name][(slice(None), *places)]


def _time(stored: Stored, selection: Selection) -> Axis:
    times = stored.times
    positive = times[times > 0]
    log = selection.log_time and bool(positive.size)
    return Axis(with_units(stored.ensemble["time"]), log, float(positive.min()) if log else 0.0)


def _values_axis(stored: Stored, selection: Selection, name: str, drawn: np.ndarray) -> Axis:
    asked = "auto" if selection.log_values is None else "log" if selection.log_values else "linear"
    scale = value_scale(drawn, dust_of(name, stored.config), asked)
    return Axis(with_units(stored.ensemble[name]), scale.kind == "log", scale.floor)


def _design_axis(stored: Stored, axis: str) -> Axis:
    low, _ = stored.span(axis)
    return Axis(with_units(stored.ensemble[axis]), is_log_axis(axis, stored.config) and low > 0)


def _place_words(stored: Stored, selection: Selection, name: str) -> str:
    places = stored.places_of(name)
    return ", ".join(f"{dim} {selection.places.get(dim, 0)}" for dim in places)


def _thinned(read: int, total: int) -> str:
    return "" if read >= total else f"{read:,} of {total:,} stored trajectories, evenly thinned"
