"""Where inside of a step a guard fires: one search for both engines.

The conditions of guards compare numbers (`problem.conditions.compared`), and change where the
difference of two of them changes sign. Over a step, a fraction from 0 to 1 of it, a difference is
the polynomial through its values at a few nodes; its coefficients in Bernstein's basis change sign
at least as often as it does, and where they do not, it has no root there. So most steps are done
with that one look (`may_fire`). In others the search goes from the left to the right: it halves the
part in which one difference may change more than once, passes the parts in which nothing fires, and
where one change is left, halves it to the last bit on the method's own dense output. So the
earliest firing is found, also of a condition that is true for a part of a step only.

Written in JAX for one lane: the Diffrax engine calls it, the native engine translates it.

References: Lane and Riesenfeld, Bounds on a polynomial, BIT 21, 112-117 (1981); Collins and
Akritas, Polynomial real root isolation using Descartes' rule of signs, SYMSAC (1976).
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from odeflow.engines.shared.watch import Memory, Watch
from odeflow.problem.lobatto import bernstein, lobatto
from odeflow.problem.methods import METHODS
from odeflow.problem.problem import Problem

#: Looks at one step, after which it is cut where it is known so far.
MOST_LOOKS = 1000
#: A coefficient below this many roundings of what is compared has no sign.
_ROUNDINGS = 16


class SearchState(IntEnum):
    """How a search goes on: `low` to `high` is looked at next, holds one change, or is the end."""

    search = 0
    one_change = 1
    over = 2
    fired = 3


class Path(NamedTuple):
    """A step from `t0`, of this length, to `t1`; `state` gives the state at a fraction of it, its
    own end at 1.
    """

    t0: Any
    length: Any
    t1: Any
    state: Callable[[Any], Any]

    def time(self, part: Any) -> Any:
        """The time at a fraction of the step."""
        return jnp.where(part < 1, self.t0 + part * self.length, self.t1)

    def at(self, part: Any) -> tuple[Any, Any]:
        """Time and state at a fraction of the step."""
        return self.time(part), self.state(part)


class Place(NamedTuple):
    """A part of a step and what is known of its start, `low`: which guards hold there, and the
    signs of what is compared (from the first look on). `from_t` and `to_t` are the times of `low`
    and `high`, which a fraction may not tell to the last bit. `ends` are the signs at the end of
    the part that holds one change, if a guard tests whether numbers are equal, else empty. Where
    something fires, `found` is which guards hold there, 1 or -1.
    """

    low: Any
    high: Any
    from_t: Any
    to_t: Any
    verdict: Any
    guard: Float[Array, " guard"]
    signs: Float[Array, " comparison"]
    ends: Float[Array, " comparison"]
    found: Float[Array, " guard"]


class Crossings:
    """The search in the steps of one problem."""

    def __init__(self, problem: Problem, watch: Watch):
        self._watch = watch
        self.nodes = lobatto(METHODS[problem.solver.method].degree + 1)
        self._to_bernstein = bernstein(self.nodes)
        self._epsilon = float(np.finfo(problem.dtype).eps)
        # a part, next to its distance from the start, in which what seems to change twice is taken
        # to touch zero
        self._narrow = 256 * self._epsilon
        #: Halvings after which a bracket is a last bit, also one near to the start of a step.
        self.halvings = int(np.finfo(problem.dtype).nmant) + 24
        if not any(guard.located for guard in problem.guards):
            self.halvings = 0  # the end of a step is all that is looked at

    @cached_property
    def number(self) -> int:
        """How many differences there are."""
        return self._watch.number_of_comparisons

    @cached_property
    def number_of_ends(self) -> int:
        """Of how many the search keeps the signs at the end of a part."""
        return self.number if self._watch.equal.any() else 0

    def may_fire(self, path: Path, args: Any, memory: Memory) -> tuple[Any, Any]:
        """Whether a guard may fire in a step, and which hold at its end."""
        fires, now = self._watch.fires(*path.at(1.0), args, memory)
        if self.number == 0:
            return fires, now
        values = [self._differences(path.at(float(node)), args, memory)[0] for node in self.nodes]
        changes = _sign(values[0]) != _sign(values[-1])
        coefficients = self._coefficients(values)
        least, most = coefficients[0], coefficients[0]
        for value in coefficients[1:]:
            least, most = jnp.minimum(least, value), jnp.maximum(most, value)
        return fires | jnp.any(changes | ((least < 0) & (most > 0))), now

    def start(self, path: Path, memory: Memory) -> Place:
        """The whole step, before it is looked at."""
        number = lambda value: jnp.asarray(value, memory["guard"].dtype)
        signs = jnp.zeros(self.number, memory["guard"].dtype)
        verdict = number(float(SearchState.search))
        found = jnp.zeros_like(memory["guard"])
        ends = jnp.zeros(self.number_of_ends, signs.dtype)
        times = path.t0, path.t1
        return Place(number(0), number(1), *times, verdict, memory["guard"], signs, ends, found)

    def look(self, place: Place, path: Path, args: Any, memory: Memory) -> Place:
        """Looks at a part of a step, which may fire: passes it, or says that it holds one
        change, or halves it.
        """
        low, high = place.low, place.high
        memory = {**memory, "guard": place.guard}
        if self._watch.equal.any():
            first = self._watch.at_start(place.from_t, path.state(low), args, memory)
            place = place._replace(guard=jnp.where(low > 0, place.guard, first))
            memory = {**memory, "guard": place.guard}
        fires, now = self._watch.fires(place.to_t, path.state(high), args, memory)
        width = high - low
        most = total = jnp.zeros_like(low)
        signs = end = place.signs
        differs = jnp.asarray(False)
        if self.number:
            parts = [low + float(node) * width for node in self.nodes[1:-1]]
            here = [
                (place.from_t, path.state(low)),
                *map(path.at, parts),
                (place.to_t, path.state(high)),
            ]
            seen = [self._differences(point, args, memory) for point in here]
            values, scales = [x[0] for x in seen], [x[1] for x in seen]
            # those that the guards were looked at with: here rounding may be another
            signs = jnp.where(low > 0, signs, _sign(values[0]))
            changes = self._variations(signs, values, scales)
            most, total = jnp.max(changes), jnp.sum(changes)
            end = _sign(values[-1])
            differs = jnp.any(signs != end)
            if self._watch.equal.any():  # what is met is to be found, even if nothing else changes
                total = total + jnp.any(self._watch.equal & (signs != end))
        simple = (most <= 1) | (width <= self._narrow * high)
        holds = simple & (fires | (differs & (total > 1)))
        passes = simple & ~holds
        over = passes & (high >= 1)
        verdict = jnp.where(holds, float(SearchState.one_change), float(SearchState.search))
        middle = 0.5 * (low + high)
        choose = lambda end, now, half: jnp.where(passes, end, jnp.where(simple, now, half))
        return place._replace(
            low=jnp.where(passes, high, low),
            high=choose(1.0, high, middle),
            from_t=jnp.where(passes, place.to_t, place.from_t),
            to_t=choose(path.t1, place.to_t, path.time(middle)),
            verdict=jnp.where(over, float(SearchState.over), verdict),
            guard=jnp.where(passes, now.astype(place.guard.dtype), place.guard),
            signs=jnp.where(passes, end, signs),
            ends=end if self.number_of_ends else place.ends,
        )

    def halve(self, place: Place, path: Path, args: Any, memory: Memory) -> tuple[Place, Any, Any]:
        """Halves a part that holds one change: the times, as long as there is one between. Also
        gives the state there, and whether it is the one at the new end.

        A number that passes another has done so where its difference has the sign that it has at
        the end: next to where they are equal, rounding may give it back the sign from before, or
        make it zero, and what goes on from such a state would pass once more.
        """
        low, high, from_t, to_t = place[:4]
        middle, part = self._middle(place), low + 0.5 * (high - low)
        between = (from_t < middle) & (middle < to_t)
        there = jnp.clip((middle - path.t0) / path.length, low, high)
        part = jnp.where(between, there, part)
        time = jnp.where(between, middle, jnp.clip(path.time(part), from_t, to_t))
        point = time, path.state(part)
        here = self._watch.fires(*point, args, {**memory, "guard": place.guard})[0]
        if self.number:
            signs = _sign(self._differences(point, args, memory)[0])
            changed = signs != place.signs
            if self.number_of_ends:
                passed = changed & (signs == place.ends)
                here &= ~jnp.any(self._watch.equal & changed & ~passed)
                changed = jnp.where(self._watch.equal, passed, changed)
            here |= jnp.any(changed)
        halved = place._replace(
            low=jnp.where(here, low, part),
            high=jnp.where(here, part, high),
            from_t=jnp.where(here, from_t, time),
            to_t=jnp.where(here, time, to_t),
        )
        return halved, point[1], here

    def is_fine(self, place: Place, path: Path) -> Any:
        """Whether a part of a step is as short as the time, or a fraction of the step, can tell."""
        finest = self._epsilon * (2 * place.high + 2.0**-10 * abs(path.t0) / path.length)
        middle = self._middle(place)
        between = (place.from_t < middle) & (middle < place.to_t)
        return (place.high - place.low <= finest) & ~between

    @staticmethod
    def _middle(place: Place) -> Any:
        return place.from_t + 0.5 * (place.to_t - place.from_t)

    def settle(self, place: Place, path: Path, args: Any, memory: Memory) -> Place:
        """After a change has been found: whether a guard fires there.

        Where numbers meet, a guard that tests whether they differ is false for that one time. If
        nothing else happens there it fires at once, of the same state.
        """
        memory = {**memory, "guard": place.guard}
        point, met, signs = (place.to_t, path.state(place.high)), None, place.signs
        if self.number:
            signs = _sign(self._differences(point, args, memory)[0])
            met = self._watch.equal & (signs != place.signs) if self.number_of_ends else None
        fires, now = self._watch.fires(*point, args, memory, met)
        guard = place.guard
        if met is not None:
            after = self._watch.fires(*point, args, memory)[1]
            leaves = ~fires & after & ~now
            guard = jnp.where(leaves, 0.0, guard)
            now, fires = now | leaves, fires | jnp.any(leaves)
        goes_on = jnp.where(place.high >= 1, float(SearchState.over), float(SearchState.search))
        return place._replace(
            signs=signs,
            low=jnp.where(fires, place.low, place.high),
            high=jnp.where(fires, place.high, 1.0),
            from_t=jnp.where(fires, place.from_t, place.to_t),
            to_t=jnp.where(fires, place.to_t, path.t1),
            verdict=jnp.where(fires, float(SearchState.fired), goes_on),
            guard=jnp.where(fires, guard, now).astype(place.guard.dtype),
            found=jnp.where(fires, jnp.where(now, 1.0, -1.0), 0.0).astype(place.guard.dtype),
        )

    def _differences(self, here: tuple[Any, Any], args: Any, memory: Memory) -> tuple[Any, Any]:
        """What is compared, one side less the other; and how large both are."""
        left, right = self._watch.compared(*here, args, memory)
        return left - right, abs(left) + abs(right)

    def _coefficients(self, values: Sequence[Any]) -> list[Any]:
        rows, smooth = self._to_bernstein, self._watch.smooth
        found = [sum(float(m) * v for m, v in zip(row, values) if m != 0) for row in rows]
        if smooth.all():
            return found
        # what changes in steps is no polynomial: its values are all that is known
        return [jnp.where(smooth, new, value) for new, value in zip(found, values)]

    def _variations(self, signs: Any, values: Sequence[Any], scales: Sequence[Any]) -> Any:
        """How often, from its sign at the start on, the coefficients of each difference change
        sign; small ones have none. To leave zero is to change.
        """
        scale = scales[0]
        for other in scales[1:]:
            scale = jnp.maximum(scale, other)
        last, number = signs, jnp.zeros_like(scale)
        for row, value in zip(self._to_bernstein, self._coefficients(values)):
            slack = _ROUNDINGS * self._epsilon * float(np.abs(row).sum()) * scale
            counts = abs(value) > slack
            sign = jnp.where(value > 0, 1.0, -1.0)
            number = number + jnp.where(counts & (sign != last), 1.0, 0.0)
            last = jnp.where(counts, sign, last)
        return number


def _sign(value: Any) -> Any:
    return jnp.where(value > 0, 1.0, jnp.where(value < 0, -1.0, 0.0)).astype(value.dtype)
