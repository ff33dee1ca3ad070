"""What all trackers are like, and what several of them need."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

Value = Float[Array, "*shape"]
#: One for all of a variable's components, or one each.
Time = Float[Array, "*#shape"]
Answer = Bool[Array, "*shape"]


@runtime_checkable
class Tracker(Protocol):
    """Follows a variable: `rows` are names of the numbers that it carries from step to step."""

    @property
    def rows(self) -> tuple[str, ...]:
        """What it carries."""
        ...

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """What it carries at t0, where the variable has this value."""
        ...

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """After a step of length h from t as far as its coefficients in Bernstein's basis tell,
        and whether a search may find more.
        """
        ...

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """After a step that `look` has seen and asked for, of the values at its nodes."""
        ...

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """After the variable jumps to a value at t."""
        ...

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of the measure by name."""
        ...


class Unmoved:
    """Of trackers that a jump of the variable leaves as they are."""

    def jump(self, kept: Sequence[Value], t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.jump`."""
        del t, value
        return tuple(kept)


def is_within(time: Time, start: float, end: float) -> Answer:
    """Whether times are from `start` to `end`."""
    return (time >= start) & (time <= end)


def overlap(a: Time, b: Time, start: float, end: float) -> tuple[Time, Time]:
    """The part of [a, b] from `start` to `end`: its ends, which are the same where it is empty."""
    low = jnp.minimum(jnp.maximum(a, start), b)
    return low, jnp.maximum(jnp.minimum(b, end), low)


def time_at(t: Time, h: Time, place: Value) -> Value:
    """The time at a place in [-1, 1] of a step."""
    return t + h * (0.5 + 0.5 * place)


def any_of(conditions: Iterable[Answer]) -> Answer:
    """Whether one of them holds."""
    return reduce(jnp.logical_or, conditions)


def nth(times: Sequence[Value], number: Value, counts: Answer, time: Value) -> list[Value]:
    """The first times of what is counted, after one more where it `counts`; `number` was before."""
    return [jnp.where(counts & (number == k), time, old) for k, old in enumerate(times)]
