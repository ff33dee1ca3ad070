"""Courses over time as piecewise polynomials. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

#: Most times at which one trajectory stops since a function of time jumps there.
MOST_SWITCHES = 10_000

Interpolation = Literal["linear", "previous", "next", "cubic"]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Courses of one quantity over common knots: polynomials before, between and after them.

    In piece k, which begins at knot k - 1, course c is at the time t the polynomial of
    t - starts[k] that has the `coefficients` [c, k], the constant first.
    """

    knots: Float[np.ndarray, " knot"]
    starts: Float[np.ndarray, " piece"]
    coefficients: Float[np.ndarray, "course piece degree"]

    @property
    def is_continuous(self) -> bool:
        """Whether the courses have no jumps: those of constant pieces have."""
        return self.coefficients.shape[2] > 1

    def without_still_knots(self) -> Pieces:
        """Without the knots at which all courses are, and stay, at one value."""
        levels, slopes = self.coefficients[..., 0], self.coefficients[..., 1:]
        still = (slopes == 0).all(axis=(0, 2))
        same = (levels[:, 1:] == levels[:, :-1]).all(axis=0)
        kept = ~(still[1:] & still[:-1] & same)
        pieces = np.concatenate([[True], kept])
        return Pieces(self.knots[kept], self.starts[pieces], self.coefficients[:, pieces])

    def at_knots(self, knots: Float[np.ndarray, " other"]) -> Pieces:
        """The same courses over knots among which are theirs."""
        places = np.concatenate([[0], np.searchsorted(self.knots, knots, side="right")])
        return Pieces(knots, self.starts[places], self.coefficients[:, places])


def pieces(
    times: Float[np.ndarray, " knot"],
    values: Float[np.ndarray, "course knot"],
    interpolation: Interpolation,
) -> Pieces:
    """Courses through values at times, which increase; before and after them the nearest value."""
    parts = [values, values[:, -1:]] if interpolation == "next" else [values[:, :1], values]
    terms = [np.concatenate(parts, axis=1)]
    if interpolation in ("linear", "cubic"):
        secants = np.diff(values) / np.diff(times)
        inner = [secants] if interpolation == "linear" else _monotone(times, secants)
        terms += [np.pad(term, ((0, 0), (1, 1))) for term in inner]
    starts = np.concatenate([times[:1], times])
    return Pieces(times, starts, np.stack(terms, axis=-1)).without_still_knots()


def _monotone(times: np.ndarray, secants: np.ndarray) -> list[np.ndarray]:
    """Coefficients of the first three powers of cubics that are monotone where the values are.

    The slope at a knot is the weighted harmonic mean of those on both sides, 0 where they differ in
    sign; at both ends that of a parabola, if it has the sign of the secant and not three times its
    size.

    References: F. N. Fritsch and R. E. Carlson (1980), Monotone Piecewise Cubic Interpolation, SIAM
    J. Numer. Anal. 17, 238-246; F. N. Fritsch and J. Butland (1984), A Method for Constructing
    Local Monotone Piecewise Cubic Interpolants, SIAM J. Sci. Stat. Comput. 5, 300-304.
    """
    h = np.diff(times)
    if len(h) < 2:
        slopes = np.repeat(secants, 2, axis=1)
    else:
        before, after = secants[:, :-1], secants[:, 1:]
        w_before, w_after = h[:-1] + 2 * h[1:], 2 * h[:-1] + h[1:]
        with np.errstate(all="ignore"):
            mean = (w_before + w_after) / (w_before / before + w_after / after)
        inner = np.where(np.sign(before) * np.sign(after) > 0, mean, 0.0)
        first = _end_slope(h[0], h[1], secants[:, 0], secants[:, 1])
        last = _end_slope(h[-1], h[-2], secants[:, -1], secants[:, -2])
        slopes = np.concatenate([first[:, None], inner, last[:, None]], axis=1)
    left, right = slopes[:, :-1], slopes[:, 1:]
    return [left, (3 * secants - 2 * left - right) / h, (left + right - 2 * secants) / h**2]


def _end_slope(h: float, next_h: float, secant: np.ndarray, next_secant: np.ndarray) -> np.ndarray:
    slope = ((2 * h + next_h) * secant - h * next_secant) / (h + next_h)
    slope = np.where(np.sign(slope) != np.sign(secant), 0.0, slope)
    too_large = (np.sign(secant) != np.sign(next_secant)) & (abs(slope) > 3 * abs(secant))
    return np.where(too_large, 3 * secant, slope)
