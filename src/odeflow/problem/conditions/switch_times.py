"""At what times a model's functions change their form, trajectory by trajectory.

A comparison of time with what depends on parameters and constants alone changes at times that can
be known before anything is solved: in closed form where it is affine in t, else by bracketing. The
engines end a step at each, so that none is passed over and none lies inside a step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from odeflow.problem.conditions.comparisons import Crossing, Degree, PointFunction, crossings
from odeflow.problem.pieces import MOST_SWITCHES

#: Places at which what is not affine is looked at: at first, and at most.
_SAMPLES, _MOST_SAMPLES = 1024, 2**15
#: Sets of parameters looked at together, and points in one call.
_ROWS, _POINTS = 2**16, 2**20


class Roots(NamedTuple):
    """Switching times, one by one: the row of parameters and the time of each."""

    row: np.ndarray
    time: np.ndarray


@dataclass(frozen=True, eq=False)
class Switches:
    """What changes with time in functions of (t, y, args), all in the scalars of a model.

    `size` and `parameters` are the numbers of the state's scalars and of parameters; at `knots`
    the functions have kinks.
    """

    functions: tuple[PointFunction, ...]
    size: int
    parameters: int
    knots: Float[np.ndarray, " knot"] = field(default_factory=lambda: np.empty(0))

    @cached_property
    def _static(self) -> list[Crossing]:
        """The crossings, without values."""
        scalar = jax.ShapeDtypeStruct((), jnp.result_type(float))
        return self._crossings(scalar, [scalar] * self.parameters, scalar, evaluate=False)

    def _crossings(
        self, t: Any, args: Sequence[Any], component: Any, evaluate: bool = True
    ) -> list[Crossing]:
        """Those of time and parameters alone, at a point."""
        y = [component] * self.size
        every = [c for f in self.functions for c in crossings(f, t, y, args, evaluate)]
        return [c for c in every if not c.info.y and c.info.degree > Degree.steps]

    def __bool__(self) -> bool:
        return bool(self._static)

    @property
    def parameters_used(self) -> frozenset[int]:
        """Numbers of the parameters that switching times depend on."""
        return frozenset().union(*(c.info.args for c in self._static))

    @property
    def unknown(self) -> list[str]:
        """The user's lines whose switching times cannot be found."""
        return list(dict.fromkeys(c.where for c in self._static if c.levels == "unknown"))

    @property
    def lines(self) -> list[str]:
        """The user's lines that compare time."""
        return list(dict.fromkeys(c.where for c in self._static))

    def times(
        self, t0: float, t1: float, args: Float[np.ndarray, "parameter lane"]
    ) -> Float[np.ndarray, "switch lane"]:
        """The switching times of each lane from t0 to t1, both included, increasing.

        Each is the first floating-point number at which a comparison has come out differently.
        Infinite where a lane has no more. Raises TooManySwitchesError.
        """
        rows, lane = self._rows(args)
        parts = [
            self._row_times(t0, t1, rows[:, i : i + _ROWS]) for i in range(0, rows.shape[1], _ROWS)
        ]
        most = max((len(part) for part in parts), default=0)
        fill = lambda part: np.pad(part, ((0, most - len(part)), (0, 0)), constant_values=np.inf)
        return np.concatenate([fill(part) for part in parts], axis=1)[:, lane]

    def _rows(self, args: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sets of the parameters that switching times depend on, and the number of each lane's."""
        used = sorted(self.parameters_used)
        size = args.shape[1]
        if any(len(np.unique(args[number])) > size // 2 for number in used):
            return args, np.arange(size)
        _, first, lane = np.unique(args[used], axis=1, return_index=True, return_inverse=True)
        return args[:, first], lane.ravel()

    def _row_times(self, t0: float, t1: float, args: np.ndarray) -> np.ndarray:
        size = args.shape[1]
        found = _padded(Roots(np.empty(0, int), np.empty(0)), size)
        kinks = self.knots[(self.knots > t0) & (self.knots < t1), None]
        for number, crossing in enumerate(self._static):
            if crossing.levels == "unknown":
                continue
            search = _Search(self._evaluate, number, crossing, args)
            whole = crossing.info.degree == Degree.affine
            inner = np.empty((0, size)) if whole else found
            if len(kinks) and not whole:
                inner = np.sort(np.concatenate([inner, np.repeat(kinks, size, axis=1)]), axis=0)
            edges = np.concatenate([np.full((1, size), t0), inner, np.full((1, size), t1)])
            roots = search.roots(np.minimum(edges, t1))
            old = np.nonzero(np.isfinite(found.T))
            rows = np.concatenate([old[0], roots.row])
            found = _padded(Roots(rows, np.concatenate([found.T[old], roots.time])), size)
            if len(found) > MOST_SWITCHES:
                raise TooManySwitchesError(crossing.where)
        return found

    def _evaluate(self, number: int, t: np.ndarray, args: np.ndarray) -> tuple[np.ndarray, Any]:
        """Values (point, element) of a crossing at times with their parameters, and its table."""
        parts = []
        for start in range(0, len(t), _POINTS):
            part = slice(start, start + _POINTS)
            count = len(t[part])
            pad = (0, max(64, 2 ** (count - 1).bit_length()) - count)
            points = np.pad(t[part], pad, "edge"), np.pad(args[:, part], ((0, 0), pad), "edge")
            found = self._compiled(*points)
            parts.append(jax.tree.map(lambda x, count=count: np.asarray(x)[:count], found[number]))
        values, levels = zip(*parts)
        return np.concatenate(values), levels[0] if levels[0] is None else np.concatenate(levels)

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        def one(t: Any, args: Any) -> list[tuple[Any, Any]]:
            return [
                (jnp.ravel(c.value), None if c.table is None else jnp.ravel(c.table))
                for c in self._crossings(t, list(args), jnp.zeros_like(t))
            ]

        return jax.jit(jax.vmap(one, in_axes=(0, 1)))


class TooManySwitchesError(ValueError):
    """Time is compared so often that a trajectory would stop more than `MOST_SWITCHES` times."""


def _padded(roots: Roots, size: int) -> Float[np.ndarray, "switch row"]:
    """Times by row, increasing, equal ones once; infinite where a row has no more."""
    order = np.lexsort((roots.time, roots.row))
    row, time = roots.row[order], roots.time[order]
    new = np.ones(len(row), bool)
    new[1:] = (row[1:] != row[:-1]) | (time[1:] > time[:-1])
    row, time = row[new], time[new]
    counts = np.bincount(row, minlength=size)
    result = np.full((counts.max(initial=0), size), np.inf)
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    result[place, row] = time
    return result


class _Search:
    """Finds where one crossing passes its levels, for many rows of parameters."""

    def __init__(
        self, evaluate: Callable[..., Any], number: int, crossing: Crossing, args: np.ndarray
    ) -> None:
        self._evaluate = lambda t, row: evaluate(number, t, args[:, row])
        self._levels = crossing.levels
        self._is_affine = crossing.info.degree < Degree.other
        self._rows = args.shape[1]

    def roots(self, edges: Float[np.ndarray, "edge row"]) -> Roots:
        """All roots between edges, those at edges included."""
        if self._is_affine and self._levels != "steps":
            return self._between(edges, 2)
        known, samples = self._between(edges, max(_SAMPLES // len(edges), 8)), 2 * _SAMPLES
        while True:
            finer = self._between(edges, max(samples // len(edges), 16))
            if len(finer.time) == len(known.time) or samples >= _MOST_SAMPLES:
                return finer
            known, samples = finer, 4 * samples

    def _between(self, edges: np.ndarray, samples: int) -> Roots:
        """Roots by this many places in each stretch between edges; two for affine pieces."""
        start, end = edges[:-1], edges[1:]
        stretch, row = np.nonzero(end > start)
        a, b = start[stretch, row], end[stretch, row]
        if self._is_affine and self._levels != "steps":
            # off the edges, where the form changes; a line through two places gives the ends
            low, high = a + 0.25 * (b - a), a + 0.75 * (b - a)
            (v_low, levels), (v_high, _) = (self._evaluate(t, row) for t in (low, high))
            half = 0.5 * (v_high - v_low)
            places, values = np.stack([a, b], 1), np.stack([v_low - half, v_high + half], 1)
        else:
            part = (np.arange(samples) + 0.5) / samples
            part = np.concatenate([[1e-12], part, [1 - 1e-12]])
            places = a[:, None] + part * (b - a)[:, None]
            flat, levels = self._evaluate(places.ravel(), np.repeat(row, len(part)))
            values = flat.reshape(*places.shape, -1)
            levels = None if levels is None else levels[:: len(part)]
        return self._passed(places, values, row, levels)

    def _passed(
        self, places: np.ndarray, values: np.ndarray, row: np.ndarray, levels: Any
    ) -> Roots:
        """Roots where values (stretch, place, element) at neighbouring places enclose a level."""
        before, after = values[:, :-1], values[:, 1:]
        low, high = np.minimum(before, after), np.maximum(before, after)
        with np.errstate(invalid="ignore"):
            if self._levels == "steps":
                found = np.nonzero(low < high)
                level = before[found]
            elif self._levels in ("integers", "halves"):
                shift = 0.5 if self._levels == "halves" else 0.0
                first, last = np.ceil(low - shift), np.floor(high - shift)
                count = np.where((low < high) & np.isfinite(high - low), last - first + 1, 0)
                count = np.maximum(count, 0).astype(int)
                if count.sum() > MOST_SWITCHES * self._rows:
                    raise TooManySwitchesError("")
                found = tuple(
                    np.repeat(index.ravel(), count.ravel()) for index in np.indices(count.shape)
                )
                number = _within(count.ravel())
                level = first[found] + shift + number
            elif self._levels == "zero":
                found = np.nonzero((low <= 0) & (high >= 0) & (low < high))
                level = np.zeros(len(found[0]))
            else:
                table = levels[:, None, :]
                passed = (low <= table) & (high >= table) & (low < high)
                stretch, place, entry = np.nonzero(passed)
                found, level = (stretch, place, np.zeros_like(entry)), levels[stretch, entry]
        return self._refined(places, values, row, found, level)

    def _refined(
        self,
        places: np.ndarray,
        values: np.ndarray,
        row: np.ndarray,
        found: tuple[np.ndarray, ...],
        level: np.ndarray,
    ) -> Roots:
        """The first floating-point numbers at which a level is reached, by bisection."""
        stretch, place, element = found
        if not len(stretch):
            return Roots(np.empty(0, int), np.empty(0))
        a, b = places[stretch, place], places[stretch, place + 1]
        before, after = values[found], values[stretch, place + 1, element]
        rows, rises = row[stretch], after > before
        is_discrete = self._levels == "steps"

        def reached(t: np.ndarray, which: Any = slice(None)) -> np.ndarray:
            value = self._evaluate(t, rows[which])[0][np.arange(len(t)), element[which]]
            if is_discrete:
                return value != level[which]
            return np.where(rises[which], value >= level[which], value <= level[which])

        low, high = a.copy(), b.copy()
        if self._is_affine and not is_discrete:
            guess = a + (level - before) / (after - before) * (b - a)
            width = 64 * np.spacing(np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(guess)))
            low, high = np.maximum(guess - width, a), np.minimum(guess + width, b)
            previous = np.nextafter(guess, -np.inf)
            exact = reached(guess) & ~reached(previous)
            low, high = np.where(exact, previous, low), np.where(exact, guess, high)
        high = np.where(reached(low), low, high)  # else a root at 0 is halved down to denormals
        while True:
            middle = low + 0.5 * (high - low)
            left = np.flatnonzero((middle > low) & (middle < high))
            if not left.size:
                break
            middle = middle[left]
            here = reached(middle, left)
            low[left] = np.where(here, low[left], middle)
            high[left] = np.where(here, middle, high[left])
        # the lower end itself may be it, at the start of a stretch
        return Roots(rows, np.where(reached(low), low, high))


def _within(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... within each group of these sizes."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
