"""What a reader may set for a new trajectory: axes of the design, parameters, initial values."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from odeflow.config.root import Config
from odeflow.problem.axis_names import axis_attributes
from odeflow.report.live.stored import Stored
from odeflow.report.scales import is_log_axis
from odeflow.report.units import printed_units

#: A value that no axis varies may be made so many times smaller or larger by its slider.
_FACTOR = 4.0


class Quantity(NamedTuple):
    """One number of a trajectory.

    `name` is the model's or the dose's, `coordinate` what the dataset calls it where it is an axis
    of the design.
    """

    name: str
    coordinate: str | None
    label: str
    units: str
    low: float
    high: float
    value: float
    log: bool


def quantities(stored: Stored) -> list[Quantity]:
    """What may be set: the design's axes, as a trajectory in their middle has them, then the rest.

    Arguments:
        stored: the experiment.
    """
    config, row = stored.config, np.array([stored.middle])
    found = [_axis(stored, axis, float(stored.axis_values(axis, row)[0])) for axis in stored.axes]
    taken = {*(one.name for one in found), *config.design.set_by_conditions}
    return found + [one for one in _others(config) if one.name not in taken]


def by_coordinate(known: list[Quantity], values: Mapping[str, float]) -> dict[str, float]:
    """Values of the design's axes by the names that the dataset has for them."""
    return {one.coordinate: values[one.name] for one in known if one.coordinate is not None}


def to_solve(known: list[Quantity], values: Mapping[str, float]) -> dict[str, float]:
    """What a solver is given: all axes, and of the others those that are not as they were."""
    return {
        one.name: values[one.name]
        for one in known
        if one.coordinate is not None or values[one.name] != one.value
    }


def _axis(stored: Stored, axis: str, value: float) -> Quantity:
    low, high = stored.span(axis)
    attrs = stored.ensemble[axis].attrs
    if not low < high:
        low, high = _around(value)
    log = is_log_axis(axis, stored.config) and low > 0
    words, units = str(attrs.get("long_name", axis)), str(attrs.get("units", "1"))
    name = stored.axis_name(axis)
    return Quantity(name, axis, _label(words, axis), _units(units), low, high, value, log)


def _others(config: Config) -> list[Quantity]:
    """Parameters and scalar states with the values that the config gives them.

    What the model computes is left out: where something else changes, so does that.
    """
    model = config.model
    values = {name: float(one.value) for name, one in model.parameters.items()}
    values |= {n: float(s.initial_values) for n, s in model.states.items() if not s.shape}
    found = []
    for name, value in values.items():
        if name in (model.computed or {}) or name in model.initial_functions:
            continue
        attrs = axis_attributes(name, model)
        low, high = _around(value)
        label = _label(str(attrs["long_name"]), name)
        units = _units(str(attrs["units"]))
        found.append(Quantity(name, None, label, units, low, high, value, False))
    return found


def _around(value: float) -> tuple[float, float]:
    if value == 0:
        return 0.0, 1.0
    return (0.0, _FACTOR * value) if value > 0 else (_FACTOR * value, 0.0)


def _label(words: str, name: str) -> str:
    return words if words == name else f"{words}, {name}"


def _units(units: str) -> str:
    return "" if units in ("", "1") else printed_units(units)
