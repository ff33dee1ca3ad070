"""Draws from the posterior: a histogram per parameter, the best fit, R-hat."""

import xarray as xr
from matplotlib.figure import Figure

from odeflow.problem.estimated import SCALES
from odeflow.report.figures.style import BLUE, VERMILION, message, panels

_MOST_PANELS = 30


def posterior(dataset: xr.Dataset) -> Figure:
    """A panel per parameter, on its scale."""
    if "posterior" not in dataset:
        return message("No start has a finite objective: see the overview page for the reasons.")
    figure, axes = panels(min(dataset.sizes["parameter"], _MOST_PANELS))
    for i, ax in enumerate(axes):
        draws = dataset["posterior"].values[:, :, i].ravel()
        ax.hist(draws, 40, color=BLUE, density=True)
        ax.axvline(float(dataset["best_point"].values[i]), color=VERMILION, linewidth=1.0)
        scale = SCALES[int(dataset["parameter_scale"].values[i])]
        name = str(dataset["parameter"].values[i])
        ax.set(xlabel=name if scale == "lin" else f"{scale} {name}", yticks=[])
        ax.set_title(f"R-hat {float(dataset['r_hat'].values[i]):.3f}")
    return figure
