"""Sensitivity indices of variables over time, with their intervals as bands."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    message,
    panels,
)
from odeflow.report.figures.time_axis import time_axis
from odeflow.report.scales import is_geometric
from odeflow.report.sensitivity_outputs import (
    DRAWN,
    AnalysedOutput,
    largest,
    outputs,
    parameter_names,
)

#: Of parameters, in their order.
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
_MOST_OUTPUTS = 6
#: Width of an interval of a part of the variance that says nothing, and is not drawn.
_WIDEST = 1.0


def sensitivity_over_time(indices: xr.Dataset, config: Config) -> Figure:
    """A panel for each variable and index, a line for each of the parameters that matter most."""
    found = [
        one
        for one in outputs(indices, over_time=True)
        if np.isfinite(one.indices[one.leading]).any()
    ]
    named = config.plot.variables
    found = [one for one in found if named is None or one.name in named][:_MOST_OUTPUTS]
    if not found:
        return message("No variable varies over time: there is nothing to explain.")
    chosen, names = largest(found, len(COLOURS)), parameter_names(indices, config)
    columns = max(len(one.drawn) for one in found)
    figure, axes = panels(len(found) * columns, columns=columns)
    time = indices["time"]
    for row, output in enumerate(found):
        own = axes[row * columns : (row + 1) * columns]
        for ax, index in zip(own, output.drawn):
            for colour, place in zip(COLOURS, chosen):
                _draw(ax, output, index, place, colour, names[place])
            if is_geometric(time.values[time.values > 0].tolist()):
                ax.set_xscale("log")
            time_axis(ax, time)
            ax.set_ylabel(DRAWN[index])
            ax.set_title(wrapped(output.title[:1].upper() + output.title[1:], 44))
            ax.axhline(0, color=GREY, linewidth=0.6)
            ax.set_xlim(time.values[0], time.values[-1])
            if index in ("first_order", "total_order"):
                ax.set_ylim(-0.05, 1.05)
        for unused in own[len(output.drawn) :]:
            unused.remove()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(handles), 7))
    return figure


def _draw(ax: Axes, output: AnalysedOutput, index: str, place: int, colour: str, name: str) -> None:
    one = output.indices.isel(parameter=place)
    time, values = one["time"].values, one[index].values
    low, high = one[f"{index}_bounds"].transpose("bound", "time").values
    if index in ("first_order", "total_order"):
        unsure = high - low > _WIDEST
        values, low, high = (np.where(unsure, np.nan, one) for one in (values, low, high))
    ax.plot(time, values, color=colour, label=name)
    ax.fill_between(time, low, high, color=colour, alpha=0.25, linewidth=0)
