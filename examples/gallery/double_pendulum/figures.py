import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure


def turning(ensemble, summary):
    """When one of the rods turns over first; white: not up to t = 100. The red line is where the
    energy for it ends.
    """
    time = summary["turned_first_time_above"].transpose("initial_lower", "initial_upper")
    upper, lower = np.meshgrid(time.initial_upper, time.initial_lower)
    figure = Figure(figsize=(3.4, 2.9))
    ax = figure.subplots()
    image = ax.pcolormesh(upper, lower, time, norm=LogNorm(1, 100), rasterized=True)
    ax.contour(upper, lower, 3 * np.cos(upper) + np.cos(lower), [2], colors="#D55E00")
    ax.set(xlabel="Angle of the upper rod (rad)", ylabel="Angle of the lower rod (rad)", aspect=1)
    figure.colorbar(image, ax=ax).set_label("Time until one turns over (1)")
    return figure
