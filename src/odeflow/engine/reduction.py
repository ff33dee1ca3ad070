"""Metrics reduced step by step, so that no time course has to be stored: one definition.

A variable is known at the five Gauss-Lobatto nodes of each accepted step, through the method's own
dense output, and between them as the quartic through those five values. Dense output of degree
four or less (every method here but Dopri8, of degree seven) is that quartic: its metrics are then
exact for a state, and of fifth order for an observable, which is not a polynomial.

The functions are elementwise `jax.numpy` without branches. The diffrax engine calls them, the
native engine translates them.

References: Abramowitz and Stegun, Handbook of Mathematical Functions, 25.4.32, for the quadrature
(exact up to degree seven); Press et al., Numerical Recipes, section 9.4, for the safeguarded
Newton method.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

Value = Float[Array, "*shape"]

#: The nodes between the ends of a step are at -+`_INNER` and 0, where the step is [-1, 1].
_INNER = (3 / 7) ** 0.5
_PLACES = (-1.0, -_INNER, 0.0, _INNER, 1.0)
#: The nodes as fractions of a step.
NODES = tuple((1 + place) / 2 for place in _PLACES)
_WEIGHTS = (1 / 20, 49 / 180, 16 / 45, 49 / 180, 1 / 20)
#: Newton's method from the middle of a bracket is at rounding error after five.
_ITERATIONS = 6

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


class Reducer:
    """Reduces one variable to the metrics asked for: metric by metric, its threshold or None.

    `metrics` are these; `accumulators` are names of the numbers that it carries from step to step.
    """

    def __init__(self, metrics: Mapping[str, float | None]):
        needed = {name for metric in metrics for name in _NEEDS[metric]}
        self.accumulators = tuple(name for name in _NEEDS if name in needed)
        self.metrics = dict(metrics)

    def start(self, t: Value, value: Value) -> tuple[Value, ...]:
        """The accumulators at t0, where the variable has this value."""
        nothing, start = jnp.zeros_like(value), jnp.zeros_like(value) + t
        kept = {"integral": nothing, "time_of_max": start, "time_of_min": start}
        kept |= {"max": value, "min": value, "final": value}
        for name, sign, threshold in self._thresholds():
            beyond = sign * value > sign * threshold
            kept[name] = jnp.where(beyond, start, jnp.nan)
        return tuple(kept[name] for name in self.accumulators)

    def update(
        self, kept: Sequence[Value], t: Value, h: Value, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The accumulators after a step of length h from t, of the values at its nodes."""
        old = dict(zip(self.accumulators, kept))
        new: dict[str, Value] = {"final": values[-1]}
        if "integral" in old:
            sum_ = sum(w * v for w, v in zip(_WEIGHTS, values))
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

    def jump(self, kept: Sequence[Value], t: Value, value: Value) -> tuple[Value, ...]:
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

    def finish(self, kept: Sequence[np.ndarray], duration: np.ndarray) -> dict[str, np.ndarray]:
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


class _Quartic(NamedTuple):
    """The polynomial constant + a s + b s^2 + c s^3 + d s^4."""

    constant: Value
    a: Value
    b: Value
    c: Value
    d: Value

    def at(self, s: Value) -> Value:
        return self.constant + s * (self.a + s * (self.b + s * (self.c + s * self.d)))

    def slope(self, s: Value) -> Value:
        return self.a + s * (2 * self.b + s * (3 * self.c + s * (4 * self.d)))

    def curvature(self, s: Value) -> Value:
        return 2 * self.b + s * (6 * self.c + s * (12 * self.d))


def _quartic(values: Sequence[Value]) -> _Quartic:
    """The quartic through the values at `_PLACES`: its even and its odd part."""
    v0, v1, v2, v3, v4 = values
    outer, inner = 0.5 * ((v0 - v2) + (v4 - v2)), (7 / 6) * ((v1 - v2) + (v3 - v2))
    d = 1.75 * (outer - inner)
    outer_slope, inner_slope = 0.5 * (v4 - v0), (0.5 / _INNER) * (v3 - v1)
    c = 1.75 * (outer_slope - inner_slope)
    return _Quartic(v2, outer_slope - c, outer - d, c, d)


def _peak(values: Sequence[Value]) -> tuple[Value, Value]:
    """The greatest value over a step and its place in [-1, 1], the first of equal ones."""
    curve = _quartic(values)
    places = [jnp.full_like(values[0], place) for place in _PLACES]
    greatest, place = values[0], places[0]
    low, high = places[0], places[1]
    for i in range(1, 5):
        better = values[i] > greatest
        greatest = jnp.where(better, values[i], greatest)
        place = jnp.where(better, places[i], place)
        low = jnp.where(better, places[i - 1], low)
        high = jnp.where(better, places[min(i + 1, 4)], high)
    inside = _falling_root(curve.slope, curve.curvature, low, high)
    value = curve.at(inside)
    better = value > greatest
    return jnp.where(better, value, greatest), jnp.where(better, inside, place)


def _first_above(values: Sequence[Value], threshold: float) -> tuple[Value, Value]:
    """Whether a variable exceeds a threshold in a step that it does not at its start, and where."""
    curve = _quartic(values)
    places = [jnp.full_like(values[0], place) for place in _PLACES]
    peak, high = _peak(values)
    for place, value in zip(places[:0:-1], values[:0:-1]):
        high = jnp.where((value > threshold) & (place < high), place, high)
    low = places[0]
    for place in places[1:4]:
        low = jnp.where(place < high, place, low)
    root = _falling_root(lambda s: threshold - curve.at(s), lambda s: -curve.slope(s), low, high)
    return peak > threshold, root


def _falling_root(
    function: Callable[[Value], Value], slope: Callable[[Value], Value], low: Value, high: Value
) -> Value:
    """A root in a bracket at whose lower end a function is positive, and not at the upper one.

    Newton's method, and bisection where that would leave the bracket by more than rounding.
    """
    s = 0.5 * (low + high)
    for _ in range(_ITERATIONS):
        value = function(s)
        low, high = jnp.where(value > 0, s, low), jnp.where(value > 0, high, s)
        newton, slack = s - value / slope(s), 0.01 * (high - low)
        near = (newton >= low - slack) & (newton <= high + slack)
        newton = jnp.where(newton < low, low, jnp.where(newton > high, high, newton))
        s = jnp.where(near, newton, 0.5 * (low + high))
    return s
