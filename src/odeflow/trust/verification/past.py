"""States as they were a while before, from SciPy's dense outputs: the method of steps.

Reference: E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
section II.17. Springer.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.problem.model import Model
from odeflow.trust.verification.dose_formulas import evaluated

#: Times are one where no more than this many roundings part them.
_ROUNDINGS = 32
#: Derivatives that DOP853 sees jump.
_ORDERS = 9


class GivenDelay(NamedTuple):
    """A delay of the config: which component it is of, and which parameter has its value."""

    component: int
    value: int
    by: float | str
    history: float | str | None


def given_delays(model: Model) -> list[GivenDelay]:
    """The delays of a model, one for each component that is looked at."""
    owners, names = [one.state for one in model.components], list(model.declared.parameters)
    result = []
    for name, delay in model.declared.delays.items():
        places = [i for i, owner in enumerate(owners) if owner == delay.of]
        # an array's values lie side by side, and behind them the length of the delay
        first = names.index(f"{name}_delay") - len(places)
        result += [
            GivenDelay(component, first + i, delay.by, delay.history)
            for i, component in enumerate(places)
        ]
    return result


class Past:
    """What a trajectory was, one step after another, and the times at which its steps have to end.

    `names` are those of the parameters, `args` what they are at t0, `y0` the state before all
    doses.
    """

    def __init__(
        self,
        delays: Sequence[GivenDelay],
        names: Sequence[str],
        args: Float[np.ndarray, " parameter"],
        y0: Float[np.ndarray, " component"],
    ):
        numbers = dict(zip(names, args.tolist()))
        value = lambda given: evaluated(given, numbers) if isinstance(given, str) else float(given)
        self._delays = [
            (one, value(one.by), float(y0[one.component]) if one.history is None
             else value(one.history))
            for one in delays
        ]  # fmt: skip
        self._lengths = sorted({length for _, length, _ in self._delays})
        self._starts: list[float] = []
        self._steps: list[Callable[[float], np.ndarray]] = []
        self._points: list[tuple[float, int]] = []

    def __bool__(self) -> bool:
        return bool(self._delays)

    @property
    def shortest(self) -> float:
        """The shortest delay: no step is longer."""
        return min(self._lengths, default=np.inf)

    def add(self, a: float, dense: Callable[[float], np.ndarray]) -> None:
        """A step from `a` on, after which what was known beyond that no longer holds."""
        while self._starts and self._starts[-1] >= a:
            self._starts.pop()
            self._steps.pop()
        self._starts.append(a)
        self._steps.append(dense)

    def restarted(self, t: float) -> None:
        """Something jumps at a time: so do further derivatives, delays later."""
        self._follow(t, 0)

    def passed(self, t: float) -> None:
        """The trajectory has come to a time."""
        near = self._near(t)
        while self._points and self._points[0][0] <= t + near:
            _, order = self._points.pop(0)
            self._follow(t, order)

    def next(self) -> float:
        """The first time to come at which a step has to end."""
        return self._points[0][0] if self._points else np.inf

    def _follow(self, t: float, order: int) -> None:
        if order >= _ORDERS:
            return
        near = self._near(t)
        for length in self._lengths:
            time = t + length
            place = bisect_right(self._points, (time - near, -1))
            if place < len(self._points) and self._points[place][0] <= time + near:
                known, other = self._points[place]
                self._points[place] = known, min(other, order + 1)
            else:
                insort(self._points, (time, order + 1))

    def _near(self, t: float) -> float:
        longest = max(self._lengths, default=0.0)
        return _ROUNDINGS * float(np.finfo(float).eps) * (abs(t) + longest)

    def args(
        self,
        t: float,
        args: Float[np.ndarray, " parameter"],
        stretch: tuple[float, float] = (-np.inf, np.inf),
    ) -> Float[np.ndarray, " parameter"]:
        """The parameters at a time: with the states of a while before among them.

        At the ends of a stretch, at which things may have jumped, they are those of its inside.
        """
        if not self._delays:
            return args
        near, result = self._near(t), args.copy()
        for delay, length, history in self._delays:
            low, high = stretch[0] - length + near, stretch[1] - length - near
            before = min(max(t - length, low), high) if np.isfinite(low) else t - length + near
            place = bisect_right(self._starts, before) - 1
            known = place >= 0
            result[delay.value] = self._steps[place](before)[delay.component] if known else history
        return result
