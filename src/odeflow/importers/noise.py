"""The noise of measurements that `analyse.estimate.noise` describes, as equations."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from odeflow.config.estimate import CombinedNoise
from odeflow.importers.expressions.expression import Expression, Number, Symbol, call, product, total
from odeflow.importers.petab.likelihood_data import NOISE

#: What the noise formula of a row with a number of its own reads.
OWN = "standard deviation of a measurement"


class Noise(NamedTuple):
    """Equations of a noise, and what they read: see `Group`."""

    equations: Sequence[tuple[str, Expression]]
    states: Sequence[str]
    columns: Mapping[str, str]
    constants: Mapping[str, Any]


def noise_of(asked: float | str | CombinedNoise, variable: str) -> Noise:
    """The noise of a variable: a number, a parameter, or a combination of two.

    Arguments:
        asked: what the config says.
        variable: what is measured.

    Returns:
        Its equations; they read parameters as columns.
    """
    if not isinstance(asked, CombinedNoise):
        columns = {asked: asked} if isinstance(asked, str) else {}
        constants = {} if columns else {OWN: asked}
        return Noise([(NOISE, Symbol(asked if isinstance(asked, str) else OWN))], [], columns, constants)
    level = lambda x: Symbol(x) if isinstance(x, str) else Number(float(x))
    terms: list[Expression] = []
    if asked.additive is not None:
        terms.append(level(asked.additive))
    if asked.proportional is not None:
        terms.append(product(level(asked.proportional), Symbol(variable)))
    variance = total(product(term, term) for term in terms)
    names = [x for x in (asked.proportional, asked.additive) if isinstance(x, str)]
    states = [] if asked.proportional is None else [variable]
    deviation = call("root", Number(2.0), variance)
    return Noise([(NOISE, deviation)], states, {name: name for name in names}, {})
