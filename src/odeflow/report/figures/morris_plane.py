"""Morris' plane: mean size of elementary effects against their standard deviation."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import BLUE, GREY, message, panels
from odeflow.report.sensitivity_outputs import by_size, parameter_names, shown_outputs

_MOST_OUTPUTS, _MOST_NAMED = 6, 8


def morris_plane(indices: xr.Dataset, config: Config) -> Figure:
    """A panel an output, a point a parameter; what is on the line is as large as its spread."""
    shown = shown_outputs(indices, config, _MOST_OUTPUTS)
    if not shown:
        return message("No output varies: there is nothing to explain.")
    figure, axes = panels(len(shown))
    names = parameter_names(indices, config)
    for output, ax in zip(shown, axes):
        across, up = output.indices["mu_star"].values, output.indices["sigma"].values
        ends = output.indices["mu_star_bounds"].transpose("bound", ...).values
        errors = np.nan_to_num(np.abs(ends - across))
        # groups have no standard deviation, and lie on the axis
        heights = np.nan_to_num(up)
        ax.errorbar(
            across,
            heights,
            xerr=errors,
            fmt="o",
            color=BLUE,
            ecolor=GREY,
            markersize=3,
            elinewidth=0.8,
        )
        for place in by_size(output)[:_MOST_NAMED]:
            ax.annotate(
                names[place],
                (across[place], heights[place]),
                xytext=(3, 3),
                textcoords="offset points",
                fontsize=7,
            )
        largest = np.nanmax(across)
        ax.plot([0, largest], [0, largest], color=GREY, linewidth=0.6, linestyle="--", zorder=0)
        ax.set_title(wrapped(output.title[:1].upper() + output.title[1:], 30))
        units = "" if output.units in ("", "1") else f" ({output.units})"
        ax.set_xlabel(f"\N{GREEK SMALL LETTER MU}*{units}")
        ax.set_ylabel(f"\N{GREEK SMALL LETTER SIGMA}{units}")
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
    return figure
