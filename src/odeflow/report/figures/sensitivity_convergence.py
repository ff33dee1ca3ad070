"""Sensitivity indices from the first parts of the design: have they converged?"""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.sensitivity_over_time import COLOURS
from odeflow.report.figures.style import GREY, message, panels
from odeflow.report.sensitivity_outputs import DRAWN, largest, parameter_names, shown_outputs

_MOST_OUTPUTS = 3


def sensitivity_convergence(indices: xr.Dataset, config: Config) -> Figure:
    """A panel for each output and index, a line for each of the parameters that matter most."""
    shown = shown_outputs(indices, config, _MOST_OUTPUTS)
    if "prefix" not in indices.dims or not shown:
        return message("No parts of the design are followed: there are too few samples.")
    names, sizes = parameter_names(indices, config), indices["prefix"].values
    chosen = largest(shown, len(COLOURS))
    panes = [(one, index) for one in shown for index in one.drawn]
    figure, axes = panels(len(panes), columns=max(len(one.drawn) for one in shown))
    for (output, index), ax in zip(panes, axes):
        values = output.indices[f"{index}_convergence"].transpose("prefix", "parameter").values
        ends = output.indices[f"{index}_convergence_bounds"]
        ends = ends.transpose("prefix", "bound", "parameter").values
        for colour, place in zip(COLOURS, chosen):
            errors = np.nan_to_num(np.abs(ends[:, :, place] - values[:, None, place])).T
            ax.errorbar(
                sizes,
                values[:, place],
                yerr=errors,
                color=colour,
                marker="o",
                markersize=2.5,
                elinewidth=0.8,
                label=names[place],
            )
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.minorticks_off()
        ax.axhline(0, color=GREY, linewidth=0.6)
        ax.set_title(wrapped(output.title[:1].upper() + output.title[1:], 44))
        ax.set(xlabel="Blocks from the first", ylabel=DRAWN[index])
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(handles), 7))
    return figure
