"""The times at which a function of time, state and parameters switches, whatever the state.

They are found by calling it: what it compares (`arrays`, `formulas`) is a list of margins that
change sign, and of numbers that pass an integer (`floor`, `mod`). Those that time alone decides
are followed over the span. Nothing here looks at how the function is written.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from odeflow.trust.verification.numpy_functions import Notes

#: (t, y) -> margins and wholes, the parameters being given.
NotesAt = Callable[[float, np.ndarray], Notes]
#: (t, y) -> derivative.
FieldAt = Callable[[float, np.ndarray], np.ndarray]

#: Periods of one `floor` or `mod` within the span, and points that show what is not linear in time.
MOST_PERIODS, _POINTS = 20_000, 256
#: Points that are enough for what is linear.
_FEW = 5
_NONE = np.empty(0)
#: Nested `mod`s are found one after another.
_DEPTH = 3


class SwitchesNotFollowedError(Exception):
    """A span with more switches than can be followed."""


def switching_times(
    notes: NotesAt,
    t0: float,
    t1: float,
    states: Float[np.ndarray, "state component"],
    known: Float[np.ndarray, " known"] = _NONE,
) -> Float[np.ndarray, " time"]:
    """The times within (t0, t1) where what is compared changes, increasing.

    `states` are some states that a trajectory may have: what differs between them does not count.
    Between `known` times within the span, which are among the result, time enters smoothly.
    Raises SwitchesNotFollowedError.
    """
    by_time = _ByTime(notes, t0, t1, states)
    times = known
    for _ in range(_DEPTH):
        edges = np.concatenate([[t0], times, [t1]])
        found = np.unique(np.concatenate([times, by_time.within(edges)]))
        found = _apart(found[(found > t0) & (found < t1)], t1 - t0)
        if len(found) == len(times):
            break
        times = found
    return times


class _ByTime:
    """Those margins and wholes that time alone decides."""

    def __init__(self, notes: NotesAt, t0: float, t1: float, states: np.ndarray):
        self._notes, self._y = notes, states[0]
        probes = t0 + (t1 - t0) * np.array([0.0, 0.1234, 0.5678, 0.91, 1.0])
        seen = [[notes(t, y) for y in states] for t in probes]
        self._which = []
        for kind in (0, 1):
            values = np.array([[found[kind] for found in row] for row in seen])
            same = (values == values[:, :1]).all(axis=(0, 1))
            self._which.append(np.flatnonzero(same & (np.ptp(values[:, 0], axis=0) > 0)))

    def _at(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        margins, wholes = self._notes(t, self._y)
        return margins[self._which[0]], wholes[self._which[1]]

    def within(self, edges: np.ndarray) -> np.ndarray:
        """Times between neighbouring edges where something changes, seen from the inside."""
        if not any(map(len, self._which)):
            return np.empty(0)
        found: list[float] = []
        points = max(_FEW, _POINTS // (len(edges) - 1))
        for a, b in zip(edges, edges[1:]):
            ts, margins, wholes = self._between(a, b, _FEW)
            if any(_line(ts, values) is None for values in (*margins.T, *wholes.T)):
                ts, margins, wholes = self._between(a, b, points)
            for i, values in enumerate(margins.T):
                found += self._roots(lambda t, i=i: self._at(t)[0][i], ts, values, a, b)
            for values in wholes.T:
                found += _passing(ts, values, a, b)
        return np.array(found)

    def _between(
        self, a: float, b: float, points: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times inside (a, b), and margins and wholes at them."""
        ts = a + (b - a) * (np.arange(points) + 0.5) / points
        rows = [self._at(t) for t in ts]
        return ts, np.array([row[0] for row in rows]), np.array([row[1] for row in rows])

    def _roots(self, margin: Callable[[float], float], ts, values, a, b) -> list[float]:  # type: ignore[no-untyped-def]
        line = _line(ts, values)
        if line is not None:
            at, slope = line
            root = ts[0] - at / slope if slope else np.nan
            return [_settled(margin, root, b - a)] if a < root < b else []
        roots = []
        for i in np.flatnonzero(np.sign(values[1:]) * np.sign(values[:-1]) <= 0):
            roots.append(_bisected(margin, ts[i], ts[i + 1]))
        return roots


