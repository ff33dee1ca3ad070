"""One trajectory of an array state as a map over place and time."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.ensemble.labels import design_dims
from odeflow.report.figures.style import GREY, label
from odeflow.report.selection import example, example_indices


def space_time(figure: Figure, ax: Axes, ensemble: xr.Dataset, name: str) -> None:
    """Draws the trajectory in the middle of the design of those that succeeded.

    A median over the ensemble would be a picture of none of them: patterns average out.

    Arguments:
        figure: the figure, for a colour bar.
        ax: where to draw.
        ensemble: has a trajectory that succeeded.
        name: an array state.
    """
    index = example_indices(ensemble, 1)[0]
    values = example(ensemble, name, index)
    values = values.reshape(values.shape[0], -1).T
    time = ensemble["time"].values
    image = ax.pcolormesh(
        time, np.arange(values.shape[0]), values, shading="nearest", rasterized=True
    )
    dims = {*design_dims(ensemble), "time"}
    extra = [str(d) for d in ensemble[name].dims if d not in dims]
    ax.set_ylabel(f"{' and '.join(extra)} (index)")
    number = int(np.ravel_multi_index(index, ensemble["status"].shape))
    ax.set_title(f"trajectory {number:,}", color=GREY)
    figure.colorbar(image, ax=ax).set_label(label(ensemble[name]))
