"""Profile likelihoods: by how much the objective rises with one parameter held."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from odeflow.files.flags import flag_meanings
from odeflow.problem.estimated import SCALES
from odeflow.report.figures.style import BLUE, GREY, VERMILION, message, panels

_MOST_PANELS = 30


def profiles(dataset: xr.Dataset) -> Figure:
    """A panel per parameter, on its scale, with the threshold of the interval."""
    from scipy.special import chdtri  # slow to import, and no other figure needs it

    if "profile_value" not in dataset:
        return message("No start has a finite objective: see the overview page for the reasons.")
    least, level = float(dataset.attrs["best_objective"]), float(dataset.attrs["level"])
    drawn = np.flatnonzero(np.isfinite(dataset["profile_value"].values).any(axis=1))
    if not len(drawn):
        return message("No parameter was profiled.")
    figure, axes = panels(min(len(drawn), _MOST_PANELS))
    words = flag_meanings(dataset["identifiability"])
    rise = float(chdtri(1, 1 - level)) / 2
    for i, ax in zip(drawn, axes):
        value, objective = (dataset[f"profile_{x}"].values[i] for x in ("value", "objective"))
        ax.plot(value, objective - least, ".-", color=BLUE, markersize=3)
        ax.axhline(rise, color=GREY, linestyle="--", linewidth=0.8)
        ax.plot(dataset["best_point"].values[i], 0.0, "o", color=VERMILION, markersize=3)
        scale = SCALES[int(dataset["parameter_scale"].values[i])]
        name = str(dataset["parameter"].values[i])
        ax.set(xlabel=name if scale == "lin" else f"{scale} {name}", ylabel="Rise")
        ax.set_title(words[int(dataset["identifiability"].values[i])].replace("_", " "))
        ax.set_ylim(-0.08 * rise, 1.6 * rise)
    return figure
