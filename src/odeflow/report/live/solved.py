"""Trajectories that were solved, and their metrics."""

from typing import NamedTuple

import numpy as np

from odeflow.config.metrics import TimeCourses, metric_function
from odeflow.config.wanted import wanted_metrics
from odeflow.ensemble.one_trajectory import OneTrajectory
from odeflow.report.live.stored import Stored


class Solved(NamedTuple):
    """A trajectory that was just solved, and the condition that it is under, if any."""

    name: str
    trajectory: OneTrajectory


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
                function = metric_function(wanted[metric])
                return float("nan") if function is None else float(function(course))
    return float("nan")
