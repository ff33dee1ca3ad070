"""What the solver spent: steps of the trajectories, and where in the design they were needed."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.config.root import Config
from odeflow.ensemble.labels import design_axes, design_dims
from odeflow.report.figures.style import BLUE, VERMILION, label, panels
from odeflow.report.scales import is_log_axis
from odeflow.report.selection import shown_axes

_MOST_POINTS = 20_000


def solver_effort(ensemble: xr.Dataset, summary: xr.Dataset, config: Config) -> Figure:
    """Distribution of accepted and rejected steps; attempted steps over one or two axes."""
    del summary
    axes = shown_axes(ensemble, config, at_most=2)
    on_grid = design_dims(ensemble) != ("sample",) and len(axes) == 2
    figure, (left, *right) = panels(1 + (1 if on_grid else len(axes)))
    _histogram(left, ensemble)
    steps = ensemble["num_steps"]
    if on_grid:
        x, y = axes
        others = [d for d in design_axes(ensemble) if d not in axes]
        plane = (steps.mean(others) if others else steps).sortby(axes)
        image = right[0].pcolormesh(
            plane[x], plane[y], plane.transpose(y, x), shading="nearest", rasterized=True
        )
        figure.colorbar(image, ax=right[0]).set_label("Attempted steps")
        for axis, name in ((right[0].xaxis, x), (right[0].yaxis, y)):
            axis.set_label_text(label(ensemble[name]))
            if is_log_axis(name, config):
                axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        return figure
    for ax, name in zip(right, axes):
        stride = -(-steps.size // _MOST_POINTS)
        x, y = ensemble[name].values[::stride], steps.values.ravel()[::stride]
        ax.scatter(x, y, s=float(np.clip(4000 / len(x), 1, 12)), color=BLUE, alpha=0.5,
                   linewidths=0, rasterized=len(x) > 2000)  # fmt: skip
        if is_log_axis(name, config):
            ax.set_xscale("log")
        if y.min() > 0 and y.max() > 100 * y.min():
            ax.set_yscale("log")
        ax.set_xlabel(label(ensemble[name]))
        ax.set_ylabel("Attempted steps")
    return figure


def _histogram(ax, ensemble: xr.Dataset) -> None:
    counts = {
        "accepted": (ensemble["num_accepted_steps"].values.ravel(), BLUE),
        "rejected": (ensemble["num_rejected_steps"].values.ravel(), VERMILION),
    }
    largest = max(int(values.max()) for values, _ in counts.values())
    bins = np.linspace(-0.5, largest + 0.5, min(largest + 2, 41))
    for name, (values, colour) in counts.items():
        mean = f"{name} (mean {values.mean():.3g})"
        ax.hist(values, bins, color=colour, alpha=0.75, label=mean)
    ax.set_xlabel("Steps per trajectory")
    ax.set_ylabel("Trajectories")
    ax.margins(y=0.25)
    ax.legend(loc="upper center", borderaxespad=0.0)
