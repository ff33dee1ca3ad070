"""Derivatives of metrics along a parameter, from saved courses and their derivatives."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.analysis.outputs import SAMPLE, Samples
from odeflow.config.metrics import METRICS, WITHOUT_SLOPE, TimeCourses
from odeflow.config.summary import SummaryConfig
from odeflow.config.wanted import wanted_metrics

Course = Float[np.ndarray, "time sample"]


class MetricOf(NamedTuple):
    """A metric of the summary: its variable, its name, its threshold if it has one."""

    variable: str
    metric: str
    threshold: float | None


def metrics_with_slopes(ensemble: xr.Dataset, summary: SummaryConfig) -> dict[str, MetricOf]:
    """The metrics of scalar variables that have a derivative, by their names in the summary.

    Arguments:
        ensemble: `ensemble.nc`, opened.
        summary: what metrics there are.

    Returns:
        What each is of. Metrics that were reduced while solving are none of them: saved times are
        not all that they are of.
    """
    found = {}
    for variable, array in ensemble.items():
        if set(array.dims) != {SAMPLE, "time"} or "derivative_of" in array.attrs:
            continue
        for ending, wanted in wanted_metrics(summary, str(variable)).items():
            name, metric = f"{variable}_{ending}", wanted.metric
            has_slope = wanted.threshold is not None or metric in METRICS
            if has_slope and metric not in WITHOUT_SLOPE and name not in ensemble:
                found[name] = MetricOf(str(variable), metric, wanted.threshold)
    return found


def metric_slope(
    metric: str,
    threshold: float | None,
    y: Course,
    slope: Course,
    t: Float[np.ndarray, " time"],
) -> Float[np.ndarray, " sample"]:
    """The derivative of a metric along a parameter.

    Arguments:
        metric: its name, not one of `WITHOUT_SLOPE`.
        threshold: of a first time, else None.
        y: the courses at the saved times.
        slope: their derivatives along the parameter.
        t: the saved times.

    Returns:
        Derivatives; NaN where the metric has no value.
    """
    if threshold is not None:
        return _first_time_slope(y - threshold, slope, t, metric == "first_time_above")
    match metric:
        case "final":
            return slope[-1]
        case "mean":
            return TimeCourses(slope, t).mean
        case "integral":
            return TimeCourses(slope, t).integral
        case "min":
            return _at(slope, np.argmin(y, axis=0))
        case "max":
            return _at(slope, np.argmax(y, axis=0))
        case _:  # amplitude
            return _at(slope, np.argmax(y, axis=0)) - _at(slope, np.argmin(y, axis=0))


def _first_time_slope(
    distance: Course, slope: Course, t: Float[np.ndarray, " time"], above: bool
) -> Float[np.ndarray, " sample"]:
    """Of the linear interpolation between the saved times around the passage."""
    beyond = distance > 0 if above else distance < 0
    index = np.argmax(beyond, axis=0)
    before = np.maximum(index - 1, 0)
    d0, d1, s0, s1 = (_at(x, p) for x in (distance, slope) for p in (before, index))
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = (s1 * d0 - s0 * d1) / (d1 - d0) ** 2 * (t[index] - t[before])
    moved = np.where(index == 0, 0.0, moved)  # beyond from the start
    return np.where(beyond.any(axis=0), moved, np.nan)


def _at(values: Course, place: np.ndarray) -> np.ndarray:
    """The value of each sample at a place in its course."""
    return np.take_along_axis(values, place[None], axis=0)[0]


class MetricSlopes:
    """Reads derivatives of metrics along one axis, beside a `Reader` of these metrics."""

    def __init__(
        self,
        samples: Samples,
        ensemble: xr.Dataset,
        metrics: list[MetricOf],
        slope_names: Mapping[str, str],
    ):
        self._samples, self._metrics = samples, metrics
        self._time = ensemble["time"].values.astype(float)
        names = dict.fromkeys(one.variable for one in metrics)
        self._courses = {
            name: [ensemble[one].transpose(SAMPLE, "time") for one in (name, slope_names[name])]
            for name in names
        }
        #: Numbers that are read of each set of the axes' values.
        self.width = samples.runs * 2 * len(names) * math.prod(self._time.shape)

    def read(self, first: int, last: int) -> np.ndarray:
        """Derivatives of sets first..last, (set, output), NaN where a trajectory failed."""
        rows = slice(first * self._samples.runs, last * self._samples.runs)
        read = {
            name: [one[rows].values.astype(float).T for one in both]
            for name, both in self._courses.items()
        }
        each = []
        for variable, metric, threshold in self._metrics:
            y, slope = read[variable]
            each.append(metric_slope(metric, threshold, y, slope, self._time))
        found = np.stack(each, axis=1)
        found[self._samples.failed[rows]] = np.nan
        return found.reshape(last - first, -1)
