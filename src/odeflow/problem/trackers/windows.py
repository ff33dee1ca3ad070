"""What is integrated between two times: a variable, and its logarithm for the slope of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jax.numpy as jnp
import numpy as np

from odeflow.problem.lobatto import lobatto
from odeflow.problem.measures import LogSlope, WindowIntegral
from odeflow.problem.step_curves import curve_through
from odeflow.problem.trackers.tracker import Answer, Time, Unmoved, Value, overlap

#: Nodes of the quadrature of a logarithm over a step.
_NODES = 5


@dataclass(frozen=True)
class IntegralTracker(Unmoved):
    """Carries the integral so far."""

    measure: WindowIntegral
    rows = ("integral",)

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        del t
        return (jnp.zeros_like(value),)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        low, high = overlap(t, t + h, self.measure.start, self.measure.end)
        everywhere, end = jnp.ones_like(controls[0], bool), controls[-1]
        is_whole = ((low <= t) & (high >= t + h)) & everywhere
        mean = end + sum(value - end for value in controls[:-1]) / len(controls)
        part = (high > low) & ~is_whole
        return (kept[0] + jnp.where(is_whole, h * mean, 0.0),), part

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        zero = jnp.zeros_like(values[0])
        ends = overlap(t, t + h, self.measure.start, self.measure.end)
        low, high = (zero + (2 * (time - t) / h - 1) for time in ends)
        return (kept[0] + 0.5 * h * curve_through(values).integral(low, high),)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        return {"integral": kept[0]}


@dataclass(frozen=True)
class SlopeTracker(Unmoved):
    """Carries the start of what is seen of the window, its length, and the integrals of the
    logarithm and of the logarithm times the time since that start.
    """

    measure: LogSlope
    rows = ("begin", "length", "logs", "moments")

    def start(self, t: Time, value: Value) -> tuple[Value, ...]:
        """See `Tracker.start`."""
        zero = jnp.zeros_like(value)
        return (zero + jnp.maximum(t, self.measure.start), zero, zero, zero)

    def look(
        self, kept: Sequence[Value], t: Time, h: Time, controls: Sequence[Value]
    ) -> tuple[tuple[Value, ...], Answer]:
        """See `Tracker.look`."""
        low, high = overlap(t, t + h, self.measure.start, self.measure.end)
        return tuple(kept), (high > low) & jnp.ones_like(controls[0], bool)

    def search(
        self, kept: Sequence[Value], t: Time, h: Time, values: Sequence[Value]
    ) -> tuple[Value, ...]:
        """See `Tracker.search`."""
        begin, length, logs, moments = kept
        low, high = overlap(t, t + h, self.measure.start, self.measure.end)
        curve, zero = curve_through(values), jnp.zeros_like(values[0])
        for node, weight in zip(lobatto(_NODES), _weights()):
            time = low + (high - low) * float(node)
            log = jnp.log(curve.at(zero + (2 * (time - t) / h - 1)))
            part = float(weight) * (high - low) * log
            logs, moments = logs + part, moments + part * (time - begin)
        return (begin, length + (high - low), logs, moments)

    def results(self, kept: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """See `Tracker.results`."""
        _, length, logs, moments = kept
        with np.errstate(all="ignore"):
            slope = 12 * (moments - logs * length / 2) / length**3
            slope = np.where(np.isfinite(slope), slope, np.nan)
            return {"slope": slope, "half_life": np.where(slope < 0, np.log(2) / -slope, np.nan)}


@cache
def _weights() -> np.ndarray:
    """Those of the quadrature at Lobatto's nodes over [0, 1]."""
    nodes, powers = lobatto(_NODES), np.arange(_NODES)
    return np.linalg.solve(nodes ** powers[:, None], 1 / (powers + 1.0))
