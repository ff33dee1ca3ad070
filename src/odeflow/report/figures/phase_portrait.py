"""Some trajectories in the plane of two variables, from start to end."""

import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.selection import example, example_indices, scalar_variables
from odeflow.report.figures.style import BLUE, GREEN, VERMILION, label, message, panels


def phase_portrait(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """The first two shown variables against each other."""
    del summary
    names = scalar_variables(ensemble, config)
    examples = example_indices(ensemble, max(config.plot.trajectories, 1))
    if len(names) < 2:
        return message("A phase portrait needs two scalar variables.")
    if not examples:
        return message("No trajectory succeeded: see the overview page for the reasons.")
    x_name, y_name = names[:2]
    figure, (ax,) = panels(1, square=True)
    for number, index in enumerate(examples):
        x, y = example(ensemble, x_name, index), example(ensemble, y_name, index)
        first = number == 0
        ax.plot(x, y, color=BLUE, linewidth=0.7, alpha=0.7)
        ax.plot(x[0], y[0], "o", color=GREEN, markersize=3, label="start" if first else None)
        ax.plot(x[-1], y[-1], "s", color=VERMILION, markersize=3, label="end" if first else None)
    ax.set_xlabel(label(ensemble[x_name]))
    ax.set_ylabel(label(ensemble[y_name]))
    figure.legend(loc="outside upper center", ncols=2)
    return figure
