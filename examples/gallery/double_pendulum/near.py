"""The double pendulum

When does one of two rods turn over? 200 x 200 starts at rest. Within the red lens, 3 cos(upper)
+ cos(lower) > 2, there is not enough energy for that; the rest is a fractal.
"""

import numpy as np
import xarray as xr

#: Trajectories that turned over and cannot have.
LIMIT = 0


def near(results):
    """How many turned over in spite of the energy, and how many that could did."""
    summary = xr.open_dataset(results / "summary.nc", decode_times=False)
    time = summary["turned_first_time_above"].transpose("initial_upper", "initial_lower")
    upper, lower = np.meshgrid(time.initial_upper, time.initial_lower, indexing="ij")
    cannot = 3 * np.cos(upper) + np.cos(lower) > 2
    turned = np.isfinite(time.values)
    wrong, share = int((turned & cannot).sum()), float(turned[~cannot].mean())
    return wrong, (
        f"of {cannot.sum():,} pendulums whose energy is too low {wrong} turn over; of the other "
        f"{(~cannot).sum():,} it is {share:.0%} up to t = 100"
    )
