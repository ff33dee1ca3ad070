"""Waterfall: the objective of every start, best first, above the best one."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.files.flags import flag_meanings
from odeflow.report.figures.style import BLUE, GREEN, GREY, ORANGE, VERMILION, message, panels

_COLOURS = (BLUE, ORANGE, VERMILION, GREY, GREEN)
#: Starts above the best one by less than this are shown at it.
_SMALLEST = 1e-6


def waterfall(dataset: xr.Dataset) -> Figure:
    """Points by rank, a colour for how a fit ended; plateaus are local optima."""
    ordered = dataset.sortby("rank")
    objective = ordered["objective"].values
    finite = np.isfinite(objective)
    if not finite.any():
        return message("No start has a finite objective: see the overview page for the reasons.")
    above = objective - objective[0]
    figure, (ax,) = panels(1)
    ranks = np.arange(1, len(above) + 1)
    status, words = ordered["fit_status"].values, flag_meanings(ordered["fit_status"])
    for number, word in enumerate(words):
        here = finite & (status == number)
        if here.any():
            label = f"{word.replace('_', ' ')}: {here.sum():,}"
            shown = np.maximum(above[here], _SMALLEST)
            ax.plot(ranks[here], shown, ".", color=_COLOURS[number], label=label)
    failed = f", {(~finite).sum():,} failed" if not finite.all() else ""
    ax.set(yscale="log", xlabel=f"Start, best first{failed}", ylabel="Objective above the best")
    ax.legend(loc="best")
    return figure
