"""Metrics reduced step by step, so that no time course has to be stored: one definition.

A variable is known at the Gauss-Lobatto nodes of each accepted step, through the method's own
dense output, and between them as the polynomial through those values: at five nodes a quartic, as
dense output is at most, but that of Dopri8, which has degree six and is looked at at seven nodes.
So metrics are exact for a state. An observable is not a polynomial; they are of the order of the
number of nodes then, of which there are more where a time is asked at which it passes a threshold.

The functions are elementwise `jax.numpy` without branches. The diffrax engine calls them, the
native engine translates them.

Where a step may have a peak or a passage is seen from coefficients in Bernstein's basis: a search
is asked for in few steps.

Reference: Farouki, The Bernstein polynomial basis: a centennial retrospective, Computer Aided
Geometric Design 29, 379-419 (2012).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from odeflow.problem.lobatto import bernstein, lobatto
from odeflow.problem.step_curves import first_above, peak

Value = Float[Array, "*shape"]
#: One for all of a variable's components, or one each.
Time = Float[Array, "*#shape"]

#: Accumulators for which a step may be searched, with the sign of a variable that makes it rise.
_EXTREMES = {"max": 1, "min": -1}
_PASSAGES = {"first_time_above": 1, "first_time_below": -1}
_SEARCHED = _EXTREMES | _PASSAGES
#: A peak that is higher by so many roundings is none.
_ROUNDINGS = 4

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
        seen, asked = self.look(kept, t, h, controls(values))
        for name, is_asked in zip(self.searched, asked):
            found = self.search(name, seen, t, h, values)
            seen = tuple(jnp.where(is_asked, new, old) for new, old in zip(found, seen))
        return seen

    @property
    def searched(self) -> tuple[str, ...]:
        """The accumulators for which a step is searched, one by one."""
        return tuple(name for name in self.accumulators if name in _SEARCHED)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], tuple[Bool[Array, "*shape"], ...]]:
        """The accumulators after a step, as far as a look at its polynomial's coefficients in
        Bernstein's basis tells; and whether a search may find more, for each of `searched`.

        The polynomial stays within the least and the greatest coefficient, the first and the last
        are its ends, and their mean is its own.
        """
        old, end = dict(zip(self.accumulators, kept)), controls[-1]
        new, asked = {**old, "final": end}, {}
        if "integral" in old:
            change = sum(value - end for value in controls[:-1]) / len(controls)
            new["integral"] = old["integral"] + h * (end + change)
        for name, sign in _EXTREMES.items():
            if name in old:
                beyond = sign * end > sign * old[name]
                new[name] = jnp.where(beyond, end, old[name])
                if f"time_of_{name}" in old:
                    new[f"time_of_{name}"] = jnp.where(beyond, t + h, old[f"time_of_{name}"])
                record = sign * new[name]
                record += _ROUNDINGS * jnp.finfo(end.dtype).eps * jnp.abs(record)
                asked[name] = _any(sign * value > record for value in controls[1:-1])
        for name, sign, threshold in self._thresholds():
            is_beyond = _any(sign * value > sign * threshold for value in controls[1:])
            asked[name] = jnp.isnan(old[name]) & is_beyond
        kept = tuple(new[name] for name in self.accumulators)
        return kept, tuple(asked[name] for name in self.searched)

    def search(
        self, name: str, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The accumulators after a step that `look` has seen, searched for one of `searched`."""
        new = dict(zip(self.accumulators, kept))
        if name in _EXTREMES:
            sign, time_name = _EXTREMES[name], f"time_of_{name}"
            highest, place = peak([sign * v for v in values])
            higher = highest > sign * new[name]
            new[name] = jnp.where(higher, sign * highest, new[name])
            if time_name in new:
                time = t + h * (0.5 + 0.5 * place)
                new[time_name] = jnp.where(higher, time, new[time_name])
        else:
            sign, threshold = _PASSAGES[name], self.metrics[name]
            assert threshold is not None
            found, place = first_above([sign * v for v in values], sign * threshold)
            new[name] = jnp.where(found, t + h * (0.5 + 0.5 * place), new[name])
        return tuple(new[name] for name in self.accumulators)

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """The accumulators after the variable jumps to a value at t."""
        old, start = dict(zip(self.accumulators, kept)), jnp.zeros_like(value) + t
        new = {**old, "final": value}
        for name, sign in _EXTREMES.items():
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
        thresholds = {n: self.metrics.get(n) for n in _PASSAGES}
        return [(n, _PASSAGES[n], x) for n, x in thresholds.items() if x is not None]


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


def controls(values: Sequence[Value]) -> list[Value]:
    """Coefficients in Bernstein's basis of the polynomial through the values at the nodes."""
    matrix, start = bernstein(lobatto(len(values))), values[0]
    inner = [
        start + sum(float(w) * (v - start) for w, v in zip(row[1:], values[1:]))
        for row in matrix[1:-1]
    ]
    return [start, *inner, values[-1]]


def _any(conditions: Iterable[Bool[Array, "*shape"]]) -> Bool[Array, "*shape"]:
    return reduce(jnp.logical_or, conditions)
