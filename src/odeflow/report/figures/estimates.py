"""The parameters of the best starts between their bounds, with the interval of the best fit."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.report.figures.style import BLUE, GREY, VERMILION, message

#: Starts and parameters that are shown.
_MOST_STARTS, _MOST = 50, 60
#: Starts above the best one by less than this are of its optimum.
_SAME = 0.1


def estimates(dataset: xr.Dataset) -> Figure:
    """A row per parameter, its bounds from left to right; a line for each of the best starts."""
    ordered = dataset.sortby("rank").isel(start=slice(_MOST_STARTS))
    finite = np.isfinite(ordered["objective"].values)
    if not finite.any() or "best_point" not in dataset:
        return message("No start has a finite objective: see the overview page for the reasons.")
    names = dataset["parameter"].values[:_MOST]
    low, high = (dataset[x].values[:_MOST] for x in ("lower_bound", "upper_bound"))
    within = lambda theta: (theta - low) / (high - low)
    figure = Figure(figsize=(4.6, 0.9 + 0.22 * len(names)))
    ax = figure.subplots()
    rows = np.arange(len(names))
    above = ordered["objective"].values - ordered["objective"].values[0]
    for theta, more in zip(ordered["end_point"].values[finite][::-1], above[finite][::-1]):
        colour, alpha = (BLUE, 0.6) if more < _SAME else (GREY, 0.25)
        ax.plot(within(theta[:_MOST]), rows, color=colour, alpha=alpha, linewidth=0.7)
    best = dataset["best_point"].values[:_MOST]
    ends = [dataset[f"profile_{side}"].values[:_MOST] for side in ("low", "high")]
    ends = [np.where(np.isnan(end), bound, end) for end, bound in zip(ends, (low, high))]
    ax.hlines(rows, within(ends[0]), within(ends[1]), color=VERMILION, linewidth=2.2, alpha=0.7)
    ax.plot(within(best), rows, "o", color=VERMILION, markersize=3)
    ax.set_yticks(rows, [str(name) for name in names])
    ax.set(xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5), xticks=[0, 1])
    ax.set_xticklabels(["lower bound", "upper bound"])
    return figure
