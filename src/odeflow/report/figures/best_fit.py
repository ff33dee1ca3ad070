"""The best fit against the data, and the residuals in units of the noise."""

import json

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.report.figures.at_rest import mark_rest, placed
from odeflow.report.figures.style import BLUE, GREY, VERMILION, label, message, panels
from odeflow.report.figures.time_axis import time_axis

_MOST_PANELS = 8


def best_fit(dataset: xr.Dataset) -> Figure:
    """A panel per measured variable, its residuals in the panel beside it."""
    if "fitted_value" not in dataset:
        return message("No start has a finite objective: see the overview page for the reasons.")
    words = dataset["measured_variable"].attrs
    names = list(zip(json.loads(words["long_names"]), json.loads(words["units_of_each"])))
    names = names[:_MOST_PANELS]
    figure, axes = panels(2 * len(names), columns=2)
    measured_times, values = dataset["measured_time"].values, dataset["measured_value"].values
    times = placed(measured_times)
    fitted, noise = dataset["fitted_value"].values, dataset["fitted_noise"].values
    linear = dataset["measured_transformation"].values == 0
    for number, (name, units) in enumerate(names):
        ax, beside = axes[2 * number : 2 * number + 2]
        own = dataset["measured_variable"].values == number
        for condition in np.unique(dataset["measured_condition"].values[own]):
            here = own & (dataset["measured_condition"].values == condition)
            order = np.flatnonzero(here)[np.argsort(times[here], kind="stable")]
            mark = "_" if len(order) == 1 else None  # a line of one point shows nothing
            ax.plot(times[order], fitted[order], color=BLUE, alpha=0.8, marker=mark)
            if "predicted_quantiles" in dataset:
                low, _, high = dataset["predicted_quantiles"].values[:, order]
                ax.fill_between(times[order], low, high, color=BLUE, alpha=0.15, linewidth=0)
        bars = np.where(linear, noise, 0.0)[own]
        ax.errorbar(times[own], values[own], bars, fmt=".", color=VERMILION, elinewidth=0.7)
        measured = xr.DataArray(0.0, attrs={"long_name": name, "units": units})
        time_axis(ax, dataset["measured_time"])
        ax.set_ylabel(label(measured))
        mark_rest(ax, measured_times)
        if not linear[own].any():
            ax.set_yscale("log")
        beside.axhline(0.0, color=GREY, linewidth=0.7)
        beside.plot(times[own], dataset["residual"].values[own], ".", color=BLUE)
        time_axis(beside, dataset["measured_time"])
        beside.set_ylabel("Residual over noise")
    return figure
