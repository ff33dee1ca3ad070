"""Lorenz' weather on a ring

Forty stations around the globe, of which one trajectory is drawn over place and time, and the
growth of small errors over the forcing. At a forcing of 8, Lorenz and Emanuel found that errors
double in 2.1 days.
"""

import numpy as np
import xarray as xr

LIMIT = 0.05


def near(results):
    """The time in which errors double at a forcing of 8, against 2.1 days."""
    summary = xr.open_dataset(results / "summary.nc", decode_times=False)
    exponent = float(summary["exponent_final"].sel(forcing=8))
    days = 5 * np.log(2) / exponent
    return abs(days / 2.1 - 1), f"small errors double in {days:.2f} days; 2.1 days are published"
