"""Measurements over the trajectories: a panel an observable, a colour a condition."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from odeflow.config.root import Config
from odeflow.dataset import flag_meanings
from odeflow.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    label,
    message,
    panels,
)
from odeflow.status import has_failed

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
#: Trajectories of a condition that a band is of, at most.
_MOST = 2000
_BAND = (5, 95)


def measurements(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Points with the noise of the best parameter set, its line, and a band of all sets."""
    likelihood = summary["log_likelihood"].values
    if np.isnan(likelihood).all():
        return message("No parameter set succeeded: see the overview page for the reasons.")
    best = int(np.nanargmax(likelihood)) // config.design.runs
    names = flag_meanings(summary["measured_variable"])
    if config.plot.variables is not None:
        names = [name for name in names if name in config.plot.variables] or names
    figure, axes = panels(len(names))
    conditions = list(config.design.conditions)
    for name, ax in zip(names, axes):
        for condition, colour in enumerate(_cycled(len(conditions))):
            points = _points(summary, name, condition)
            if points["value"].size:
                _trajectories(ax, ensemble, name, condition, best, config.design.runs, colour)
                _error_bars(ax, points, colour)
        _limits(ax, ensemble, summary, name, best, config.design.runs)
        ax.set_xlabel(label(ensemble["time"]))
        ax.set_ylabel(label(ensemble[name]))
    _legend(figure, axes, conditions)
    return figure


def _cycled(number: int) -> list[str]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(number)]


def _points(summary: xr.Dataset, name: str, condition: int | None = None) -> dict[str, np.ndarray]:
    """What was measured of a variable, under one condition or all."""
    number = flag_meanings(summary["measured_variable"]).index(name)
    here = summary["measured_variable"].values == number
    if condition is not None:
        here &= summary["measured_condition"].values == condition
    columns = {
        "time": "measured_time",
        "value": "measured_value",
        "noise": "best_noise",
        "scale": "measured_transformation",
    }
    return {key: summary[column].values[here] for key, column in columns.items()}


def _ends(points: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """One unit of noise below and above the measured values, on the scale of the noise."""
    value, noise = points["value"], np.nan_to_num(points["noise"])
    factor = np.choose(points["scale"], [np.ones_like(noise), np.exp(noise), 10.0**noise])
    linear = points["scale"] == 0
    low = np.where(linear, value - noise, value / factor)
    return low, np.where(linear, value + noise, value * factor)


def _error_bars(ax: Axes, points: dict[str, np.ndarray], colour: str) -> None:
    low, high = _ends(points)
    ax.errorbar(
        points["time"], points["value"], [points["value"] - low, high - points["value"]],
        linestyle="", marker="o", markersize=3.2, markeredgecolor="white", markeredgewidth=0.5,
        color=colour, elinewidth=0.8, capsize=1.8, capthick=0.8, zorder=4,
    )  # fmt: skip


def _trajectories(
    ax: Axes, ensemble: xr.Dataset, name: str, condition: int, best: int, runs: int, colour: str
) -> None:
    time = ensemble["time"].values
    rows = np.arange(condition, ensemble.sizes["sample"], runs)
    shown = rows[:: -(-len(rows) // _MOST)]
    shown = shown[~has_failed(ensemble["status"].values[shown])]
    if len(shown) > 1:
        values = ensemble[name].isel(sample=shown).transpose("sample", "time").values
        low, high = np.percentile(values, _BAND, axis=0)
        ax.fill_between(time, low, high, color=colour, alpha=0.13, linewidth=0, zorder=1)
    line = ensemble[name].isel(sample=best * runs + condition).values
    few = {"marker": ".", "markersize": 3} if len(time) < 2 else {}
    ax.plot(time, line, color=colour, linewidth=1.3, zorder=3, **few)


def _limits(
    ax: Axes, ensemble: xr.Dataset, summary: xr.Dataset, name: str, best: int, runs: int
) -> None:
    """Limits by the data and the best trajectories: a band of all sets may be far wider."""
    points = _points(summary, name)
    rows = best * runs + np.unique(
        summary["measured_condition"].values[
            summary["measured_variable"].values
            == flag_meanings(summary["measured_variable"]).index(name)
        ]
    )
    lines = ensemble[name].isel(sample=rows).values.ravel()
    seen = np.concatenate([*_ends(points), lines[np.isfinite(lines)]])
    if (points["scale"] > 0).all():
        seen = seen[seen > 0]
        low, high = np.log(seen.min()), np.log(seen.max())
        margin = 0.08 * max(high - low, 0.1)
        ax.set_yscale("log")
        ax.set_ylim(np.exp(low - margin), np.exp(high + margin))
    else:
        margin = 0.08 * (np.ptp(seen) or 1.0)
        ax.set_ylim(seen.min() - margin, seen.max() + margin)
    ax.margins(x=0.02)


def _legend(figure: Figure, axes: list[Axes], conditions: list[str]) -> None:
    """What line, band and points are, and the colour of each condition."""
    neutral = "#555555"
    handles = [
        Line2D([], [], color=neutral, marker="o", markersize=3.2, linestyle="", label="measured"),
        Line2D([], [], color=neutral, label="best parameter set"),
        Patch(color=neutral, alpha=0.2, linewidth=0, label=f"{_BAND[0]} to {_BAND[1]} % of all"),
    ]
    if len(conditions) > 1:
        colours = _cycled(len(conditions))
        handles += [Patch(color=c, label=name) for name, c in zip(conditions, colours)]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6))
