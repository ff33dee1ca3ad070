"""Metrics reduced step by step, so that no time course has to be stored: one definition.

A variable is known at the Gauss-Lobatto nodes of each accepted step, through the method's own
dense output, and between them as the polynomial through those values: at five nodes a quartic, as
dense output mostly is at most, or as the registry has of a method (`Method.degree`: six of Dopri8,
which is looked at at seven nodes). So metrics are exact for a state; of a Taylor series they are as
exact as its error. An observable is not a polynomial; they are of the order of the number of nodes
then, of which there are more where a time is asked at which it passes a threshold.

The functions are elementwise `jax.numpy` without branches. The diffrax engine calls them, the
native engine translates them. What follows a variable for more than its range and its integral is
a measure, see `odeflow.problem.trackers`.

Where a step may have a peak or a passage is seen from coefficients in Bernstein's basis: a search
is asked for in few steps.

Reference: Farouki, The Bernstein polynomial basis: a centennial retrospective, Computer Aided
Geometric Design 29, 379-419 (2012).
"""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from odeflow.problem.lobatto import bernstein, lobatto
from odeflow.problem.measures import CURVED, FirstTime, MeasuredPart
from odeflow.problem.methods import METHODS
from odeflow.problem.step_curves import peak
from odeflow.problem.trackers import tracker_of

Value = Float[Array, "*shape"]
#: One for all of a variable's components, or one each.
Time = Float[Array, "*#shape"]

#: Accumulators for which a step may be searched, with the sign of a variable that makes it rise.
EXTREMES = {"max": 1, "min": -1}
_IS_BEYOND = {1: jnp.greater, -1: jnp.less}
_PASSAGES = {"first_time_above": 1, "first_time_below": -1}
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
    "final": ("final",),
}


class Reduction(NamedTuple):
    """A metric of a variable to be reduced.

    `threshold` is that of `first_time_above` and `first_time_below`, `part` what another one is of
    a measure, which may be called anything.
    """

    variable: str
    metric: str
    threshold: float | None = None
    part: MeasuredPart | None = None

    @property
    def name(self) -> str:
        """The name of its variable in a dataset."""
        return f"{self.variable}_{self.metric}"

    @property
    def measured(self) -> MeasuredPart | None:
        """What it is of a measure; None for a metric that is none."""
        if self.threshold is None:
            return self.part
        return MeasuredPart(FirstTime(self.threshold, _PASSAGES[self.metric]), "time")

    @property
    def is_curved(self) -> bool:
        """Whether it depends on where the variable passes a value or turns."""
        return self.measured is not None and isinstance(self.measured.measure, CURVED)


def nodes(method: str, curved_threshold: bool) -> tuple[float, ...]:
    """Where in a step of a method metrics look, as fractions of it; `curved_threshold` says whether
    one depends on where an observable passes a threshold or turns.
    """
    degree = METHODS[method].degree
    return tuple(map(float, lobatto(1 + (2 * degree if curved_threshold else degree))))


