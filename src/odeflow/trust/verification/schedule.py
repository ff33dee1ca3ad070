"""The doses of one trajectory, one after another, from the config: nothing of the engines'."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.config.root import Config
from odeflow.config.saved_times import save_times
from odeflow.problem.doses import Dose, Quantity
from odeflow.problem.model import Model
from odeflow.trust.verification.dose_formulas import evaluated, names_in

#: Times are one where no more than this many roundings part them.
_ROUNDINGS = 8


class _Infusion(NamedTuple):
    component: int
    start: float
    end: float
    amount: float

    @property
    def rate(self) -> float:
        """What delivers the amount between start and end, whose difference is rounded."""
        return self.amount / (self.end - self.start)


class Change(NamedTuple):
    """What happens at a time: the state grows by `added`; from then on `args` hold, and `rates`
    are added to the derivative. Where it is not `kept`, what was there is gone.
    """

    time: float
    added: Float[np.ndarray, " component"]
    args: Float[np.ndarray, " parameter"]
    rates: Float[np.ndarray, " component"]
    kept: bool = True


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
    parameters = list(model.declared.parameters)
    size, t0, t1 = len(model.components), config.model.t0, config.model.t1
    rounding = Rounding(config)
    at_start = dict(axes) | dict(zip(parameters, map(float, args)))
    numbers = dict(at_start)

    def number(value: Quantity | None) -> float:
        if not isinstance(value, str):
            return float(value or 0.0)
        read = names_in(value)
        known = {name: numbers[name] for name in read if name in numbers}
        if len(known) < len(read):
            now = np.array([numbers[name] for name in parameters], float)
            known = {**observables(now), **known}
        return evaluated(value, known)

    def due(first: Quantity, every: Quantity | None, repeat: int) -> float:
        """The first time that is what is named then; infinite where it never comes."""
        nonlocal numbers
        numbers, since = dict(at_start), -np.inf
        for until, parameter, value in [*switches, (np.inf, 0, 0.0)]:
            time = number(first) + repeat * number(every)
            latest = time + rounding(time)
            if since <= latest < until:
                return max(time, t0)
            since = until
            if parameters:
                numbers[parameters[parameter]] = value
        return np.inf

    boluses: list[tuple[float, int, float]] = []
    infusions: list[_Infusion] = []
    switches: list[tuple[float, int, float]] = []
    told: list[tuple[float, int]] = []

    # switches first: an amount may name what they set
    for is_switch in (True, False):
        given = [
            (due(first, dose.every, repeat), place, dose)
            for place, dose in enumerate(config.plain_doses)
            if is_switch == (dose.value is not None)
            for first in dose.first_times
            for repeat in range(dose.count)
        ]
        given.sort(key=lambda one: one[:2])
        numbers, done = dict(at_start), 0
        for time, _, dose in given:
            latest = time + rounding(time)
            while not is_switch and done < len(switches) and switches[done][0] <= latest:
                numbers[parameters[switches[done][1]]] = switches[done][2]
                done += 1
            if dose.parameter is not None and dose.value is not None:
                value = number(dose.value)
                switches.append((time, parameters.index(dose.parameter), value))
                numbers[dose.parameter] = value
                continue
            amount = number(dose.amount)
            if amount == 0:
                continue
            if dose.parameter is not None:
                told.append((time, parameters.index(dose.parameter)))
                continue
            component = _component(model, dose)
            if not dose.is_infusion:
                boluses.append((time, component, amount))
                continue
            rate = number(dose.rate) if dose.duration is None else amount / number(dose.duration)
            infusions.append(_Infusion(component, time, time + amount / rate, amount))

    times = [t0, *(x[0] for x in (*boluses, *switches, *told))]
    times += [time for one in infusions for time in (one.start, one.end)]
    result = []
    ordered = distinct(times, rounding)
    for time, following in zip(ordered, [*ordered[1:], np.inf]):
        middle = 0.5 * (time + min(following, time + 2 * (t1 - t0)))
        added, rates, now = np.zeros(size), np.zeros(size), np.array(args, float)
        for when, component, amount in boluses:
            if abs(when - time) <= rounding(time):
                added[component] += amount
        for one in infusions:
            if one.end - one.start <= rounding(one.start):
                added[one.component] += one.amount * (abs(one.start - time) <= rounding(time))
            elif one.start <= middle < one.end:
                rates[one.component] += one.rate
        for when, parameter, value in switches:
            if when <= time + rounding(time):
                now[parameter] = value
        for when, parameter in told:
            if when <= time + rounding(time):
                now[parameter] = max(now[parameter], min(when, time))
        result.append(Change(time, added, now, rates))
    return result


class Rounding:
    """How far times may lie from one to be the same, in the precision that is solved in.

    Near t0 it is the next time that is looked at which counts: the first to be saved, or t1.
    """

    def __init__(self, config: Config):
        t0, t1 = config.model.t0, config.model.t1
        later = [t1] if config.saveat.ts is None else [t for t in save_times(config) if t > t0]
        self._least = max(abs(t0), abs(later[0] if later else t1))
        self._part = _ROUNDINGS * float(np.finfo(config.runtime.precision).eps)

    def __call__(self, time: float) -> float:
        """That of one time."""
        return self._part * max(self._least, abs(time))


def _component(model: Model, dose: Dose) -> int:
    for number, component in enumerate(model.components):
        if component.state == dose.state and tuple(component.index) == tuple(dose.index):
            return number
    raise KeyError(dose.state)


def distinct(times: list[float], rounding: Rounding) -> list[float]:
    """The times, increasing; of those that a rounding parts the first."""
    result: list[float] = []
    for time in sorted(times):
        if not result or time - result[-1] > rounding(result[-1]):
            result.append(time)
    return result
