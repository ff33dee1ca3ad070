"""One variable through its course, from SciPy's dense output: crossings, peaks, integrals are found
here by other means than `odeflow.problem.trackers` has.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from odeflow.problem.measures import (
    NOISE,
    CountedCrossings,
    CountedPeaks,
    LogSlope,
    MeasuredPart,
    TimeBeyond,
    ValueAt,
    WindowIntegral,
)
from odeflow.trust.verification.crossings import roots_of

#: Points of a step at which a variable is looked at, and those of Gauss's rule.
_POINTS = np.linspace(0.0, 1.0, 11)
_GAUSS, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class Piece(NamedTuple):
    """A step of a course, from `a` to `b`: followed variables as functions of the time."""

    a: float
    b: float
    values: Callable[[float], np.ndarray]


class CourseLine:
    """One scalar variable along a course: jumps are where the next piece begins elsewhere."""

    def __init__(self, pieces: Sequence[Piece], place: int):
        self._pieces, self._place = pieces, place
        self.start, self.end = pieces[0].a, pieces[-1].b
        self._seen = [self._sampled(piece) for piece in pieces]
        self._passed: dict[tuple[float, bool], list[tuple[float, int]]] = {}
        self._peaks: dict[CountedPeaks, list[tuple[float, float]]] = {}
        #: The largest size that it has.
        self.largest = max(float(np.abs(values).max()) for _, values in self._seen)

    def _sampled(self, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
        ts = piece.a + (piece.b - piece.a) * (_POINTS if piece.b > piece.a else _POINTS[:1])
        ts[-1] = piece.b
        return ts, np.array([self._at(piece, t) for t in ts])

    def _at(self, piece: Piece, t: float) -> float:
        return float(piece.values(t)[self._place])

    def measured(self, part: MeasuredPart, tolerances: tuple[float, float]) -> float:
        """A metric of it; the tolerances are its absolute and its relative one."""
        with np.errstate(all="ignore"):
            match part.measure:
                case CountedCrossings(threshold, direction, _, start, end):
                    found = [
                        t
                        for t, way in self.crossings(threshold)
                        if way == direction or not direction
                    ]
                    return _of_events([t for t in found if start <= t <= end], part.output)
                case CountedPeaks() as peaks:
                    return self._of_peaks(peaks, part.output, tolerances)
                case TimeBeyond() as beyond:
                    return self._time_beyond(beyond)
                case WindowIntegral(start, end):
                    return sum(w * v for _, w, v in self._quadrature(start, end))
                case ValueAt(time):
                    return self._value_at(time)
                case LogSlope(start, end):
                    slope = self._log_slope(start, end)
                    return slope if part.output == "slope" else _half_life(slope)
        raise TypeError(f"no measure: {part.measure}")

    def at(self, time: float) -> float:
        """Its value at a time."""
        return self._value_at(time)

    def crossings(self, threshold: float, jumps: bool = True) -> list[tuple[float, int]]:
        """Times and directions of all crossings of a threshold, in order, by `jumps` too."""
        if (threshold, jumps) not in self._passed:
            self._passed[threshold, jumps] = list(self._crossings(threshold, jumps))
        return self._passed[threshold, jumps]

    def _crossings(self, threshold: float, jumps: bool) -> Iterator[tuple[float, int]]:
        above = None
        for piece, (ts, values) in zip(self._pieces, self._seen):
            margin = lambda t, piece=piece: self._at(piece, t) - threshold
            roots = roots_of(margin, ts, values - threshold) if len(ts) > 1 else []
            corners = sorted({*roots, piece.b})
            if jumps and above is not None and (values[0] > threshold) != above:
                yield piece.a, 1 if not above else -1
            above = values[0] > threshold
            for root, following in zip(corners, corners[1:]):
                now = self._at(piece, 0.5 * (root + following)) > threshold
                if now != above:
                    yield root, 1 if now else -1
                above = now
            if (values[-1] > threshold) != above:
                yield piece.b, 1 if not above else -1
                above = not above

    def _time_beyond(self, wanted: TimeBeyond) -> float:
        events = [(t, way * wanted.sign) for t, way in self.crossings(wanted.threshold)]
        beyond = wanted.sign * (self._seen[0][1][0] - wanted.threshold) > 0
        total, since = 0.0, self.start
        for time, way in [*events, (self.end, -1)]:
            if beyond:
                low, high = max(since, wanted.start), min(time, wanted.end)
                total += max(high - low, 0.0)
            since, beyond = time, way > 0
        return total

    def _extremes(self) -> Iterator[tuple[float, float]]:
        """Times and values: ends of pieces, and where it turns between them."""
        for piece, (ts, values) in zip(self._pieces, self._seen):
            yield ts[0], values[0]
            for i in range(1, len(ts) - 1):
                a, b, c = values[i - 1 : i + 2]
                sign = 1.0 if b >= max(a, c) else -1.0 if b <= min(a, c) else 0.0
                if sign:
                    found: Any = minimize_scalar(
                        lambda t, piece=piece, sign=sign: -sign * self._at(piece, t),
                        bounds=(ts[i - 1], ts[i + 1]),
                        method="bounded",
                        options={"xatol": 1e-10 * (ts[i + 1] - ts[i - 1])},
                    )
                    yield float(found.x), -sign * float(found.fun)
            for i, beside in ((0, 2), (len(ts) - 2, len(ts) - 3)) if len(ts) > 2 else ():
                if _turns(ts[[i, i + 1, beside]], values[[i, i + 1, beside]], ts[i], ts[i + 1]):
                    yield from self._beside(piece, ts[i], ts[i + 1])
            yield ts[-1], values[-1]

    def _beside(self, piece: Piece, low: float, high: float) -> Iterator[tuple[float, float]]:
        """A turn between an end of a piece and the point beside it, which may be the highest."""
        ends = (self._at(piece, low), self._at(piece, high))
        for sign in (1.0, -1.0):
            found: Any = minimize_scalar(
                lambda t, sign=sign: -sign * self._at(piece, t),
                bounds=(low, high), method="bounded", options={"xatol": 1e-10 * (high - low)},
            )  # fmt: skip
            if -found.fun > max(sign * end for end in ends):
                yield float(found.x), -sign * float(found.fun)

    def _of_peaks(
        self, wanted: CountedPeaks, output: str, tolerances: tuple[float, float]
    ) -> float:
        if wanted not in self._peaks:
            self._peaks[wanted] = self._found_peaks(wanted, tolerances)
        kept = self._peaks[wanted]
        if output.startswith("height_"):
            number = int(output.removeprefix("height_"))
            return kept[number - 1][1] if number <= len(kept) else math.nan
        return _of_events([time for time, _ in kept], output)

    def _found_peaks(
        self, wanted: CountedPeaks, tolerances: tuple[float, float]
    ) -> list[tuple[float, float]]:
        least, relative = wanted.prominence, 0.0
        if least is None:
            least, relative = (NOISE * x for x in tolerances)
        points = sorted(self._extremes(), key=lambda point: point[0])
        peaks: list[tuple[float, float]] = []
        high = low = points[0]
        looks_for_peak = False
        for point in points:
            if looks_for_peak:
                high = point if point[1] > high[1] else high
                if high[1] - point[1] > least + relative * abs(high[1]):
                    peaks.append(high)
                    looks_for_peak, low = False, point
            else:
                low = point if point[1] < low[1] else low
                if point[1] - low[1] > least + relative * abs(low[1]):
                    looks_for_peak, high = True, point
        return [peak for peak in peaks if wanted.start <= peak[0] <= wanted.end]

    def _quadrature(self, start: float, end: float) -> Iterator[tuple[float, float, float]]:
        """Times, weights and values for an integral from one time to another."""
        for piece in self._pieces:
            low, high = max(piece.a, start), min(piece.b, end)
            if high > low:
                for node, weight in zip(_GAUSS, _WEIGHTS):
                    t = low + (high - low) * (0.5 + 0.5 * node)
                    yield t, 0.5 * (high - low) * weight, self._at(piece, t)

    def _value_at(self, time: float) -> float:
        if time > self.end:
            return math.nan
        last = max(i for i, piece in enumerate(self._pieces) if piece.a <= time)
        return self._at(self._pieces[last], min(time, self._pieces[last].b))

    def _log_slope(self, start: float, end: float) -> float:
        points = np.array(list(self._quadrature(start, end)))
        if not len(points):
            return math.nan
        t, weights, logs = points[:, 0], points[:, 1], np.log(points[:, 2])
        off = t - np.average(t, weights=weights)
        slope = float((weights * off * logs).sum() / (weights * off**2).sum())
        return slope if math.isfinite(slope) else math.nan


def _turns(ts: np.ndarray, values: np.ndarray, low: float, high: float) -> bool:
    """Whether the parabola through three points may turn between two times, or just beside them."""
    (a, b, c), (x, y, z) = ts, values
    slope, other = (y - x) / (b - a), (z - y) / (c - b)
    bend = (other - slope) / (c - a)
    if bend == 0:
        return False
    vertex, slack = 0.5 * (a + b) - 0.5 * slope / bend, high - low
    return bool(low - slack < vertex < high + slack)


def _half_life(slope: float) -> float:
    return math.log(2) / -slope if slope < 0 else math.nan


def _of_events(times: Sequence[float], output: str) -> float:
    """What a list of times tells: their number, one of them, their mean distance, how often."""
    number = len(times)
    if output == "number":
        return float(number)
    if output in ("interval", "frequency"):
        distance = float(np.mean(np.diff(times))) if number > 1 else math.nan
        return distance if output == "interval" else 1 / distance
    place = {"first": 0, "last": number - 1}.get(output)
    place = int(output.removeprefix("time_")) - 1 if place is None else place
    return times[place] if 0 <= place < number else math.nan


def measured_in(
    output: str, value: np.ndarray, largest: np.ndarray, atol: float, rtol: float, span: float
) -> tuple[np.ndarray, np.ndarray]:
    """The scale of a metric and its tolerance.

    `value` is the metric, `largest` the largest size of its variable, `span` that of the time.
    """
    width = atol + rtol * largest
    size = np.abs(np.nan_to_num(value))
    one = np.ones_like(value)
    if output == "number":  # a whole number that is off is wrong
        return one, 1e-3 * one
    if output == "value" or output.startswith("height_"):
        return largest * one, width * one
    if output == "integral":
        return largest * span * one, width * span * one
    if output == "frequency":
        return np.maximum(size, 1 / span), rtol * size * np.maximum(span * size, 1.0)
    if output == "slope":
        return np.maximum(size, 1 / span), rtol * np.maximum(size, 1 / span)
    if output == "half_life":
        return np.maximum(size, span), rtol * np.maximum(size, span) * np.maximum(size / span, 1.0)
    return span * one, rtol * span * one