class Reducer:
    """Reduces one variable to metrics: by name a part of a measure, or None for one of `_NEEDS`.

    `metrics` are these; `accumulators` are names of the numbers that it carries from step to step:
    those of the metrics without a measure, then each tracker's.
    """

    def __init__(self, metrics: Mapping[str, MeasuredPart | None]):
        self.metrics = dict(metrics)
        needed = {name for metric, part in metrics.items() if not part for name in _NEEDS[metric]}
        self._own = tuple(name for name in _NEEDS if name in needed)
        measures = dict.fromkeys(part.measure for part in metrics.values() if part is not None)
        self._trackers = {measure: tracker_of(measure) for measure in measures}
        rows = [f"{k}_{row}" for k, one in enumerate(self._trackers.values()) for row in one.rows]
        self.accumulators = (*self._own, *(f"measure_{row}" for row in rows))

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """The accumulators at t0, where the variable has this value."""
        nothing, start = jnp.zeros_like(value), jnp.zeros_like(value) + t
        kept = {"integral": nothing, "time_of_max": start, "time_of_min": start}
        kept |= {"max": value, "min": value, "final": value}
        tracked = [x for one in self._trackers.values() for x in one.start(t, value)]
        return (*(kept[name] for name in self._own), *tracked)

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
        """What a step is searched for, one by one: an accumulator, or the number of a tracker."""
        own = (name for name in self._own if name in EXTREMES)
        return (*own, *map(str, range(len(self._trackers))))

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], tuple[Bool[Array, "*shape"], ...]]:
        """The accumulators after a step, as far as a look at its polynomial's coefficients in
        Bernstein's basis tells; and whether a search may find more, for each of `searched`.

        The polynomial stays within the least and the greatest coefficient, the first and the last
        are its ends, and their mean is its own.
        """
        own, tracked = self._apart(kept)
        old, end = dict(zip(self._own, own)), controls[-1]
        new, asked = {**old, "final": end}, []
        if "integral" in old:
            new["integral"] = old["integral"] + h * (sum(controls) / len(controls))
        for name, sign in EXTREMES.items():
            if name in old:
                beyond = _IS_BEYOND[sign](end, old[name])
                new[name] = jnp.where(beyond, end, old[name])
                if f"time_of_{name}" in old:
                    new[f"time_of_{name}"] = jnp.where(beyond, t + h, old[f"time_of_{name}"])
                asked.append(exceeds(name, _farthest(name, controls[1:-1]), new[name]))
        result = [new[name] for name in self._own]
        for tracker, mine in zip(self._trackers.values(), tracked):
            seen, is_asked = tracker.look(mine, t, h, controls)
            result += seen
            asked.append(is_asked)
        return tuple(result), tuple(asked)

    def looks(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> list[Any]:
        """What `look` says, one after another."""
        seen, asked = self.look(kept, t, h, controls)
        return [*seen, *asked]

    def search(
        self, name: str, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """The accumulators after a step that `look` has seen, searched for one of `searched`."""
        own, tracked = self._apart(kept)
        if name not in EXTREMES:
            tracker = list(self._trackers.values())[int(name)]
            tracked[int(name)] = tracker.search(tracked[int(name)], t, h, values)
            return (*own, *(x for rows in tracked for x in rows))
        new, sign, time_name = dict(zip(self._own, own)), EXTREMES[name], f"time_of_{name}"
        highest, place = peak([sign * v for v in values])
        higher = highest > sign * new[name]
        new[name] = jnp.where(higher, sign * highest, new[name])
        if time_name in new:
            time = t + h * (0.5 + 0.5 * place)
            new[time_name] = jnp.where(higher, time, new[time_name])
        return (*(new[name] for name in self._own), *kept[len(own) :])

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """The accumulators after the variable jumps to a value at t."""
        own, tracked = self._apart(kept)
        old, start = dict(zip(self._own, own)), jnp.zeros_like(value) + t
        new = {**old, "final": value}
        for name, sign in EXTREMES.items():
            if name in old:
                beyond = _IS_BEYOND[sign](value, old[name])
                new[name] = jnp.where(beyond, value, old[name])
                if f"time_of_{name}" in old:
                    new[f"time_of_{name}"] = jnp.where(beyond, start, old[f"time_of_{name}"])
        moved = zip(self._trackers.values(), tracked)
        later = [x for tracker, mine in moved for x in tracker.jump(mine, t, value)]
        return (*(new[name] for name in self._own), *later)

    def finish(
        self, kept: Sequence[np.ndarray], duration: Float[np.ndarray, "..."] | float
    ) -> dict[str, np.ndarray]:
        """The metrics by name; `duration` is t1 - t0, of a shape that broadcasts."""
        own, tracked = self._apart(kept)
        total = dict(zip(self._own, own))
        derived = {
            "mean": lambda: total["integral"] / duration,
            "amplitude": lambda: total["max"] - total["min"],
        }
        with np.errstate(invalid="ignore"):  # of a lane that failed at t0
            measured = {
                measure: tracker.results(mine)
                for (measure, tracker), mine in zip(self._trackers.items(), tracked)
            }
            return {
                name: measured[part.measure][part.output]
                if part is not None
                else derived[name]()
                if name in derived
                else total[name]
                for name, part in self.metrics.items()
            }

    def _apart(self, kept: Sequence[Any]) -> tuple[Sequence[Any], list[Sequence[Any]]]:
        """The accumulators without a measure, and those of each tracker."""
        place, tracked = len(self._own), []
        for tracker in self._trackers.values():
            tracked.append(kept[place : place + len(tracker.rows)])
            place += len(tracker.rows)
        return kept[: len(self._own)], tracked


def reducers(reductions: Collection[Reduction]) -> dict[str, Reducer]:
    """The reducer of each variable that has a reduction, in the order of the first of it."""
    metrics: dict[str, dict[str, MeasuredPart | None]] = {}
    for reduction in reductions:
        metrics.setdefault(reduction.variable, {})[reduction.metric] = reduction.measured
    return {variable: Reducer(chosen) for variable, chosen in metrics.items()}


def finish(
    reductions: Collection[Reduction],
    kept: Mapping[str, Sequence[np.ndarray]],
    success: Bool[np.ndarray, " lane"],
    duration: Float[np.ndarray, " lane"],
) -> dict[str, np.ndarray]:
    """All reductions by name, shape (lane, *shape of the variable); NaN where a lane failed.

    `kept` are the accumulators of each variable, lanes first, which may become
    the result; `duration` is t1 - t0.
    """
    result, failed = {}, np.flatnonzero(~success)
    for variable, reducer in reducers(reductions).items():
        ndim = kept[variable][0].ndim
        column = lambda x, ndim=ndim: x.reshape(-1, *(1,) * (ndim - 1))
        dtype = kept[variable][0].dtype
        for metric, value in reducer.finish(kept[variable], column(duration)).items():
            whole = np.require(value, dtype, ["C", "W"])
            whole[failed] = np.nan
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


def halves(controls: Sequence[Value]) -> list[Value]:
    """The coefficients of the first half of a polynomial in Bernstein's basis, then those of its
    second half: de Casteljau's algorithm.
    """
    row, first, second = list(controls), [controls[0]], [controls[-1]]
    while len(row) > 1:
        row = [0.5 * (a + b) for a, b in pairwise(row)]
        first.append(row[0])
        second.append(row[-1])
    return [*first, *second[-2::-1]]


def reaches(name: str, record: Value, controls: Sequence[Value]) -> list[Any]:
    """How far a step may go beyond an extreme, and whether by more than rounding: as the
    coefficients of its two halves tell, which are nearer to the polynomial, but no farther than by
    its own.
    """
    near, own = (_farthest(name, x[1:-1]) for x in (halves(controls), controls))
    reach = jnp.where(_IS_BEYOND[EXTREMES[name]](near, own), own, near)
    return [reach, exceeds(name, reach, record)]


def exceeds(name: str, reach: Value, record: Value) -> Bool[Array, "*shape"]:
    """Whether a polynomial that goes so far may exceed an extreme by more than rounding."""
    sign = EXTREMES[name]
    rounding = roundings(record.dtype) * jnp.abs(record)
    return _IS_BEYOND[sign](reach, record + sign * rounding)


def roundings(dtype: Any) -> float:
    """A peak that is higher by this part of it is none."""
    return _ROUNDINGS * float(jnp.finfo(dtype).eps)


def _farthest(name: str, controls: Sequence[Value]) -> Value:
    is_beyond = _IS_BEYOND[EXTREMES[name]]
    return reduce(lambda a, b: jnp.where(is_beyond(a, b), a, b), controls)
