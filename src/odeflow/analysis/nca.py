"""Noncompartmental analysis of dosing intervals: peak, trough, area, half-life, accumulation.

References:
    Purves (1992), Optimum numerical integration methods for estimation of area-under-the-curve,
    J. Pharmacokinet. Biopharm. 20. Gabrielsson, Weiner (2016), Pharmacokinetic and pharmacodynamic
    data analysis, 5th ed.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from odeflow.config.metrics import product_units
from odeflow.config.summary import NcaConfig
from odeflow.files import slabs
from odeflow.problem.status import has_failed

#: The dimension of dosing intervals.
INTERVAL = "interval"
#: Points that a terminal slope is of, at least, and by how much a fit has to be better for fewer.
_FEWEST, _BETTER = 3, 1e-4

Courses = Float[np.ndarray, "sample time"]
Numbers = Float[np.ndarray, " sample"]


class Interval(NamedTuple):
    """What is found of one dosing interval, one number per sample.

    The time of the peak counts from the start of the interval.
    """

    cmax: Numbers
    tmax: Numbers
    trough: Numbers
    auc_tau: Numbers
    half_life: Numbers


#: Of what an interval has: its words, and a template of its units.
_WORDS = {
    "cmax": ("largest {}", "{y}"),
    "tmax": ("time of the largest {}, after the dose", "{t}"),
    "trough": ("{} at the end", "{y}"),
    "auc_tau": ("area under {}, linear up and log down", "{y} {t}"),
    "half_life": ("terminal half-life of {}", "{t}"),
    "accumulation": ("area under {} over that in the first interval", ""),
}


def nca_variables(ensemble: xr.Dataset, asked: Mapping[str, NcaConfig]) -> dict[str, xr.Variable]:
    """What noncompartmental analyses add to the summary of an ensemble.

    Arguments:
        ensemble: the trajectories; their saved times hold the ends of all intervals.
        asked: by variable, its intervals.

    Returns:
        By name `<variable>_<what>`, over the dimensions of the design and `interval_<variable>`;
        and the starts of intervals. NaN where a trajectory failed.
    """
    found: dict[str, xr.Variable] = {}
    dims, leading = tuple(map(str, ensemble["status"].dims)), ensemble["status"].shape
    total, time = ensemble["status"].size, ensemble["time"].values.astype(float)
    units = ensemble["time"].attrs.get("units", "1").split(" since ")[0]
    failed = has_failed(ensemble["status"].values.ravel())
    for name, one in asked.items():
        array = ensemble[name].transpose(*dims, "time")
        results = {what: np.full((total, len(one.times)), np.nan) for what in _WORDS}
        for first, last in slabs.slabs(0, total, 8 * time.size):
            courses = slabs.take(array.variable, first, last, leading).astype(float)
            for number, start in enumerate(one.times):
                here = _within(time, start, one.tau)
                for what, values in (
                    interval(time[here] - start, courses[:, here])._asdict().items()
                ):
                    results[what][first:last, number] = values
        with np.errstate(all="ignore"):
            results["accumulation"] = results["auc_tau"] / results["auc_tau"][:, :1]
        words, of = array.attrs.get("long_name", name), f"{INTERVAL}_{name}"
        for what, values in results.items():
            values[failed] = np.nan
            text, template = _WORDS[what]
            own = {
                "units": product_units(template, array.attrs.get("units", "1"), units) or "1",
                "long_name": f"{text.format(words)} of the interval",
            }
            shaped = values.reshape(*leading, len(one.times))
            found[f"{name}_{what}"] = xr.Variable((*dims, of), shaped, own)
        attributes = {"units": units, "long_name": f"start of the interval, {one.tau:g} long"}
        found[of] = xr.Variable(of, np.array(one.times), attributes)
    return found


def _within(time: np.ndarray, start: float, tau: float) -> np.ndarray:
    """The saved times of an interval, its ends included."""
    close = 1e-9 * max(abs(start) + tau, float(np.abs(time).max()))
    return (time >= start - close) & (time <= start + tau + close)


def interval(t: Float[np.ndarray, " time"], c: Courses) -> Interval:
    """What is found of one interval.

    Arguments:
        t: its times, from 0.
        c: what was there.

    Returns:
        One number per sample; a half-life is NaN where nothing declines.
    """
    peak = np.argmax(c, axis=1)
    return Interval(c.max(axis=1), t[peak], c[:, -1].copy(), _area(t, c), _half_life(t, c, peak))


def _area(t: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Linear where it rises, logarithmic where it falls."""
    before, after, dt = c[:, :-1], c[:, 1:], np.diff(t)
    linear = 0.5 * (before + after) * dt
    with np.errstate(all="ignore"):
        falls = (after < before) & (after > 0)
        logarithmic = (before - after) / np.log(before / after) * dt
    return np.where(falls, logarithmic, linear).sum(axis=1)


def _half_life(t: np.ndarray, c: np.ndarray, peak: np.ndarray) -> np.ndarray:
    """By the log-linear line through the last points after the peak that fits best.

    The fit with the largest adjusted R squared is taken, of equal ones that of the most points.
    """
    best = np.full(len(c), -np.inf)
    slope = np.full(len(c), np.nan)
    with np.errstate(all="ignore"):
        y = np.log(c)
        for number in range(_FEWEST, len(t) + 1):
            x, own = t[-number:], y[:, -number:]
            dx, dy = x - x.mean(), own - own.mean(axis=1, keepdims=True)
            steepness = (dy * dx).sum(axis=1) / (dx**2).sum()
            unexplained = ((dy - steepness[:, None] * dx) ** 2).sum(axis=1)
            fit = 1 - unexplained / (dy**2).sum(axis=1) * (number - 1) / (number - 2)
            # the peak is no part of the decline
            usable = (len(t) - number > peak) & np.isfinite(fit) & (steepness < 0)
            better = usable & (fit > best - _BETTER)
            slope = np.where(better, steepness, slope)
            best = np.where(better, np.maximum(fit, best), best)
    return np.log(2) / -slope
