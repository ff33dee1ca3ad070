"""Names of forward sensitivities: derivatives of variables with respect to axes."""

import re
from collections import Counter
from collections.abc import Iterable

from odeflow.files.errors import ConfigError, shown
from odeflow.problem.axis_names import axis_attributes, axis_coordinate
from odeflow.problem.declaration import Declaration
from odeflow.problem.names import RESERVED_NAMES

#: Bytes of a name to which a metric's is added; NetCDF allows 256.
_LONGEST = 230


def sensitivity_names(
    variables: Iterable[str], axes: Iterable[str], model: Declaration
) -> dict[str, tuple[str, str]]:
    """`{d_<variable>_d_<axis>: (variable, axis)}` of every pair, variables first.

    An axis is a parameter, or a state, which stands for its initial value: `initial_<state>` in
    the name, as in the dataset. Raises ConfigError where a name is taken, by the model or by
    another pair.
    """
    variables = list(variables)
    pairs = [(variable, axis) for axis in axes for variable in variables]
    names = [f"d_{variable}_d_{axis_coordinate(axis, model)}" for variable, axis in pairs]
    taken = {*variables, *model.states, *model.parameters, *model.dims, *RESERVED_NAMES}
    for name, count in Counter(names).items():
        if len(name.encode()) > _LONGEST:
            raise ConfigError(
                f"saveat.sensitivities: the dataset would call a sensitivity {shown(name)}, which "
                f"is too long for a file; at most {_LONGEST} bytes: shorten names in the model"
            )
        if name in taken or count > 1:
            why = "two of them have that name" if count > 1 else f"model {model.name} has that name"
            raise ConfigError(
                f"saveat.sensitivities: the dataset calls a sensitivity {name}, but {why}; rename "
                "a state, parameter or observable in the model"
            )
    return dict(zip(names, pairs))


def time_derivative_names(axes: Iterable[str], model: Declaration) -> dict[str, str]:
    """`{d_time_reached_d_<axis>: axis}`: the derivatives of the time at which a stop ends.

    Raises ConfigError where the model has such a name.
    """
    names = {f"d_time_reached_d_{axis_coordinate(axis, model)}": axis for axis in axes}
    for name in names:
        if name in {*model.states, *model.parameters, *model.observables}:
            raise ConfigError(
                f"saveat.sensitivities: the dataset calls the derivative of a stop's time {name}, "
                f"but model {model.name} has that name; rename it in the model"
            )
    return names


def sensitivity_attributes(
    units: str, long_name: str, axis: str, model: Declaration
) -> dict[str, str]:
    """Units and long name of the derivative of a variable with these."""
    of = axis_attributes(axis, model)
    return {
        "units": quotient_units(units, of["units"]),
        "long_name": f"derivative of {long_name} with respect to {of['long_name']}",
    }


def quotient_units(numerator: str, denominator: str) -> str:
    """Units of a quotient, without factors of one: `mmol/L` by `1/min` is `(mmol/L)/(1/min)`."""
    above, below = (units.strip() or "1" for units in (numerator, denominator))
    if below == "1":
        return above
    if above == below:
        return "1"
    above, below = (x if re.fullmatch(r"[^\W\d_]+|1|%", x) else f"({x})" for x in (above, below))
    return f"{above}/{below}"
