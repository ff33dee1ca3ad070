"""Lorenz' ensemble

1,024 starts in Lorenz' model of convection, and how fast they move away from a neighbour. The
mean slope of the logarithm is the largest Lyapunov exponent, 0.9056 (Sprott, J. C. (2003).
Chaos and Time-Series Analysis. Oxford University Press).
"""

import numpy as np
import xarray as xr

#: Relative; the standard error of a mean over these trajectories is about a percent.
LIMIT = 0.03


def near(results):
    """The mean growth of the distance to a neighbour, from t = 10 to 20, against 0.9056."""
    ensemble = xr.open_dataset(results / "ensemble.nc", decode_times=False)
    apart = sum(ensemble[f"d_{name}_d_initial_x"] ** 2 for name in "xyz") ** 0.5
    growth = np.log(apart.isel(time=-1) / apart.sel(time=10)) / 10
    mean, error = float(growth.mean()), float(growth.std() / growth.size**0.5)
    return abs(mean / 0.9056 - 1), (
        f"the largest Lyapunov exponent is {mean:.3f} with a standard error of {error:.3f}; "
        f"0.9056 is published"
    )