def _line(ts: np.ndarray, values: np.ndarray) -> tuple[float, float] | None:
    """Value at the first of the times and slope, of what is linear in time; else None."""
    slope = (values[-1] - values[0]) / (ts[-1] - ts[0])
    size = np.max(np.abs(values)) + np.max(np.abs(slope * ts))
    close = np.abs(values - values[0] - slope * (ts - ts[0])) <= 1e-12 * size
    return (float(values[0]), float(slope)) if close.all() else None


def _passing(ts: np.ndarray, values: np.ndarray, a: float, b: float) -> list[float]:
    """When the integers are passed by what is linear; else where it is seen that they are."""
    line = _line(ts, values)
    if line is None:
        whole = np.floor(values)
        return [float(ts[i + 1]) for i in np.flatnonzero(whole[1:] != whole[:-1])]
    at, slope = line
    if not slope:
        return []
    ends = sorted(at + slope * (np.array([a, b]) - ts[0]))
    if ends[1] - ends[0] > MOST_PERIODS:
        raise SwitchesNotFollowedError(f"more than {MOST_PERIODS:,} periods of a function of time")
    return [float(ts[0] + (n - at) / slope) for n in np.arange(np.ceil(ends[0]), ends[1] + 1)]


def _settled(margin: Callable[[float], float], root: float, span: float) -> float:
    """A root of what is linear, to the last bit: where the sign changes between neighbours."""
    before, after = np.nextafter(root, -np.inf), np.nextafter(root, np.inf)
    if margin(root) == 0 or margin(before) * margin(after) < 0:
        return float(root)
    width = min(1e-12 * (abs(root) + span), span / 8)
    if margin(root - width) * margin(root + width) >= 0:
        return float(root)
    return _bisected(margin, root - width, root + width)


def _bisected(margin: Callable[[float], float], low: float, high: float) -> float:
    """The first number at which the margin has the sign that it has at `high`."""
    sign = margin(high) >= 0
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return float(high)
        low, high = (low, middle) if (margin(middle) >= 0) == sign else (middle, high)


def _apart(times: np.ndarray, span: float) -> np.ndarray:
    """Without those that only a rounding parts from the one before."""
    if not len(times):
        return times
    gap = 4 * np.spacing(np.maximum(np.abs(times), span))
    return times[np.concatenate([[True], np.diff(times) > gap[1:]])]


class Activity(NamedTuple):
    """Where a field changes fast with time: stops at the edges of such stretches, and the longest
    step that sees what happens in one; infinite where time plays no part.
    """

    stops: Float[np.ndarray, " time"]
    max_step: float


#: Points of time at which a field is looked at, a change of its course that counts, and more
#: stretches than are told apart.
_SAMPLES, _ABRUPT, _MOST_STRETCHES = 2048, 0.02, 64


def activity(
    field: FieldAt,
    t0: float,
    t1: float,
    states: Float[np.ndarray, "state component"],
    known: Float[np.ndarray, " time"],
) -> Activity:
    """Where the derivative at given states changes abruptly with time: jumps and narrow pulses.

    Changes at `known` times are left out. A pulse that is shorter than a two-thousandth of the
    span may be missed.
    """
    ts = np.linspace(t0, t1, _SAMPLES + 1)
    active = np.zeros(len(ts) - 2, bool)
    depends = False
    for y in states:
        values = np.nan_to_num([field(t, y) for t in ts], posinf=0.0, neginf=0.0)
        size = np.ptp(values, axis=0)
        depends |= bool((size > 0).any())
        bend = np.abs(values[1:-1] - 0.5 * (values[2:] + values[:-2]))
        active |= (bend > _ABRUPT * size).any(axis=1)
    if not depends:
        return Activity(np.empty(0), np.inf)
    for cell in np.searchsorted(ts, known):
        active[max(cell - 2, 0) : cell + 1] = False
    step = (t1 - t0) / _SAMPLES
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(int)))
    starts, ends = ts[edges[::2]], ts[edges[1::2] + 1]
    if len(starts) > _MOST_STRETCHES:
        return Activity(np.empty(0), 8 * step)
    # what bends everywhere at this resolution is followed in short steps
    is_long = len(starts) and np.max(ends - starts) > 64 * step
    stops = np.unique(np.concatenate([starts, ends]))
    return Activity(stops[(stops > t0) & (stops < t1)], 16 * step if is_long else np.inf)
