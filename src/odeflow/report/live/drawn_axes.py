"""The axes of the live page's pictures, and the words about what is on them."""

import numpy as np

from odeflow.ensemble.one_trajectory import OneTrajectory
from odeflow.report.live.picture import PictureAxis
from odeflow.report.live.selection import Selection
from odeflow.report.live.stored import Stored
from odeflow.report.scales import dust_of, is_log_axis, value_scale
from odeflow.report.units import with_units


def time_axis(stored: Stored, selection: Selection) -> PictureAxis:
    """The axis of time."""
    times = stored.times
    positive = times[times > 0]
    log = selection.log_time and bool(positive.size)
    return PictureAxis(
        with_units(stored.ensemble["time"]), log, float(positive.min()) if log else 0.0
    )


def values_axis(stored: Stored, selection: Selection, name: str, drawn: np.ndarray) -> PictureAxis:
    """The axis of a variable, by the rule for these values unless one is asked for."""
    asked = "auto" if selection.log_values is None else "log" if selection.log_values else "linear"
    scale = value_scale(drawn, dust_of(name, stored.config), asked)
    return PictureAxis(with_units(stored.ensemble[name]), scale.kind == "log", scale.floor)


def design_axis(stored: Stored, axis: str) -> PictureAxis:
    """An axis of the design."""
    low, _ = stored.span(axis)
    return PictureAxis(
        with_units(stored.ensemble[axis]), is_log_axis(axis, stored.config) and low > 0
    )


def at_place(stored: Stored, selection: Selection, name: str, one: OneTrajectory) -> np.ndarray:
    """A variable of a trajectory that was solved, at the place that is chosen."""
    places = tuple(selection.places.get(dim, 0) for dim in stored.places_of(name))
    return one.values[name][(slice(None), *places)]


def thinned(read: int, total: int) -> str:
    """How many trajectories are drawn, where it is not all."""
    return "" if read >= total else f"{read:,} of {total:,} stored trajectories, evenly thinned"
