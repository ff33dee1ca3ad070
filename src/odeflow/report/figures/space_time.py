"""One trajectory of an array state: a map over place and time, or a picture of a plane."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from odeflow.ensemble.labels import design_dims
from odeflow.report.figures.style import GREY, label
from odeflow.report.figures.time_axis import time_axis
from odeflow.report.selection import example, example_indices

#: A state with more entries than these along both of its dimensions is a plane, to be seen as one.
_PLANE = 12


def space_time(figure: Figure, ax: Axes, ensemble: xr.Dataset, name: str) -> None:
    """Draws the trajectory in the middle of the design of those that succeeded.

    A median over the ensemble would be a picture of none of them: patterns average out. Of a plane
    the last saved time is shown; of groups of places, one group above the other.

    Arguments:
        figure: the figure, for a colour bar.
        ax: where to draw; its axis of time is labelled here.
        ensemble: has a trajectory that succeeded.
        name: an array state.
    """
    index = example_indices(ensemble, 1)[0]
    values = example(ensemble, name, index)
    time = ensemble["time"]
    dims = {*design_dims(ensemble), "time"}
    extra = [str(d) for d in ensemble[name].dims if d not in dims]
    number = int(np.ravel_multi_index(index, ensemble["status"].shape))
    title = f"trajectory {number:,}"
    if len(extra) == 2 and min(values.shape[1:]) > _PLANE:
        at = int(np.flatnonzero(np.isfinite(values).all(axis=(1, 2)))[-1])
        image = ax.pcolormesh(values[at], shading="nearest", rasterized=True)
        ax.set(xlabel=f"{extra[1]} (index)", ylabel=f"{extra[0]} (index)", aspect="equal")
        units = str(time.attrs.get("units", "1"))
        title += f" at {float(time[at]):g} {'' if units == '1' else units}".rstrip()
    else:
        rows = values.reshape(values.shape[0], -1).T
        image = ax.pcolormesh(
            time.values, np.arange(len(rows)), rows, shading="nearest", rasterized=True
        )
        time_axis(ax, time)
        _places(ax, extra, values.shape[1:])
    ax.set_title(title, color=GREY)
    figure.colorbar(image, ax=ax).set_label(label(ensemble[name]))


def _places(ax: Axes, extra: list[str], shape: tuple[int, ...]) -> None:
    """What lies along the vertical axis: places, or groups of them with a line between."""
    if len(extra) == 1 or shape[0] > _PLANE:
        ax.set_ylabel(f"{' and '.join(extra)} (index)")
        return
    size = int(np.prod(shape[1:]))
    for group in range(1, shape[0]):
        ax.axhline(group * size - 0.5, color="white", linewidth=0.6)
    ax.set_yticks([group * size + (size - 1) / 2 for group in range(shape[0])])
    ax.set_yticklabels([str(group) for group in range(shape[0])])
    ax.set_ylabel(f"{extra[0]} (index), each by {' and '.join(extra[1:])}")
