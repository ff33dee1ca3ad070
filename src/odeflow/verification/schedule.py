"""The doses of one trajectory, one after another, from the config: nothing of the engines' tables."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.config.doses import Dose, Quantity
from odeflow.config.root import Config
from odeflow.model import Model

#: Times are one where no more than this many roundings part them.
_ROUNDINGS = 8


class _Infusion(NamedTuple):
    component: int
    start: float
    end: float
    rate: float


class Change(NamedTuple):
    """What happens at a time: the state grows by `added`; from then on `args` hold, and `rates`
    are added to the derivative.
    """

    time: float
    added: Float[np.ndarray, " component"]
    args: Float[np.ndarray, " parameter"]
    rates: Float[np.ndarray, " component"]


def changes(
    config: Config,
    model: Model,
    axes: Mapping[str, float],
    args: Float[np.ndarray, " parameter"],
    observables: Callable[[np.ndarray], Mapping[str, float]],
) -> list[Change]:
    """The changes of a trajectory in the order of time, the first at t0.

    `axes` are the numbers of the trajectory by name, `args` its parameters before all doses. A
    quantity that names a parameter is that parameter's value at the time of the dose; one that
    names what an imported model computes of parameters is what `observables(args)` has of it.
    """
    parameters = list(model.config.parameters)
    size, t0, t1 = len(model.components), config.model.t0, config.model.t1
    rounding = resolution(config, t1)
    numbers = dict(axes) | dict(zip(parameters, map(float, args)))

    def number(value: Quantity | None) -> float:
        if not isinstance(value, str):
            return float(value or 0.0)
        if value in numbers:
            return float(numbers[value])
        now = np.array([numbers[name] for name in parameters], float)
        return float(observables(now)[value])

    given: list[tuple[float, int, Dose]] = []
    for place, dose in enumerate(config.doses):
        for first in dose.first_times:
            given += [
                (number(first) + i * number(dose.every), place, dose) for i in range(dose.count)
            ]
    given.sort(key=lambda one: one[:2])
    boluses: list[tuple[float, int, float]] = []
    infusions: list[_Infusion] = []
    switches: list[tuple[float, int, float]] = []

    # switches first: an amount may name what they set
    for is_switch in (True, False):
        numbers = dict(axes) | dict(zip(parameters, map(float, args)))
        done = 0
        for time, _, dose in given:
            while not is_switch and done < len(switches) and switches[done][0] <= time + rounding:
                numbers[parameters[switches[done][1]]] = switches[done][2]
                done += 1
            if is_switch != (dose.parameter is not None):
                continue
            if dose.parameter is not None:
                value = number(dose.value)
                switches.append((time, parameters.index(dose.parameter), value))
                numbers[dose.parameter] = value
                continue
            amount = number(dose.amount)
            if amount == 0:
                continue
            component = _component(model, dose)
            if not dose.is_infusion:
                boluses.append((time, component, amount))
                continue
            rate = number(dose.rate) if dose.duration is None else amount / number(dose.duration)
            infusions.append(_Infusion(component, time, time + amount / rate, rate))

    times = [t0, *(x[0] for x in (*boluses, *switches))]
    times += [time for one in infusions for time in (one.start, one.end)]
    result = []
    distinct = _distinct(times, rounding)
    for time, following in zip(distinct, [*distinct[1:], np.inf]):
        middle = 0.5 * (time + min(following, time + 2 * (t1 - t0)))
        added, rates, now = np.zeros(size), np.zeros(size), np.array(args, float)
        for when, component, amount in boluses:
            if abs(when - time) <= rounding:
                added[component] += amount
        for one in infusions:
            if one.start <= middle < one.end:
                rates[one.component] += one.rate
            elif one.end - one.start <= rounding and abs(one.start - time) <= rounding:
                added[one.component] += one.rate * (one.end - one.start)
        for when, parameter, value in switches:
            if when <= time + rounding:
                now[parameter] = value
        result.append(Change(time, added, now, rates))
    return result


def resolution(config: Config, time: float) -> float:
    """How far times may lie from one to be the same, in the precision that is solved in."""
    eps = float(np.finfo(config.runtime.precision).eps)
    return _ROUNDINGS * eps * max(abs(config.model.t0), abs(time))


def _component(model: Model, dose: Dose) -> int:
    for number, component in enumerate(model.components):
        if component.state == dose.state and tuple(component.index) == tuple(dose.index):
            return number
    raise KeyError(dose.state)


def _distinct(times: list[float], rounding: float) -> list[float]:
    """The times, increasing; of those that a rounding parts the first."""
    result: list[float] = []
    for time in sorted(times):
        if not result or time - result[-1] > rounding:
            result.append(time)
    return result
