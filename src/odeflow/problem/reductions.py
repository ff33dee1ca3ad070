"""Metrics reduced step by step, so that no time course has to be stored: one definition.

A variable is known at the Gauss-Lobatto nodes of each accepted step, through the method's own
dense output, and between them as the polynomial through those values: at five nodes a quartic, as
dense output is at most, but that of Dopri8, which has degree six and is looked at at seven nodes.
So metrics are exact for a state. An observable is not a polynomial; they are of the order of the
number of nodes then, of which there are more where a time is asked at which it passes a threshold.

The functions are elementwise `jax.numpy` without branches. The diffrax engine calls them, the
native engine translates them.

Reference: Press et al., Numerical Recipes, section 9.4, for the safeguarded Newton method.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from odeflow.problem.lobatto import lobatto, lobatto_weights

Value = Float[Array, "*shape"]
#: One for all of a variable's components, or one each.
Time = Float[Array, "*#shape"]

#: Newton's method from the middle of a bracket is at rounding error after five; where a curve
#: passes a threshold just below its peak, it first halves the distance a few times.
_ITERATIONS, _MORE_ITERATIONS = 6, 16
#: As many find a peak from next to it so well that its height is.
_PEAK_ITERATIONS = 5
#: So many nodes see a peak without places between them.
_MANY = 9

#: The accumulators that each metric needs.
_NEEDS = {
    "integral": ("integral",),
    "mean": ("integral",),
    "max": ("max",),
    "min": ("min",),
    "amplitude": ("max", "min"),
    "time_of_max": ("max", "time_of_max"),
    "time_of_min": ("min", "time_of_min"),
    "first_time_above": ("first_time_above",),
    "first_time_below": ("first_time_below",),
    "final": ("final",),
}


class Reduction(NamedTuple):
    """A metric of a variable to be reduced; `threshold` is that of the first_time ones."""

    variable: str
    metric: str
    threshold: float | None = None

    @property
    def name(self) -> str:
        """The name of its variable in a dataset."""
        return f"{self.variable}_{self.metric}"


def nodes(method: str, curved_threshold: bool) -> tuple[float, ...]:
    """Where in a step of a method metrics look, as fractions of it; `curved_threshold` says whether
    one is the time at which an observable passes a threshold.
    """
    enough, more = (7, 13) if method == "dopri8" else (5, 9)
    return tuple(map(float, lobatto(more if curved_threshold else enough)))


class Reducer:
    """Reduces one variable to the metrics asked for: metric by metric, its threshold or None.

    `metrics` are these; `accumulators` are names of the numbers that it carries from step to step.
    """

    def __init__(self, metrics: Mapping[str, float | None]):
        needed = {name for metric in metrics for name in _NEEDS[metric]}
        self.accumulators = tuple(name for name in _NEEDS if name in needed)
        self.metrics = dict(metrics)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """The accumulators at t0, where the variable has this value."""
        nothing, start = jnp.zeros_like(value), jnp.zeros_like(value) + t
        kept = {"integral": nothing, "time_of_max": start, "time_of_min": start}
        kept |= {"max": value, "min": value, "final": value}
        for name, sign, threshold in self._thresholds():
            beyond = sign * value > sign * threshold
            kept[name] = jnp.where(beyond, start, jnp.nan)
        return tuple(kept[name] for name in self.accumulators)

    def update(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The accumulators after a step of length h from t, of the values at its nodes."""
        old = dict(zip(self.accumulators, kept))
        new: dict[str, Value] = {"final": values[-1]}
        if "integral" in old:
            middle = values[len(values) // 2]
            weighted = zip(lobatto_weights(len(values)), values)
            sum_ = middle + sum(float(w) * (v - middle) for w, v in weighted)
            new["integral"] = old["integral"] + h * sum_
        for name, sign in (("max", 1), ("min", -1)):
            if name in old:
                peak, place = _peak([sign * v for v in values])
                higher = peak > sign * old[name]
                new[name] = jnp.where(higher, sign * peak, old[name])
                if f"time_of_{name}" in old:
                    time = t + h * (0.5 + 0.5 * place)
                    new[f"time_of_{name}"] = jnp.where(higher, time, old[f"time_of_{name}"])
        for name, sign, threshold in self._thresholds():
            found, place = _first_above([sign * v for v in values], sign * threshold)
            is_first = found & jnp.isnan(old[name])
            new[name] = jnp.where(is_first, t + h * (0.5 + 0.5 * place), old[name])
        return tuple(new[name] for name in self.accumulators)

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """The accumulators after the variable jumps to a value at t."""
        old, start = dict(zip(self.accumulators, kept)), jnp.zeros_like(value) + t
        new = {**old, "final": value}
        for name, sign in (("max", 1), ("min", -1)):
            if name in old:
                beyond = sign * value > sign * old[name]
                new[name] = jnp.where(beyond, value, old[name])
                if f"time_of_{name}" in old:
                    new[f"time_of_{name}"] = jnp.where(beyond, start, old[f"time_of_{name}"])
        for name, sign, threshold in self._thresholds():
            is_first = (sign * value > sign * threshold) & jnp.isnan(old[name])
            new[name] = jnp.where(is_first, start, old[name])
        return tuple(new[name] for name in self.accumulators)

    def finish(
        self, kept: Sequence[np.ndarray], duration: Float[np.ndarray, "..."] | float
    ) -> dict[str, np.ndarray]:
        """The metrics by name; `duration` is t1 - t0, of a shape that broadcasts."""
        total = dict(zip(self.accumulators, kept))
        derived = {
            "mean": lambda: total["integral"] / duration,
            "amplitude": lambda: total["max"] - total["min"],
        }
        with np.errstate(invalid="ignore"):  # of a lane that failed at t0
            return {
                name: derived[name]() if name in derived else total[name] for name in self.metrics
            }

    def _thresholds(self) -> list[tuple[str, int, float]]:
        signs = {"first_time_above": 1, "first_time_below": -1}
        return [(n, signs[n], x) for n, x in self.metrics.items() if n in signs and x is not None]


def reducers(reductions: Collection[Reduction]) -> dict[str, Reducer]:
    """The reducer of each variable that has a reduction, in the order of the first of it."""
    metrics: dict[str, dict[str, float | None]] = {}
    for reduction in reductions:
        metrics.setdefault(reduction.variable, {})[reduction.metric] = reduction.threshold
    return {variable: Reducer(chosen) for variable, chosen in metrics.items()}


def finish(
    reductions: Collection[Reduction],
    kept: Mapping[str, Sequence[np.ndarray]],
    success: Bool[np.ndarray, " lane"],
    duration: Float[np.ndarray, " lane"],
) -> dict[str, np.ndarray]:
    """All reductions by name, shape (lane, *shape of the variable); NaN where a lane failed.

    `kept` are the accumulators of each variable, lanes first; `duration` is t1 - t0.
    """
    result = {}
    for variable, reducer in reducers(reductions).items():
        ndim = kept[variable][0].ndim
        column = lambda x, ndim=ndim: x.reshape(-1, *(1,) * (ndim - 1))
        dtype = kept[variable][0].dtype
        for metric, value in reducer.finish(kept[variable], column(duration)).items():
            whole = np.where(column(success), value, np.nan).astype(dtype)
            result[f"{variable}_{metric}"] = whole
    return {reduction.name: result[reduction.name] for reduction in reductions}


class _Curve:
    """A polynomial of s in [-1, 1] over a step by its coefficients, the constant first."""

    def __init__(self, coefficients: Sequence[Value]):
        self._coefficients = coefficients

    def at(self, s: Value) -> Value:
        value = self._coefficients[-1]
        for other in self._coefficients[-2::-1]:
            value = other + s * value
        return value

    def derivative(self) -> "_Curve":
        return _Curve([i * x for i, x in enumerate(self._coefficients)][1:])


@cache
def _places(number: int) -> list[float]:
    """The nodes where the step is [-1, 1]."""
    return [2 * float(node) - 1 for node in lobatto(number)]


@cache
def _inverse(number: int, lowest: int) -> np.ndarray:
    """Makes coefficients of every second power from the lowest on of values at the upper nodes."""
    upper = np.array(_places(number)[number // 2 + 1 :])
    return np.linalg.inv(upper[:, None] ** np.arange(lowest, number, 2)[: len(upper)])


def _curve(values: Sequence[Value]) -> _Curve:
    """The polynomial through the values at the nodes: its even and its odd part."""
    number, half = len(values), len(values) // 2
    middle = values[half]
    pairs = [(values[half - i], values[half + i]) for i in range(1, half + 1)]
    even = [0.5 * ((a - middle) + (b - middle)) for a, b in pairs]
    odd = [0.5 * (b - a) for a, b in pairs]
    solved = [
        [sum(float(m) * x for m, x in zip(row, part)) for row in _inverse(number, lowest)]
        for lowest, part in ((1, odd), (2, even))
    ]
    return _Curve([middle, *(x for powers in zip(*solved) for x in powers)])


def _peak(values: Sequence[Value]) -> tuple[Value, Value]:
    """The greatest value over a step and its place in [-1, 1], the first of equal ones."""
    curve, last = _curve(values), len(values) - 1
    slope = curve.derivative()
    places = [jnp.full_like(values[0], place) for place in _places(len(values))]
    greatest, place = values[0], places[0]
    low, high = places[0], places[1]
    for i in range(1, last + 1):
        better = values[i] > greatest
        greatest = jnp.where(better, values[i], greatest)
        place = jnp.where(better, places[i], place)
        low = jnp.where(better, places[i - 1], low)
        high = jnp.where(better, places[min(i + 1, last)], high)
    inside = _falling_root(slope.at, slope.derivative().at, low, high)
    value = curve.at(inside)
    better = value > greatest
    return jnp.where(better, value, greatest), jnp.where(better, inside, place)


def _first_above(values: Sequence[Value], threshold: float) -> tuple[Bool[Array, "*shape"], Value]:
    """Whether a variable exceeds a threshold in a step that it does not at its start, and where.

    Looks at the nodes, half-way between them where they are few, and at peaks next to these.
    """
    curve, nodes = _curve(values), _places(len(values))
    slope = curve.derivative()
    bend, high = slope.derivative(), jnp.ones_like(values[0])
    grid, seen = nodes, list(values)
    if len(nodes) < _MANY:
        middles = [0.5 * (left + right) for left, right in pairwise(nodes)]
        grid = sorted([*nodes, *middles])
        seen = [curve.at(jnp.full_like(high, place)) for place in grid]
        seen[::2] = values
    found = seen[-1] > threshold
    for i in range(len(grid) - 2, -1, -1):
        before, after = grid[max(i - 1, 0)], grid[i + 1]
        peak = jnp.full_like(high, grid[i])
        for _ in range(_PEAK_ITERATIONS):
            bends, rises = bend.at(peak), slope.at(peak)
            step = jnp.where(bends < 0, rises / jnp.where(bends < 0, bends, 1.0), 0.0)
            peak = jnp.minimum(jnp.maximum(peak - step, before), after)
        exceeds = curve.at(peak) > threshold
        high = jnp.where(exceeds & ((peak < high) | ~found), peak, high)
        found = found | exceeds
        if i > 0:
            exceeds = seen[i] > threshold
            high = jnp.where(exceeds & (grid[i] < high), grid[i], high)
            found = found | exceeds
    low = jnp.full_like(high, grid[0])
    for place in grid[1:-1]:
        low = jnp.where(place < high, place, low)
    below = lambda s: threshold - curve.at(s)
    root = _falling_root(below, lambda s: -slope.at(s), low, high, _MORE_ITERATIONS)
    return found, root


def _falling_root(
    function: Callable[[Value], Value],
    slope: Callable[[Value], Value],
    low: Value,
    high: Value,
    iterations: int = _ITERATIONS,
) -> Value:
    """A root in a bracket at whose lower end a function is positive, and not at the upper one.

    Newton's method, and bisection where that would leave the bracket by more than rounding.
    """
    s = 0.5 * (low + high)
    for _ in range(iterations):
        value = function(s)
        low, high = jnp.where(value > 0, s, low), jnp.where(value > 0, high, s)
        newton, slack = s - value / slope(s), 0.01 * (high - low)
        near = (newton >= low - slack) & (newton <= high + slack)
        newton = jnp.where(newton < low, low, jnp.where(newton > high, high, newton))
        s = jnp.where(near, newton, 0.5 * (low + high))
    return s
