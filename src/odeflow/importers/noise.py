"""The noise of measurements that `analyse.estimate.noise` describes, as equations."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from odeflow.config.estimate import CombinedNoise
from odeflow.importers.expressions.expression import (
    Expression,
    Number,
    Symbol,
    call,
    product,
    total,
)
from odeflow.importers.petab.likelihood_data import NOISE

#: What the noise formula of a row with a number of its own reads.
OWN = "standard deviation of a measurement"


class NoiseEquations(NamedTuple):
    """Equations of a noise, and what they read: see `Group`."""

    equations: Sequence[tuple[str, Expression]]
    states: Sequence[str]
    columns: Mapping[str, str]
    constants: Mapping[str, Any]


def noise_of(asked: CombinedNoise, variable: str) -> NoiseEquations:
    """The noise of a variable: a number, a parameter, or a part of the value beside it.

    Arguments:
        asked: what the config says.
        variable: what is measured.

    Returns:
        Its equations; they read parameters as columns.
    """
    names = [x for x in (asked.additive, asked.proportional) if isinstance(x, str)]
    columns = {name: name for name in names}
    if asked.proportional is None:
        constants = {} if columns else {OWN: asked.additive}
        return NoiseEquations([(NOISE, Symbol(names[0] if names else OWN))], [], columns, constants)
    terms = [product(_level(asked.proportional), Symbol(variable))]
    if asked.additive is not None:
        terms.append(_level(asked.additive))
    variance = total(product(term, term) for term in terms)
    return NoiseEquations([(NOISE, call("root", Number(2.0), variance))], [variable], columns, {})


def own_noise(deviations: np.ndarray) -> NoiseEquations:
    """A standard deviation of each measurement."""
    return NoiseEquations([(NOISE, Symbol(OWN))], [], {}, {OWN: deviations})


def _level(level: float | str) -> Expression:
    return Symbol(level) if isinstance(level, str) else Number(float(level))
