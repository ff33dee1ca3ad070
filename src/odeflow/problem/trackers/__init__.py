"""Measures reduced step by step: one file for each, elementwise `jax.numpy` without branches.

A tracker carries a few numbers from step to step. It sees each step twice: its coefficients in
Bernstein's basis, and, where it asks for a search, the values at the nodes.
"""

from odeflow.problem.measures import (
    CountedCrossings,
    CountedPeaks,
    FirstTime,
    LogSlope,
    Measure,
    TimeBeyond,
    ValueAt,
    WindowIntegral,
)
from odeflow.problem.trackers.crossings import CrossingTracker
from odeflow.problem.trackers.first_time import FirstTimeTracker
from odeflow.problem.trackers.peaks import PeakTracker
from odeflow.problem.trackers.time_beyond import BeyondTracker
from odeflow.problem.trackers.tracker import Tracker
from odeflow.problem.trackers.value_at import ValueTracker
from odeflow.problem.trackers.windows import IntegralTracker, SlopeTracker

_TRACKERS = {
    FirstTime: FirstTimeTracker,
    CountedCrossings: CrossingTracker,
    CountedPeaks: PeakTracker,
    TimeBeyond: BeyondTracker,
    WindowIntegral: IntegralTracker,
    ValueAt: ValueTracker,
    LogSlope: SlopeTracker,
}


def tracker_of(measure: Measure) -> Tracker:
    """What finds a measure in the steps of a solver."""
    return _TRACKERS[type(measure)](measure)  # type: ignore[arg-type]


__all__ = ["Tracker", "tracker_of"]
