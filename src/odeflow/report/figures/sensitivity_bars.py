"""Sensitivity indices of metrics as bars, with their intervals."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.math_text import wrapped
from odeflow.report.figures.style import BLUE, GREY, SKY, cut_to_shares, message, panels
from odeflow.report.sensitivity_outputs import DRAWN, SHARES, by_any, parameter_names, shown_outputs

_MOST_OUTPUTS, _MOST_PARAMETERS = 6, 12


def sensitivity_indices(indices: xr.Dataset, config: Config) -> Figure:
    """A panel an output, a pair of bars a parameter, the one that matters most on top."""
    shown = shown_outputs(indices, config, _MOST_OUTPUTS)
    if not shown:
        return message("No output varies: there is nothing to explain.")
    figure, axes = panels(len(shown))
    names = parameter_names(indices, config)
    for output, ax in zip(shown, axes):
        order = by_any(output)[:_MOST_PARAMETERS][::-1]
        drawn = output.drawn
        height = 0.8 / len(drawn)
        for number, (index, colour) in enumerate(zip(drawn, (BLUE, SKY))):
            values = output.indices[index].values[order]
            ends = output.indices[f"{index}_bounds"].transpose("bound", ...).values[:, order]
            places = np.arange(len(order)) + 0.4 - height * (number + 0.5)
            errors = np.nan_to_num(np.abs(ends - values))
            ax.barh(
                places,
                np.nan_to_num(values),
                height,
                xerr=errors if errors.any() else None,
                color=colour,
                ecolor=GREY,
                error_kw={"linewidth": 0.8},
                label=DRAWN[index],
            )
        ax.set_yticks(range(len(order)), [names[place] for place in order])
        ax.axvline(0, color=GREY, linewidth=0.6)
        if drawn[0] in SHARES:
            cut_to_shares(ax)
        title = output.title[:1].upper() + output.title[1:]
        ax.set_title(wrapped(title, 30))
        units = "" if output.units in ("", "1") or "mu_star" not in drawn else f" ({output.units})"
        ax.set_xlabel(f"Index{units}" if len(drawn) > 1 else f"{DRAWN[drawn[0]]}{units}")
    handles, labels = axes[0].get_legend_handles_labels()
    if len(handles) > 1:
        figure.legend(handles, labels, loc="outside upper center", ncols=len(handles))
    return figure
