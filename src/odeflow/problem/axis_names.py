"""What an axis of a design is called in a dataset, and what it is there."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np

from odeflow.files.flags import flag_attributes
from odeflow.problem.doses import Dose
from odeflow.problem.time_text import duration_units


@runtime_checkable
class Described(Protocol):
    """What has units and a long name."""

    @property
    def units(self) -> str:  # noqa: D102
        ...

    @property
    def long_name(self) -> str | None:  # noqa: D102
        ...


@runtime_checkable
class Named(Protocol):
    """What names states and parameters: a model's declaration, or its config."""

    @property
    def states(self) -> Mapping[str, Described]:  # noqa: D102
        ...

    @property
    def parameters(self) -> Mapping[str, Described]:  # noqa: D102
        ...

    @property
    def time_units(self) -> str:  # noqa: D102
        ...


#: Columns that come with conditions: the number of the condition, and that of the set of values.
CONDITION, PARAMETER_SET = "condition", "parameter_set"
#: The column of a nonmem design: the number of the subject.
SUBJECT = "subject"
#: The column of a design whose typical values are drawn: the number of the draw.
REPLICATE = "replicate"


def occasion_name(parameter: str, occasion: int) -> str:
    """The column of a parameter's value in an occasion."""
    return f"{parameter}_occasion_{occasion}"


def initial_name(state: str) -> str:
    """What the initial value of a state is called in a dataset."""
    return f"initial_{state}"


def axis_coordinate(name: str, model: Named) -> str:
    """What an axis is called in a dataset: a state's initial value is `initial_<state>`.

    Arguments:
        name: of the axis in the design.
        model: what names the states.

    Returns:
        The name of the coordinate.

    Example:
        >>> import odeflow
        >>> from odeflow.design import axis_coordinate
        >>> model = odeflow.compose().model
        >>> axis_coordinate("substrate", model), axis_coordinate("km", model)
        ('initial_substrate', 'km')
    """
    return initial_name(name) if name in model.states else name


def axis_attributes(
    name: str,
    model: Named,
    doses: Sequence[Dose] = (),
    conditions: Sequence[str] = (),
    choices: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Units and long name of a column: of a state, a parameter, or what one of the doses names.

    Arguments:
        name: of the column in the design.
        model: what names states and parameters.
        doses: what may name axes.
        conditions: their names, if there are any; the column of their numbers has these as flags.
        choices: the categories of axes that have some, by axis: flags of their numbers, too.

    Returns:
        `units`, `long_name`, and CF's attributes of flags, for a variable of a dataset.
    """
    if conditions and name == CONDITION:
        return {"long_name": "condition", **flag_attributes(conditions, np.int16)}
    if conditions and name == PARAMETER_SET:
        return {"long_name": "number of the parameter set", "units": "1"}
    if name == SUBJECT and name not in {*model.states, *model.parameters}:
        return {"long_name": "subject of the data set", "units": "1"}
    if name == REPLICATE and name not in {*model.states, *model.parameters}:
        return {"long_name": "number of the draw of typical values", "units": "1"}
    of, _, occasion = name.rpartition("_occasion_")
    if name not in {*model.states, *model.parameters} and of in model.parameters:
        parameter = model.parameters[of]
        words = f"{parameter.long_name or of} in occasion {occasion}"
        return {"units": parameter.units, "long_name": words}
    if name in choices:
        return {"units": "1", "long_name": name, **flag_attributes(choices[name], np.int16)}
    if name in model.states:
        state = model.states[name]
        return {"units": state.units, "long_name": f"initial {state.long_name or name}"}
    if name in model.parameters:
        parameter = model.parameters[name]
        return {"units": parameter.units, "long_name": parameter.long_name or name}
    read = [(n, dose, *pair) for n, dose in enumerate(doses, start=1) for pair in dose.named()]
    read = [(number, dose, key) for number, dose, key, named in read if named == name]
    for number, dose, key in read:
        if dose.quantity(key) == name:
            return _dose_attributes(key, number, dose, model)
    for number, _, key in read:  # a formula may give it any units
        return {"units": "1", "long_name": f"{name}, in the {key} of dose {number}"}
    return {"units": model.time_units, "long_name": "end of the trajectory"}


def _dose_attributes(key: str, number: int, dose: Dose, model: Named) -> dict[str, str]:
    known = model.states[dose.state] if dose.state else model.parameters[dose.parameter or ""]
    key, _, place = key.partition(".")
    lasting = duration_units(model.time_units)
    what, units = {
        "amount": ("amount", known.units),
        "rate": ("rate", f"{known.units}/{lasting}"),
        "value": ("value", known.units),
        "duration": ("duration", lasting),
        "every": ("interval", lasting),
        "time": ("time", model.time_units),
        "times": (f"time {int(place or 0) + 1}", model.time_units),
    }[key]
    target = known.long_name or dose.state or dose.parameter
    return {"units": units, "long_name": f"{what} of dose {number} ({target})"}
