"""A polynomial over one step, known at its Lobatto nodes: its greatest value, where it turns and
where it passes a threshold.

The functions are elementwise `jax.numpy` without branches.

Reference: Press et al., Numerical Recipes, section 9.4, for the safeguarded Newton method.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from odeflow.problem.lobatto import lobatto

Value = Float[Array, "*shape"]

#: Newton's method from the middle of a bracket is at rounding error after five; where a curve
#: passes a threshold just below its peak, it first halves the distance a few times.
_ITERATIONS, _MORE_ITERATIONS = 6, 16
#: So many find where a curve turns.
_TURN_ITERATIONS = 10
#: Five find a peak from next to it so well that its height is.
_PEAK_ITERATIONS = 5
#: So many nodes see a peak without places between them.
_MANY = 9


def peak(values: Sequence[Value]) -> tuple[Value, Value]:
    """The greatest value over a step and its place in [-1, 1], the first of equal ones."""
    curve, last = curve_through(values), len(values) - 1
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


def first_above(values: Sequence[Value], threshold: float) -> tuple[Bool[Array, "*shape"], Value]:
    """Whether a variable exceeds a threshold in a step that it does not at its start, and where.

    Looks at the nodes, half-way between them where they are few, and at peaks next to these.
    """
    curve, nodes = curve_through(values), _places(len(values))
    slope = curve.derivative()
    bend, high = slope.derivative(), jnp.ones_like(values[0])
    grid, seen = _fine(len(nodes)), list(values)
    if len(grid) > len(nodes):
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


def turns(values: Sequence[Value]) -> list[tuple[Value, Value]]:
    """Places in [-1, 1] from end to end, and the values there: between two of them the polynomial
    only rises or only falls.

    Roots of each derivative lie between those of the next one, which begins with a straight line.
    """
    curve = curve_through(values)
    derivatives = [curve.derivative()]
    for _ in range(len(values) - 3):
        derivatives.append(derivatives[-1].derivative())
    start = jnp.full_like(values[0], -1.0)
    places = [start, -start]
    for derivative in reversed(derivatives):
        iterations = _TURN_ITERATIONS if derivative is derivatives[0] else _ITERATIONS
        bend = derivative.derivative()
        rises = [derivative.at(place) > 0 for place in places]
        roots = []
        for (a, b), (before, after) in zip(pairwise(places), pairwise(rises)):
            root = _root(derivative.at, bend.at, before, a, b, iterations)
            roots.append(jnp.where(before != after, root, b))
        places = [start, *roots, -start]
    inner = [
        jnp.where(place <= -1, values[0], jnp.where(place >= 1, values[-1], curve.at(place)))
        for place in places[1:-1]
    ]
    return list(zip(places, [values[0], *inner, values[-1]]))


def passages(
    values: Sequence[Value], threshold: float, direction: int
) -> list[tuple[Bool[Array, "*shape"], Value]]:
    """Where a polynomial passes a threshold, in order: whether there is a first, second, ... such
    passage, and its place in [-1, 1].

    `direction` is 1 for those from not above it to above it, -1 for those back, 0 for both.
    """
    curve, corners = curve_through(values), turns(values)
    slope, most = curve.derivative(), most_passages(len(values), direction)
    number, start = jnp.zeros_like(values[0]), corners[0][0]
    low, high, falls = [start] * most, [start] * most, [start > 0] * most
    for (a, before), (b, after) in pairwise(corners):
        was, now = before > threshold, after > threshold
        passes = {1: ~was & now, -1: was & ~now, 0: was != now}[direction]
        for k in range(most):
            this = passes & (number == k)
            low[k], high[k] = jnp.where(this, a, low[k]), jnp.where(this, b, high[k])
            falls[k] = jnp.where(this, was, falls[k])
        number = jnp.where(passes, number + 1, number)
    distance = lambda s: curve.at(s) - threshold
    return [
        (number > k, _root(distance, slope.at, falls[k], low[k], high[k], _MORE_ITERATIONS))
        for k in range(most)
    ]


def most_passages(number_of_nodes: int, direction: int) -> int:
    """How many `passages` a polynomial can have."""
    degree = number_of_nodes - 1
    return degree if direction == 0 else (degree + 1) // 2


class Curve:
    """A polynomial of s in [-1, 1] over a step by its coefficients, the constant first."""

    def __init__(self, coefficients: Sequence[Value]):
        self._coefficients = coefficients

    def at(self, s: Value) -> Value:
        """The value at a place."""
        value = self._coefficients[-1]
        for other in self._coefficients[-2::-1]:
            value = other + s * value
        return value

    def derivative(self) -> "Curve":
        """Its derivative along s."""
        return Curve([i * x for i, x in enumerate(self._coefficients)][1:])

    def integral(self, low: Value, high: Value) -> Value:
        """The integral from one place to another."""
        zero = jnp.zeros_like(low)
        total = Curve([zero, *(x / (i + 1) for i, x in enumerate(self._coefficients))])
        return total.at(high) - total.at(low)


@cache
def _places(number: int) -> list[float]:
    """The nodes where the step is [-1, 1]."""
    return [2 * float(node) - 1 for node in lobatto(number)]


@cache
def _fine(number: int) -> list[float]:
    """The nodes, with the middles between them where they are few."""
    nodes = _places(number)
    if number >= _MANY:
        return nodes
    return sorted([*nodes, *(0.5 * (left + right) for left, right in pairwise(nodes))])


@cache
def _inverse(number: int, lowest: int) -> np.ndarray:
    """Makes coefficients of every second power from the lowest on of values at the upper nodes."""
    upper = np.array(_places(number)[number // 2 + 1 :])
    return np.linalg.inv(upper[:, None] ** np.arange(lowest, number, 2)[: len(upper)])


def curve_through(values: Sequence[Value]) -> Curve:
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
    return Curve([middle, *(x for powers in zip(*solved) for x in powers)])


def _root(
    function: Callable[[Value], Value],
    slope: Callable[[Value], Value],
    falls: Bool[Array, "*shape"],
    low: Value,
    high: Value,
    iterations: int,
) -> Value:
    """A root in a bracket, at whose lower end a function is positive where it `falls`."""
    sign = jnp.where(falls, jnp.ones_like(low), -1.0)
    return _falling_root(
        lambda s: sign * function(s), lambda s: sign * slope(s), low, high, iterations
    )


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

    def nearer(_: Any, state: tuple[Value, Value, Value]) -> tuple[Value, Value, Value]:
        low, high, s = state
        value = function(s)
        low, high = jnp.where(value > 0, s, low), jnp.where(value > 0, high, s)
        newton, slack = s - value / slope(s), 0.01 * (high - low)
        near = (newton >= low - slack) & (newton <= high + slack)
        newton = jnp.where(newton < low, low, jnp.where(newton > high, high, newton))
        return low, high, jnp.where(near, newton, 0.5 * (low + high))

    # a loop, which XLA compiles in a fraction of the time that its steps one by one take
    return lax.fori_loop(0, iterations, nearer, (low, high, 0.5 * (low + high)))[2]
