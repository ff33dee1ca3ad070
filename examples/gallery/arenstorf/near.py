"""Arenstorf's orbit

The closed orbit of a spacecraft around Earth and Moon, and two that start a little faster or
slower.
"""

import numpy as np
import xarray as xr

#: Of the distance between Earth and Moon.
LIMIT = 1e-6


def near(results):
    """How far from its start the spacecraft is after the published period."""
    ensemble = xr.open_dataset(results / "ensemble.nc", decode_times=False)
    orbit = ensemble.isel(initial_vy=1)
    way = [float(orbit[name][-1] - orbit[name][0]) for name in ("x", "y")]
    gap = float(np.hypot(*way))
    return gap, (
        f"after the published period of 17.0652165601579625588917206249 the orbit ends "
        f"{gap:.1e} from its "
        "start, where the distance of Earth and Moon is 1"
    )
