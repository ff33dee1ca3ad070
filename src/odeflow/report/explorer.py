"""What the interactive part of a page is given: columns of numbers and thinned time courses."""

import base64
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from markupsafe import Markup

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.report.ranks import flat_axis
from odeflow.report.scales import dust_of, is_log_axis, is_log_time, value_scale
from odeflow.report.selection import scalar_variables, shown_metric
from odeflow.report.units import with_units

#: Points of the design, columns of metrics, times of a course, and numbers of all courses.
_MOST_POINTS, _MOST_METRICS, _MOST_TIMES, _MOST_NUMBERS = 4096, 10, 200, 500_000
#: Courses are read one by one from what is larger than this, bytes, and then they are few.
_LARGEST_READ, _FEW = 2 * 2**30, 100
#: Parts of a variable's range; the last one stands for no value.
_PARTS = 65_535


class Explorer(NamedTuple):
    """The data as JSON that may stand in a page, and a sentence on what was left out."""

    data: Markup
    note: str


def explorer(config: Config, ensemble: xr.Dataset, summary: xr.Dataset) -> Explorer | None:
    """What a reader explores; None where there is one trajectory or no time course.

    Arguments:
        config: the experiment.
        ensemble: its trajectories, maybe opened lazily.
        summary: its metrics.
    """
    variables = scalar_variables(ensemble, config)
    axes = design_axes(ensemble)
    total = ensemble["status"].size
    if not variables or not axes or total < 2 or ensemble.sizes["time"] < 2:
        return None
    points = _spread(ensemble, _MOST_POINTS)
    times = np.arange(ensemble.sizes["time"])[:: -(-ensemble.sizes["time"] // _MOST_TIMES)]
    most = max(_MOST_NUMBERS // (len(times) * len(variables)), 1)
    if ensemble[variables[0]].nbytes > _LARGEST_READ:
        most = min(most, _FEW)
    courses = _spread(ensemble, most)
    courses = {dim: places[np.isin(places, points[dim])] for dim, places in courses.items()}
    numbers, of_courses = (_numbers(ensemble, places) for places in (points, courses))
    metric = shown_metric(summary, config)
    columns = [_axis(config, ensemble, name, numbers) for name in axes]
    columns += _metrics(ensemble, summary, metric, numbers)
    names = [column["name"] for column in columns]
    is_map = len(axes) == 2 and design_dims(ensemble) == tuple(axes) and metric in names
    data = {
        "time": _time(config, ensemble, times),
        "columns": columns,
        "variables": [_variable(config, ensemble, name, courses, times) for name in variables],
        "numbers": numbers.tolist(),
        "courses": np.searchsorted(numbers, of_courses).tolist(),
        "shown": {
            "x": names[0],
            "y": names[1] if is_map or metric not in names else metric,
            "colour": metric if is_map else None,
        },
    }
    # `<` could end the element that the text is in
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Explorer(Markup(text), _note(total, len(numbers), len(of_courses), len(times), ensemble))


def _note(total: int, points: int, courses: int, times: int, ensemble: xr.Dataset) -> str:
    whole = ensemble.sizes["time"]
    if points == courses == total and times == whole:
        return f"All {total:,} trajectories, at all {whole:,} saved times."
    of = lambda part, whole: f"all {whole:,}" if part == whole else f"{part:,} of {whole:,}"
    return (
        f"Shown are {of(points, total)} trajectories as points, {of(courses, total)} as time "
        f"courses, at {of(times, whole)} saved times: thinned evenly, to keep this page small. "
        "The dataset has all of them."
    )


def _spread(ensemble: xr.Dataset, most: int) -> dict[str, np.ndarray]:
    """Places along each dimension of the design, evenly: of `most` trajectories or fewer."""
    sizes = {dim: ensemble.sizes[dim] for dim in design_dims(ensemble)}
    strides = dict.fromkeys(sizes, 1)
    count = lambda dim: -(-sizes[dim] // strides[dim])
    while np.prod([count(dim) for dim in sizes]) > most:
        widest = max(sizes, key=count)
        strides[widest] *= 2  # so that fewer are among more
        if len(sizes) == 1:
            strides[widest] = 2 ** int(np.ceil(np.log2(sizes[widest] / most)))
    return {dim: np.arange(size)[:: strides[dim]] for dim, size in sizes.items()}


def _numbers(ensemble: xr.Dataset, places: dict[str, np.ndarray]) -> np.ndarray:
    """The design's rows at those places."""
    dims = design_dims(ensemble)
    grid = np.meshgrid(*(places[dim] for dim in dims), indexing="ij")
    return np.ravel_multi_index(grid, [ensemble.sizes[dim] for dim in dims]).ravel()


def _axis(config: Config, ensemble: xr.Dataset, name: str, numbers: np.ndarray) -> dict[str, Any]:
    column = _column(name, ensemble[name], flat_axis(ensemble, name)[numbers])
    levels = ensemble.sizes[name] if name in ensemble.dims else 0
    return {**column, "axis": True, "levels": levels, "log": is_log_axis(name, config)}


def _metrics(
    ensemble: xr.Dataset, summary: xr.Dataset, shown: str | None, numbers: np.ndarray
) -> Iterable[dict[str, Any]]:
    """The metric of the figures first, then the others and the steps."""
    dims = summary["status"].dims
    known = [str(n) for n, v in summary.items() if v.dims == dims and n != "status"]
    order = sorted(known, key=lambda name: name != shown)[: _MOST_METRICS - 1]
    for array in (*(summary[name] for name in order), ensemble["num_steps"]):
        values = array.transpose(*design_dims(ensemble)).values.ravel()[numbers]
        if np.isfinite(values.astype(float)).any():
            yield {**_column(str(array.name), array, values), "log": False}


def _column(name: str, array: xr.DataArray, values: np.ndarray) -> dict[str, Any]:
    with np.errstate(over="ignore"):
        numbers = values.astype("<f4")
    return {"name": name, "label": with_units(array), "data": _base64(numbers)}


def _variable(
    config: Config,
    ensemble: xr.Dataset,
    name: str,
    courses: dict[str, np.ndarray],
    times: np.ndarray,
) -> dict[str, Any]:
    """A variable's courses as parts of its range, of its logarithm where it is drawn so."""
    values = _read(ensemble[name], courses, times)
    scale = value_scale(values, dust_of(name, config), config.plot.scale_of(name))
    log = scale.kind == "log"
    if log:
        values = np.where(values < scale.floor, scale.floor, values)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if not high > low:
        low, high = (low / 2, low * 2) if log else (low - (abs(low) or 1), low + (abs(low) or 1))
    with np.errstate(all="ignore"):
        part = np.log(values / low) / np.log(high / low) if log else (values - low) / (high - low)
    known = np.isfinite(part)
    parts = np.full(part.shape, _PARTS, "<u2")
    parts[known] = np.rint(np.clip(part[known], 0, 1) * (_PARTS - 1))
    return {
        "name": name, "label": with_units(ensemble[name]), "low": float(low), "high": float(high),
        "log": log, "data": _base64(parts),
    }  # fmt: skip


def _read(array: xr.DataArray, courses: dict[str, np.ndarray], times: np.ndarray) -> np.ndarray:
    """Rows of courses. Even strides, which a file gives at once; one by one from a large file."""
    if array.nbytes > _LARGEST_READ:
        dims = tuple(courses)
        rows = np.stack([g.ravel() for g in np.meshgrid(*courses.values(), indexing="ij")], -1)
        return np.stack([array.isel(dict(zip(dims, map(int, row)))).values[times] for row in rows])
    slices = {dim: slice(None, None, _stride(places)) for dim, places in courses.items()}
    values = array.isel(slices | {"time": slice(None, None, _stride(times))})
    return values.transpose(*courses, "time").values.reshape(-1, len(times))


def _stride(places: np.ndarray) -> int:
    return int(places[1] - places[0]) if len(places) > 1 else 1 << 40


def _time(config: Config, ensemble: xr.Dataset, places: np.ndarray) -> dict[str, Any]:
    time = ensemble["time"]
    values = time.values[places].astype(float)
    return {"label": with_units(time), "values": values.tolist(), "log": is_log_time(time, config)}


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
