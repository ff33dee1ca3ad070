"""The paradox of enrichment

More food for the prey makes the predators' world unstable: beyond a carrying capacity of three,
where the isoclines say so, the steady state gives way to a cycle whose troughs come close to
extinction.
"""

import numpy as np
import xarray as xr

LIMIT = 0.02


def near(results):
    """Where cycles begin: the square of their amplitude is linear there, and is extended to "
    "zero.
    """
    summary = xr.open_dataset(results / "summary.nc", decode_times=False)
    capacity, size = summary["capacity"].values, summary["prey_amplitude"].values ** 2
    first = np.flatnonzero((size > 0.02) & (capacity > 1.5))[:6]
    slope, start = np.polyfit(capacity[first], size[first], 1)
    onset = -start / slope
    return abs(onset / 3 - 1), f"cycles begin at a capacity of {onset:.3f}; the isoclines say 3"
