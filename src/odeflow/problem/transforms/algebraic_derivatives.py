"""Sensitivities of a model with algebraic equations, which have such equations of their own."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

from odeflow.files.errors import ConfigError
from odeflow.problem.algebraic import Algebraic, Moving
from odeflow.problem.doses import Stop
from odeflow.problem.model import Jumping, Model

#: Of a function of (t, y, args) of the model that of the model with sensitivities: value, slopes.
Along = Callable[[Moving], Callable[[Any, Any, Any], tuple[Any, list[Any]]]]


def refuse_moving(model: Model, switches: bool, stop: Stop | None) -> None:
    """Raises ConfigError where sensitivities would jump by derivatives that are residuals."""
    if switches or model.events or stop is not None:
        raise ConfigError(
            "saveat.sensitivities: not beside algebraic equations where something switches (an "
            "event, a stop, a comparison of states or of time with an axis, a dose that depends on "
            "an axis); take the sensitivities out"
        )


def with_algebraic_derivatives(
    augmented: Model, algebraic: Algebraic, axes: int, along: Along
) -> Model:
    """The model with sensitivities, whose algebraic rows are total derivatives of the model's.

    So are the states that obey them: the derivatives of what `restored` gives.
    """

    def moved(function: Moving) -> Moving:
        both = along(function)

        def move(t: Any, y: Any, args: Any) -> Any:
            value, slopes = both(t, y, args)
            return type(y)(*value, *chain(*slopes))

        return move

    matrix = algebraic.matrix.repeated(1 + axes)
    repeated = algebraic._replace(matrix=matrix).each(moved)
    jumping = Jumping(lambda t, y, args: y, repeated.restored)
    return replace(augmented, algebraic=repeated, jumping=jumping)
