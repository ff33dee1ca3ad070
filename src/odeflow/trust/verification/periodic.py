"""The state that repeated doses lead to, by SciPy: differences for derivatives, else simulated."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.integrate import solve_ivp

#: Relative tolerance of the state.
_RTOL = 1e-11
_MOST_STEPS, _MOST_INTERVALS = 12, 500


class Repeating(NamedTuple):
    """A dose at every interval, forever: it arrives `lag` later, at once or over `length`.

    `dose` is what a bolus adds, `rate` that of an infusion. A constant one is always there.
    """

    interval: float
    lag: float
    length: float
    dose: Float[np.ndarray, " component"]
    rate: Float[np.ndarray, " component"]
    constant: bool = False

    def pieces(self) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """What is added at times of an interval that begins with a dose, and the rates after it."""
        if self.constant:
            return [(0.0, np.zeros_like(self.dose), self.rate)]
        close = 1e-12 * self.interval
        arrivals = []
        while not arrivals or arrivals[-1] + self.length > close:
            arrivals.append(self.lag - len(arrivals) * self.interval)
        # those that were given before count with what is there; one at the end is of the interval
        boluses = [] if self.length else [a for a in arrivals if close < a <= self.interval + close]
        if not self.length and self.lag <= close:
            boluses = [0.0]
        spans = [(a, a + self.length) for a in arrivals] if self.length else []
        times = {0.0, *boluses, *(min(max(t, 0.0), self.interval) for span in spans for t in span)}
        result = []
        ordered = sorted(times)
        for time, following in zip(ordered, [*ordered[1:], self.interval]):
            middle = 0.5 * (time + following)
            running = sum(first <= middle < last for first, last in spans)
            result.append((time, boluses.count(time) * self.dose, running * self.rate))
        return result


def periodic_state(
    field: Callable[[np.ndarray], np.ndarray], repeating: Repeating, atol: float
) -> Float[np.ndarray, " component"]:
    """The state just before each of the doses; NaN where none is found."""
    atol = 1e-4 * atol
    start = np.zeros(len(repeating.dose))
    scale = max(float(np.abs([repeating.dose, repeating.rate]).max()), 1e-3)
    y = start.copy()
    for _ in range(_MOST_STEPS):
        after = _after(field, repeating, y, atol)
        moves = after - y
        columns = [
            (_after(field, repeating, y + scale * unit, atol) - after) / scale
            for unit in np.eye(len(y))
        ]
        try:
            step = np.linalg.solve(np.eye(len(y)) - np.array(columns).T, moves)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all():
            break
        y = y + step
        size = float(np.abs(y).max())
        if np.abs(step).max() <= 1e-9 * size + atol:
            return y
        scale = max(1e-3 * size, 1e3 * atol)
    y = start
    for _ in range(_MOST_INTERVALS):
        after = _after(field, repeating, y, atol)
        if np.abs(after - y).max() <= 1e-10 * np.abs(after).max() + atol:
            return after
        y = after
    return np.full(len(y), np.nan)


def _after(
    field: Callable[[np.ndarray], np.ndarray], repeating: Repeating, y: np.ndarray, atol: float
) -> np.ndarray:
    """The state after an interval."""
    pieces = repeating.pieces()
    ends = [*(time for time, _, _ in pieces[1:]), repeating.interval]
    for (time, added, rates), end in zip(pieces, ends):
        y = y + added
        if end > time and np.isfinite(y).all():
            found = solve_ivp(
                lambda t, x, rates=rates: field(x) + rates,
                (time, end), y, method="LSODA", rtol=_RTOL, atol=atol,
            )  # fmt: skip
            y = found.y[:, -1] if found.success else np.full(len(y), np.nan)
    return y
