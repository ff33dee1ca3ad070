"""What prior and posterior foretell, as bands of quantiles, against the data."""

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.report.figures.at_rest import mark_rest, placed
from odeflow.report.figures.style import (
    BLUE,
    GREY,
    VERMILION,
    label,
    message,
    panels,
)
from odeflow.report.figures.time_axis import time_axis
from odeflow.report.scales import value_scale

_MOST_PANELS = 12
_COLOURS = {"prior": GREY, "posterior": BLUE}


def predictive(dataset: xr.Dataset) -> Figure:
    """A panel per measured variable: bands and medians under each condition, and the data."""
    kinds = [kind for kind in _COLOURS if f"{kind}_predictive_quantiles" in dataset]
    if not kinds:
        return message("No start has a finite objective: see the overview page for the reasons.")
    words = dataset["measured_variable"].attrs
    names = list(zip(json.loads(words["long_names"]), json.loads(words["units_of_each"])))
    figure, axes = panels(min(len(names), _MOST_PANELS))
    times, values = dataset["measured_time"].values, dataset["measured_value"].values
    for number, ((name, units), ax) in enumerate(zip(names, axes)):
        own = dataset["measured_variable"].values == number
        for condition in np.unique(dataset["measured_condition"].values[own]):
            here = np.flatnonzero(own & (dataset["measured_condition"].values == condition))
            order = here[np.argsort(times[here], kind="stable")]
            for kind in kinds:
                _band(ax, dataset, kind, placed(times)[order], order)
        ax.plot(placed(times)[own], values[own], ".", color=VERMILION, zorder=4, label="data")
        mark_rest(ax, times)
        measured = xr.DataArray(0.0, attrs={"long_name": name, "units": units})
        time_axis(ax, dataset["measured_time"])
        ax.set_ylabel(label(measured))
        drawn = dataset["prior_predictive_quantiles"].values[:, own]
        drawn = drawn[np.isfinite(drawn)]
        above = drawn.size and min(values[own].min(), drawn.min()) > 0
        if above and value_scale(drawn, dust=0.0).kind == "log":
            ax.set_yscale("log")
    handles, labels = axes[0].get_legend_handles_labels()
    shown = {text: handle for text, handle in zip(labels, handles) if text}
    columns = max(int(figure.get_size_inches()[0] / 1.6), 1)
    place, columns = "outside upper center", min(len(shown), columns)
    figure.legend(shown.values(), shown.keys(), loc=place, ncols=columns)
    return figure


def _band(ax: Axes, dataset: xr.Dataset, kind: str, times: np.ndarray, rows: np.ndarray) -> None:
    """The band between each pair of quantiles, and the line of the median."""
    quantiles = dataset[f"{kind}_predictive_quantiles"].values[:, rows]
    levels, colour = dataset["predictive_quantile"].values, _COLOURS[kind]
    alone = len(np.unique(times)) == 1
    for i in range(len(levels) // 2):
        words = "" if i else f"{kind}: {100 * levels[0]:g} to {100 * levels[-1]:g} %"
        low, high = quantiles[i], quantiles[-1 - i]
        if alone:  # a band of one time shows nothing
            ax.vlines(times, low, high, color=colour, alpha=0.3, linewidth=5, label=words)
        else:
            ax.fill_between(times, low, high, color=colour, alpha=0.2, linewidth=0, label=words)
    middle, mark = quantiles[len(levels) // 2], "_" if alone else None
    words = f"{kind}: median"
    ax.plot(times, middle, color=colour, linewidth=1.0, marker=mark, label=words)
