"""Measles in term time

Seasons drive an epidemic, and it answers: with a yearly cycle if they are weak, one of two
years if they are stronger, then four, then chaos. Each dot is a New Year's Day.
"""

import numpy as np
import xarray as xr
from scipy.integrate import solve_ivp

LIMIT = 1e-4
FORCINGS = (0.02, 0.1, 0.2)


def seir(t, y, forcing):
    """The equations of the paper in shares, not their logarithms."""
    s, e, i = y
    new = 1800 * (1 + forcing * np.cos(2 * np.pi * t)) * s * i
    return [0.02 * (1 - s) - new, new - 35.86 * e, 35.84 * e - 100.02 * i]


def near(results):
    """The largest difference from SciPy, and where the cycle of two years begins."""
    ensemble = xr.open_dataset(results / "ensemble.nc", decode_times=False)
    logs = ensemble["log_infectious"]
    start = [0.06, np.exp(-7.4), np.exp(-8.4)]
    error = 0.0
    for forcing in FORCINGS:
        found = solve_ivp(seir, (0, 200), start, "DOP853", t_eval=logs.time.values, rtol=1e-10,
                          atol=1e-16, args=(forcing,))  # fmt: skip
        ours = logs.sel(forcing=forcing, method="nearest").values
        error = max(error, float(np.abs(ours - np.log(found.y[2])).max()))
    step = abs(logs.isel(time=-1) - logs.isel(time=-2))
    onset = float(logs["forcing"][step > 0.05][0])
    return error, (
        f"infections on 31 New Year's Days are within a factor of 1 + {error:.1e} of SciPy's "
        f"at three "
        f"strengths; cycles of two years begin at {onset:.3f}"
    )
