"""Some trajectories in the plane of two variables, from start to end."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.report.figures.style import BLUE, GREEN, VERMILION, label, message, panels
from odeflow.report.selection import example, example_indices, scalar_variables

#: A step this long, as a part of the picture, is long; so many of the steps may be.
_LONG, _MOST_LONG = 0.15, 0.2


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
    courses = [(example(ensemble, x_name, i), example(ensemble, y_name, i)) for i in examples]
    coarse = any(_is_coarse(x, y) for x, y in courses)
    for number, (x, y) in enumerate(courses):
        first = number == 0
        ax.plot(x, y, "." if coarse else "-", color=BLUE, linewidth=0.7, markersize=1.5, alpha=0.7,
                label=("saved values" if coarse else "trajectory") if first else None)  # fmt: skip
        ax.plot(x[0], y[0], "o", color=GREEN, markersize=3, label="start" if first else None)
        ax.plot(x[-1], y[-1], "s", color=VERMILION, markersize=3, label="end" if first else None)
    ax.set_xlabel(label(ensemble[x_name]))
    ax.set_ylabel(label(ensemble[y_name]))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _is_coarse(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether saved times are so far apart that lines between them cut corners."""
    spans = [np.nanmax(values) - np.nanmin(values) or 1.0 for values in (x, y)]
    steps = np.hypot(np.diff(x) / spans[0], np.diff(y) / spans[1])
    known = steps[np.isfinite(steps)]
    return known.size > 20 and float(np.sum(known > _LONG)) > _MOST_LONG * known.size
